"""``"7 days"``, ``"6 hours after"``: spans of time as microseconds."""

from __future__ import annotations

import re

from trackrecord.errors import DataError

SECOND = 1_000_000
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(second|minute|hour|day|week)s?\Z")
_CALENDAR = re.compile(r"(month|quarter|year)", re.IGNORECASE)
MOST = 200 * 366 * 86_400 * SECOND


def duration(text: str) -> int:
    """Microseconds of a span such as ``"7 days"``; a day is 24 hours, whatever the wall clock does.

    Raises DataError for anything else, for a span of nothing, and for more than 200 years.
    """
    words = " ".join(text.split())
    found = _SPAN.match(words)
    if not found:
        why = 'a span is a number and a unit: "90 seconds", "30 minutes", "6 hours", "7 days"'
        if _CALENDAR.search(words):
            why = "a month has 28 to 31 days and a year 365 or 366, so a span is told in days"
        elif words.startswith("-"):
            why = "a span looks back from the moment of the question; it has no sign"
        raise DataError(
            f"{text!r} is no span of time", why=why, next='write it like "12 hours" or "30 days"'
        )
    span = round(float(found.group(1)) * UNITS[found.group(2)] * SECOND)
    if not 0 < span <= MOST:
        raise DataError(
            f"{text!r} is no span of time",
            why="it is empty" if span <= 0 else "it is longer than 200 years",
            next='write it like "12 hours" or "30 days"',
        )
    return span


def lag(text: str) -> tuple[int, str]:
    """Microseconds and the column of ``"6 hours after landed"``; the column may be left out.

    A text without ``after`` is a column by itself. Raises DataError as :func:`duration` does.
    """
    before, after, column = f" {text.strip()} ".partition(" after ")
    if not after:
        return 0, text.strip()
    return duration(before.strip()), column.strip()
