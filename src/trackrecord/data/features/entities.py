"""Entities as whole numbers: the same key, the same number, whatever kind of number it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.blame import KeyedDataError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

DENSE = 4


def distinct_entities(frame: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Each entity once; rows that lack a part of their key name none."""
    return frame.select(by).drop_nulls().unique(maintain_order=True)


def entity_numbers(
    frame: pl.DataFrame, by: tuple[str, ...], entities: pl.DataFrame
) -> NDArray[np.int64]:
    """The row of ``entities`` that each row of ``frame`` belongs to; -1 for none.

    Keys are of the same kinds (:func:`check_keys`).
    """
    import polars as pl

    if not by:
        return np.zeros(frame.height, np.int64)
    if not entities.height:
        return np.full(frame.height, -1, np.int64)
    if len(by) == 1 and (found := _dense(frame[by[0]], entities[by[0]])) is not None:
        return found
    numbered = entities.with_columns(pl.int_range(entities.height, dtype=pl.Int64).alias("__n"))
    for name in by:
        ours, theirs = frame[name].dtype, entities[name].dtype
        if ours != theirs:
            # Whole numbers are compared as such; with a broken one, both as broken ones.
            wide = pl.Int128 if ours.is_integer() and theirs.is_integer() else pl.Float64
            frame = frame.with_columns(pl.col(name).cast(wide))
            numbered = numbered.with_columns(pl.col(name).cast(wide))
    numbered = numbered.unique(list(by), keep="first")
    joined = frame.select(by).join(numbered, on=list(by), how="left", maintain_order="left")
    return joined["__n"].fill_null(-1).to_numpy()


def check_keys(rows: dict[str, pl.DataType], events: dict[str, pl.DataType], view: str) -> None:
    """Raise DataError where a key is of another kind in the view than in the rows."""
    for name, theirs in events.items():
        ours = rows[name]
        if ours != theirs and not (ours.is_numeric() and theirs.is_numeric()):
            raise KeyedDataError(
                f"the key {name!r} is {_words(ours)} in the rows and {_words(theirs)} in the view "
                f"{view!r}",
                key=f"view.{view}.by",
                next=f"make them alike, as with CAST({name} AS VARCHAR) in the view's sql",
            )


def _words(kind: pl.DataType) -> str:
    import polars as pl

    if kind.is_numeric():
        return "a number"
    return {pl.String: "text", pl.Date: "a date", pl.Boolean: "true or false"}.get(
        kind.base_type(), "a time" if isinstance(kind, pl.Datetime) else str(kind)
    )


def _dense(values: pl.Series, entities: pl.Series) -> NDArray[np.int64] | None:
    """By a table of all whole numbers in between, where it is not much longer than the columns."""
    if not (values.dtype.is_integer() and entities.dtype.is_integer()):
        return None
    low, high = entities.min(), entities.max()
    if not (isinstance(low, int) and isinstance(high, int)) or high >= 1 << 62 or low <= -(1 << 62):
        return None
    if high - low > DENSE * (len(values) + len(entities)):
        return None
    table = np.full(high - low + 2, -1, np.int64)
    table[entities.to_numpy() - low] = np.arange(len(entities))
    if not values.null_count() and len(values):
        whole = values.to_numpy()
        if whole.min() >= low and whole.max() <= high:
            found: NDArray[np.int64] = table[whole.astype(np.int64, copy=False) - low]
            return found
    inside = values.is_between(low, high).fill_null(False)
    at = (values.fill_null(low).clip(low, high)).to_numpy().astype(np.int64) - low
    return table[np.where(inside.to_numpy(), at, high - low + 1)]
