"""Rows that have the same key as another row.

A hash set of all keys would be the slowest part of a check. Keys that only rise are distinct, which
one comparison shows; others are distinct where their 64-bit hashes are. Only hashes that meet have
the keys themselves compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.data.contract.offenders import ROW
from trackrecord.data.profile.scan import named

if TYPE_CHECKING:
    import polars as pl


def repeated_rows(frame: pl.LazyFrame, names: list[str]) -> pl.Series:
    """Row numbers, from 0, of the rows whose ``names`` are all there and are another row's, too.

    ``frame`` has the row numbers in ``ROW``.
    """
    import polars as pl

    columns = list(map(named, names))
    keys = frame.select(columns).collect(engine="streaming")
    if _distinct(keys):
        return pl.Series(ROW, [], dtype=pl.UInt32)
    whole = frame.select(ROW, *columns).drop_nulls().collect(engine="streaming")
    return whole.filter(pl.struct(columns).is_duplicated())[ROW].sort()


def _distinct(keys: pl.DataFrame) -> bool:
    """Whether no two rows are the same, a row with a missing value aside; False where unsure."""
    whole = keys.drop_nulls()
    if whole.width == 1 and (whole.dtypes[0].is_integer() or whole.dtypes[0].is_temporal()):
        values = whole.to_series().to_physical()
        if _rises(values):
            return True
    else:
        values = whole.hash_rows()
    return _rises(values.sort())


def _rises(values: pl.Series) -> bool:
    return len(values) < 2 or bool((values.slice(1) > values.head(-1)).all())
