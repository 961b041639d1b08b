"""Where a key stands between 0 and 1, for good: what keeps units in place when rows come and go."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from trackrecord.data.blame import KeyedDataError
from trackrecord.data.kinds import as_text

if TYPE_CHECKING:
    import polars as pl


def shares(keys: pl.Series, seed: int) -> pl.Series:
    """Float64 in [0, 1), aligned with text ``keys``: the first 53 bits of SHA-256 of seed and key.

    Digested is ``<seed>\\n<key>`` in UTF-8; equal keys have equal shares.
    """
    import numpy as np
    import polars as pl

    unique = keys.unique()
    hashed = (f"{seed}\n" + unique).cast(pl.Binary).to_list()
    first = b"".join([hashlib.sha256(key).digest()[:8] for key in hashed])
    share = pl.Series((np.frombuffer(first, ">u8").astype("u8") >> 11) / (1 << 53))
    if len(unique) == 0:
        return pl.Series(keys.name, [], dtype=pl.Float64)
    return keys.replace_strict(unique, share, return_dtype=pl.Float64)


def check_shares(validation: float, test: float) -> None:
    """Raise KeyedDataError where both shares together leave nothing to train on."""
    if test + validation >= 1:
        raise KeyedDataError(
            f"test {test:g} and validation {validation:g} leave nothing to train on",
            key="split",
            next="let both shares together stay below 1",
        )


def parts_of(share: pl.Series, validation: float, test: float) -> pl.Series:
    """Below ``test`` is test, below ``test + validation`` is validation, the rest train."""
    import polars as pl

    part = (
        pl.when(share < test)
        .then(pl.lit("test"))
        .when(share < test + validation)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    return pl.select(part.alias("part"))[:, 0]


def group_keys(frame: pl.DataFrame, by: str, unit: str) -> pl.Series:
    """A key for each row: its group's, or its own where it has none.

    Raises KeyedDataError for a column that is not there.
    """
    import polars as pl

    require(frame, by, "split.by")
    groups, ids = as_text(frame[by]), as_text(frame[unit])
    return pl.select(pl.coalesce("group:" + groups, "unit:" + ids))[:, 0]


def require(frame: pl.DataFrame, name: str, key: str) -> None:
    """Raise KeyedDataError, at ``key``, for a column that is not there."""
    from trackrecord.errors import suggest

    if name not in frame.columns:
        near = suggest(name, frame.columns)
        raise KeyedDataError(
            f"there is no column {name!r} to split by",
            key=key,
            why=f"did you mean {near!r}?" if near else f"columns: {', '.join(frame.columns[:40])}",
        )
