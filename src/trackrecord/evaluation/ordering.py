"""Rows in the order of their ids: short ones are sorted as the whole numbers their bytes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

WIDTH = 8
# Text that has no more than FEW values among its first FIRST is moved as the numbers of its values.
FEW, FIRST = 200, 2000


class Order(NamedTuple):
    """Which ``rows`` (n,) go first, None where they are in order; whether no two ids are equal."""

    rows: NDArray[np.intp] | None
    distinct: bool


def order_of(ids: pl.Series) -> Order:
    """The order of the ids, byte by byte."""
    if ids.is_sorted():
        return Order(None, bool((ids.slice(1) != ids.head(len(ids) - 1)).all()))
    keys = _keys(ids)
    if keys is None:
        rows = ids.arg_sort().to_numpy().astype(np.intp)
        ordered = ids.gather(rows)
        return Order(rows, bool((ordered.slice(1) != ordered.head(len(ids) - 1)).all()))
    rows = np.argsort(keys)
    ordered_keys = keys[rows]
    return Order(rows, bool((ordered_keys[1:] != ordered_keys[:-1]).all()))


def in_order(table: pl.DataFrame, order: Order | None = None) -> pl.DataFrame:
    """The rows by ``id``, or in the order given."""
    import polars as pl

    rows = (order_of(table["id"]) if order is None else order).rows
    if rows is None:
        return table
    return pl.DataFrame([_taken(series, rows) for series in table.get_columns()])


def _taken(series: pl.Series, rows: NDArray[np.intp]) -> pl.Series:
    """The rows (n,) of a column; what is slow in Polars, and has a quick way, goes that way."""
    import polars as pl

    if series.dtype.is_numeric() and series.null_count() == 0:
        return pl.Series(series.name, series.to_numpy()[rows], dtype=series.dtype)
    if series.dtype == pl.String and series.head(FIRST).n_unique() <= FEW < len(series):
        return series.cast(pl.Categorical).gather(rows).cast(pl.String)
    return series.gather(rows)


def _keys(ids: pl.Series) -> NDArray[np.uint64] | None:
    """Whole numbers (n,) that sort as the ids do; None where some id has more than WIDTH bytes."""
    import pyarrow as pa

    longest = ids.str.len_bytes().max()
    # what is not ASCII has characters of several bytes, and a NUL is what shorter ids end in
    plain = ids.null_count() == 0 and bool((ids.str.len_bytes() == ids.str.len_chars()).all())
    if not plain or not isinstance(longest, int) or not 0 < longest <= WIDTH:
        return None
    if ids.str.contains("\0", literal=True).any():
        return None
    padded = ids.str.pad_end(WIDTH, "\0").rechunk().to_arrow().cast(pa.large_string())
    held = np.frombuffer(padded.buffers()[2], dtype=">u8", count=len(ids))
    return held.astype(np.uint64)
