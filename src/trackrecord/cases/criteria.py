"""Acceptance criteria: one line of text that an interval can decide.

Grammar (one line, words separated by spaces)::

    METRIC OP NUMBER                            roc_auc >= 0.70
    METRIC difference to BASELINE OP NUMBER     roc_auc difference to table > 0
    METRIC difference OP NUMBER                 (where the case has one baseline)
    METRIC in [LOW, HIGH]                       calibration_slope in [0.8, 1.25]

OP is one of ``>``, ``>=``, ``<``, ``<=``.
"""

from __future__ import annotations

import math
import re

import msgspec

from trackrecord.errors import CaseError

_WORD = re.compile(r"\s*(\[|\]|,|>=|<=|>|<|[^\s\[\],<>]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_@.-]*\Z")


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What a criterion asks of an estimate: an allowed range, ends open or closed.

    ``baseline`` is None for a metric's own value and the baseline's name for a paired difference;
    an empty string means "the case's only baseline".
    """

    metric: str
    baseline: str | None
    low: float
    high: float
    low_open: bool
    high_open: bool


def parse_requirement(text: str) -> Requirement:
    """Read one criterion. Raises CaseError naming the column where it stops making sense."""
    words: list[tuple[str, int]] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = _WORD.match(stripped, position)
        if found is None:  # pragma: no cover - the pattern matches any non-space
            raise _unreadable(text, position, "a word")
        words.append((found.group(1), found.start(1)))
        position = found.end()

    index = 0

    def take(expected: str) -> tuple[str, int]:
        nonlocal index
        if index >= len(words):
            raise _unreadable(text, len(stripped), expected)
        index += 1
        return words[index - 1]

    def name(expected: str) -> str:
        word, at = take(expected)
        if not _NAME.match(word):
            raise _unreadable(text, at, expected)
        return word

    def number() -> float:
        word, at = take("a number")
        try:
            value = float(word)
        except ValueError:
            raise _unreadable(text, at, "a number") from None
        if not math.isfinite(value):
            raise _unreadable(text, at, "a finite number")
        return value

    def literal(symbol: str) -> None:
        word, at = take(f"'{symbol}'")
        if word != symbol:
            raise _unreadable(text, at, f"'{symbol}'")

    metric = name("a metric's name")
    baseline: str | None = None
    word, at = take("'>', '>=', '<', '<=', 'in' or 'difference'")
    if word == "difference":
        baseline = ""
        word, at = take("'to' or an operator")
        if word == "to":
            baseline = name("a baseline's name")
            word, at = take("'>', '>=', '<', '<=' or 'in'")
    low, high, low_open, high_open = -math.inf, math.inf, False, False
    if word in (">", ">="):
        low, low_open = number(), word == ">"
    elif word in ("<", "<="):
        high, high_open = number(), word == "<"
    elif word == "in":
        literal("[")
        low = number()
        literal(",")
        high = number()
        literal("]")
        if low >= high:
            raise _unreadable(text, at, "a range whose low end is below its high end")
    else:
        raise _unreadable(text, at, "'>', '>=', '<', '<=' or 'in'")
    if index < len(words):
        raise _unreadable(text, words[index][1], "nothing more")
    return Requirement(
        metric=metric, baseline=baseline, low=low, high=high, low_open=low_open, high_open=high_open
    )


def _unreadable(text: str, at: int, expected: str) -> CaseError:
    pointer = " " * at + "^"
    return CaseError(
        f"cannot read the criterion {text!r}",
        where=f"column {at + 1}\n       {text}\n       {pointer}",
        why=f"expected {expected} here",
        next='write it like "roc_auc difference to table > 0" or "bias in [-0.02, 0.02]"',
    )
