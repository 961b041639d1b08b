"""Rows in the order of their ids: short ones are sorted as the whole numbers their bytes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

WIDTH = 8


def in_order(table: pl.DataFrame) -> pl.DataFrame:
    """The rows by ``id``, byte by byte."""
    import polars as pl

    ids = table["id"]
    if ids.is_sorted():
        return table
    keys = _keys(ids)
    if keys is None:
        return table.sort("id")
    return table[pl.Series(np.argsort(keys))]


def _keys(ids: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.uint64]] | None:
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
