"""Pointers into evidence, and the one way in which a value there becomes text on a page.

A pointer is a digest and an RFC 6901 JSON Pointer into that statement (``/predicate/result/rows``).
Whoever writes a page formats with :func:`shown`; whoever checks it formats again and compares.
"""

from __future__ import annotations

import re
from typing import Any

from trackrecord.errors import BadInput

FORMATS = (
    "text",
    "condition",
    "integer",
    "number",
    "signed",
    "points",
    "percent",
    "level",
    "date",
    "time",
    "short",
)


# Embeddings, overrides and isolates.
_TURNING = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}"
)

# A hyphen that is a number's sign: not in a word, a date, or an exponent.
_SIGN = re.compile(r"(?<![\w.)\]-])-(?=\.?\d)")


def upright(text: str) -> str:
    """Text without the marks that turn the direction of writing.

    In a name they would reach the numbers beside it: after an override 0.817 reads 718.0.
    """
    return text.translate(_TURNING)


def resolve(document: Any, pointer: str) -> Any:
    """The value at an RFC 6901 pointer. Raises BadInput where there is none."""
    value = document
    for word in pointer.split("/")[1:]:
        key = word.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadInput(
                f"the pointer {pointer!r} leads nowhere", why=f"there is no {key!r}"
            ) from None
    return value


def shown(value: Any, form: str) -> str:
    """A value as a page shows it.

    Forms: ``text`` as it is (but :func:`upright`), ``condition`` text whose numbers have a minus
    sign for the hyphen, as all others here, ``integer`` with thousands, ``number`` 3 decimals,
    ``signed`` 3 decimals with sign, ``points`` percentage points with sign, ``percent``
    1 decimal, ``level`` a confidence level as people say it (``95 %``), ``date`` the day of an
    RFC 3339 time, ``time`` the day and second of one, ``short`` the first 12 characters.
    """
    if value is None or isinstance(value, dict | list):
        raise BadInput(
            f"a pointer that leads to {'nothing' if value is None else 'a group of values'} "
            "cannot be shown",
            next="point at one value",
        )
    if form == "text":
        return upright(str(value))
    if form == "condition":
        return _SIGN.sub("−", upright(str(value)))
    if form == "short":
        return upright(str(value)[:12])
    if form == "date":
        return str(value)[:10]
    if form == "time":
        return f"{str(value)[:10]} {str(value)[11:19]} UTC"
    if form in FORMATS and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadInput(f"a {type(value).__name__} cannot be shown as {form}")
    numeric = {
        "integer": lambda: f"{value:,.0f}",
        "number": lambda: f"{value:.3f}",
        "signed": lambda: f"{value:+.3f}",
        "points": lambda: f"{100 * value:+.1f}",
        "percent": lambda: f"{100 * value:.1f} %",
        "level": lambda: f"{100 * value:g} %",
    }
    if form not in numeric:
        raise BadInput(f"there is no format {form!r}", why=f"formats: {', '.join(FORMATS)}")
    return _typeset(numeric[form]())


def _typeset(text: str) -> str:
    """A minus sign for the hyphen; a number that is rounded to zero has no sign."""
    if not any(digit in text for digit in "123456789"):
        return text.lstrip("+-")
    return text.replace("-", "−")
