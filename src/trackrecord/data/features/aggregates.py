"""What is taken of slices of a column: counts, sums, extremes; and of one list, for one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.data.features.exact import deviation, slice_deviations, slice_sums, total
from trackrecord.data.features.plan import Take
from trackrecord.data.features.windows import slice_distinct, slice_extremes

SLICES = 1 << 17

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]


def aggregate(take: Take, column: pl.Series | None, starts: Whole, ends: Whole) -> pl.Series:
    """The feature of each slice; missing values do not count. Without a column, events count.

    A count of nothing is 0; all else of nothing is missing. Slices are taken some at a time: they
    are in the order of their entities and moments, so that these need only a part of the column.
    """
    import polars as pl

    if column is None:
        return pl.Series(ends - starts, dtype=pl.Int64)
    parts = []
    for first in range(0, max(1, len(starts)), SLICES):
        some = slice(first, first + SLICES)
        filled = ends[some] > starts[some]
        low = int(starts[some].min(initial=len(column), where=filled))
        high = int(ends[some].max(initial=low, where=filled))
        part = column.slice(low, high - low)
        bounds = (np.where(filled, one[some] - low, 0) for one in (starts, ends))
        parts.append(_aggregate(take, part, *bounds))
    return pl.concat(parts)


def _aggregate(take: Take, column: pl.Series, starts: Whole, ends: Whole) -> pl.Series:
    import polars as pl

    if column.null_count():
        before = np.concatenate([[0], np.cumsum(column.is_not_null().to_numpy())])
        starts, ends = before[starts], before[ends]
        column = column.drop_nulls()
    counts = ends - starts
    if take.how == "count":
        return pl.Series(counts, dtype=pl.Int64)
    column, starts, ends = _compact(column, starts, ends, counts)
    if take.how == "distinct":
        codes = column.rank("dense").to_numpy().astype(np.int64)
        return pl.Series(slice_distinct(codes, starts, ends), dtype=pl.Int64)
    if take.how in ("min", "max"):
        found: Any = slice_extremes(column.to_numpy(), starts, ends, largest=take.how == "max")
        return _where(pl.Series(found, dtype=column.dtype), counts > 0)
    numbers = column.cast(pl.Float64).to_numpy()
    if take.how == "std":
        found = slice_deviations(numbers, starts, ends)
    else:
        found = slice_sums(numbers, starts, ends)
        if take.how != "sum":
            found = found / np.maximum(counts, 1)
    return _where(pl.Series(found, dtype=pl.Float64), (counts > 0) & ~np.isnan(found))


def _compact(
    column: pl.Series, starts: Whole, ends: Whole, counts: Whole
) -> tuple[pl.Series, Whole, Whole]:
    """Few slices of a long column one after another, so that the rest is not gone through."""
    import polars as pl

    total = int(counts.sum())
    if 2 * total > len(column):
        return column, starts, ends
    bounds = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(total) + np.repeat(starts - bounds[:-1], counts)
    return column.gather(pl.Series(places)), bounds[:-1], bounds[1:]


def one_aggregate(take: Take, values: list[Any]) -> Any:
    """The feature of one list without missing values, in plain Python: the same number."""
    if take.how == "count":
        return len(values)
    if take.how == "distinct":
        return len(set(values))
    if not values:
        return None
    if take.how == "min":
        return min(values)
    if take.how == "max":
        return max(values)
    numbers = [float(value) for value in values]
    if take.how == "std":
        return deviation(numbers)
    found = total(numbers)
    if found != found:
        return None
    return found if take.how == "sum" else found / len(numbers)


def _where(series: pl.Series, there: NDArray[np.bool_]) -> pl.Series:
    import polars as pl

    return series.set(pl.Series(~there), None)
