"""Numbers that lie far outside: by Tukey's outer fences, said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    import polars as pl

FENCE = 3.0
LEAST_ROWS = 20
SHOWN = 5


class Outliers(msgspec.Struct, frozen=True, kw_only=True):
    """A column's values outside [low, high] = [Q1 - 3 IQR, Q3 + 3 IQR] (Tukey 1977, "far out").

    ``first`` are the rows of the furthest, from 1; ``lo`` to ``hi`` is the interval of their
    ``share`` (Wilson). Of a normal 2 in a million lie outside; of a skewed column many do, rightly.
    """

    column: str
    rows: int
    low: float
    high: float
    lo: float
    hi: float
    first: list[int]
    values: list[float]
    share: float = 0.0


def outliers(column: pl.Series, level: float = 0.95) -> Outliers | None:
    """None where nothing lies outside, over half the values are equal, or under 20 are there."""
    import polars as pl

    values = column.cast(pl.Float64)
    there = values.drop_nulls()
    if len(there) < LEAST_ROWS:
        return None
    q1, q3 = there.quantile(0.25, "linear"), there.quantile(0.75, "linear")
    if q1 is None or q3 is None or not 0 < q3 - q1 < float("inf"):
        return None
    low, high = q1 - FENCE * (q3 - q1), q3 + FENCE * (q3 - q1)
    outside = ((values < low) | (values > high)).fill_null(False)
    rows = int(outside.sum())
    if rows == 0:
        return None
    lo, hi = proportion(rows, len(there), level)
    at = outside.arg_true()
    beyond = np.maximum(low - values[at].to_numpy(), values[at].to_numpy() - high)
    at = at[np.argsort(-beyond, kind="stable")[:SHOWN]]
    return Outliers(
        column=column.name,
        rows=rows,
        low=low,
        high=high,
        lo=lo,
        hi=hi,
        first=[row + 1 for row in at.to_list()],
        values=values[at].to_list(),
        share=rows / len(there),
    )
