"""Cuts answers into windows: so many rows each, or spans of the calendar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

_SPAN = re.compile(r"(\d+)\s*(m|h|d|w)\Z")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Every(msgspec.Struct, frozen=True):
    """``rows`` of them, or a ``span`` such as ``7d`` (Polars' words)."""

    rows: int | None = None
    span: str | None = None

    @property
    def words(self) -> str:
        """``7 days``, ``1,000 rows``."""
        if self.span is None:
            return f"{self.rows:,} rows"
        unit = UNITS[self.span[-1]]
        return f"{self.span[:-1]} {unit if self.span[:-1] != '1' else unit[:-1]}"


def parse_every(text: str) -> Every:
    """``1000`` rows, or ``30m``, ``6h``, ``1d``, ``1w``. Raises BadInput."""
    words = text.strip().lower()
    if words.isdigit() and int(words) >= 1:
        return Every(rows=int(words))
    if (found := _SPAN.match(words)) and int(found[1]) >= 1:
        return Every(span=found[1] + found[2])
    raise BadInput(
        f"{text!r} is no window",
        where="--window",
        next="write a number of rows, such as 1000, or a span: 30m, 6h, 1d, 1w",
    )


def cut(answers: pl.DataFrame, every: Every) -> list[pl.DataFrame]:
    """The windows of ``answers``, which are in order of time; a span's begin at midnight UTC.

    A last window of fewer rows than asked is left out until it is full; a span that nobody asked
    in is no window.
    """
    if every.rows is not None:
        whole = answers.height // every.rows
        return [answers.slice(index * every.rows, every.rows) for index in range(whole)]
    assert every.span is not None
    spans = answers["time"].dt.truncate(every.span)
    return answers.with_columns(_span=spans).partition_by("_span", include_key=False)
