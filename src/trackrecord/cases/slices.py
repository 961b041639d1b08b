"""The words of a slice: a column, or a condition such as ``distance > 1000``."""

from __future__ import annotations

import re

_CONDITION = re.compile(r"(.+?)\s+(>=|<=|==|!=|=|>|<)\s+(.+)")


def slice_parts(text: str) -> tuple[str, str | None, str | None]:
    """(column, operator, literal); operator and literal are None where the text is a column.

    Words are separated by spaces, so a column's name may hold an operator's sign; ``=`` is ``==``.
    """
    text = text.strip()
    found = _CONDITION.fullmatch(text)
    if found is None:
        return text, None, None
    operator = "==" if found.group(2) == "=" else found.group(2)
    return found.group(1), operator, found.group(3).strip().strip("\"'")
