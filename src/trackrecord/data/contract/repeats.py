"""Rows that have the same key as another row.

A hash set of all keys would be the slowest part of a check. Keys that only rise are distinct, which
one comparison shows; others are distinct where their 64-bit hashes are. Only keys whose hashes meet
are themselves compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.data.contract.offenders import ROW
from trackrecord.data.profile.scan import named

if TYPE_CHECKING:
    import polars as pl


def repeated_rows(frame: pl.LazyFrame, names: list[str]) -> pl.Series:
    """Row numbers, from 0, of the rows whose ``names`` are all there and are another row's, too."""
    import polars as pl

    columns = list(map(named, names))
    read = frame.select(columns).collect(engine="streaming")
    keys = read.with_row_index(ROW).drop_nulls()
    values = _values(keys.drop(ROW))
    twice = values.clear() if _rises(values) else _twice(values.sort())
    if twice.is_empty():
        return keys[ROW].clear()
    near = keys.filter(values.is_in(twice.implode()))
    return near.filter(pl.struct(columns).is_duplicated())[ROW]


def _values(keys: pl.DataFrame) -> pl.Series:
    """Integers that differ where keys do, but for hashes that meet."""
    dtype = keys.dtypes[0]
    if keys.width == 1 and (dtype.is_integer() or dtype.is_temporal()):
        return keys.to_series().to_physical()
    return keys.hash_rows()


def _rises(values: pl.Series) -> bool:
    return len(values) < 2 or bool((values.slice(1) > values.head(-1)).all())


def _twice(values: pl.Series) -> pl.Series:
    """Each of these sorted values that is there more than once."""
    after = values.slice(1)
    return after.filter(after == values.head(-1)).unique()
