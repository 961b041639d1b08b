"""The same shares in every stratum, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.split_kinds import StratifiedSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.kinds import as_text
from trackrecord.data.splits.hashed import require, shares

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.splits.recipe import Roles


def stratified(frame: pl.DataFrame, split: StratifiedSplit, roles: Roles) -> pl.Series:
    """Within each stratum, units in the order of their hashes: first test, then validation.

    Of n units round(n * test) are tested on, but at least one of each part where n is 3 or more.
    Rows added to one stratum move nobody in another; in their own they move at most one unit more
    than were added, over each edge between parts. A missing value is a stratum of its own.
    Rows that share a unit share its place.
    """
    import polars as pl

    strata = list(split.strata) or ([roles.target] if roles.target else [])
    if not strata:
        raise KeyedDataError(
            "there is no stratum to divide by",
            key="split.strata",
            next="name columns as strata, or the target",
        )
    for name in strata:
        require(frame, name, "split.strata")
    ids = as_text(frame[roles.unit])
    texts = [as_text(frame[name]).alias(f"s{index}") for index, name in enumerate(strata)]
    place = pl.DataFrame([shares(ids, split.seed).alias("share"), ids.alias("id"), *texts])
    names = [text.name for text in texts]
    rank = pl.struct("share", "id").rank("min").over(names) - 1
    n = pl.len().over(names).cast(pl.Int64)
    least = pl.when(n >= 3).then(1).otherwise(0)
    test = pl.max_horizontal((n * split.test + 0.5).floor().cast(pl.Int64), least)
    validation = pl.max_horizontal((n * split.validation + 0.5).floor().cast(pl.Int64), least)
    test = pl.min_horizontal(test, pl.max_horizontal(n - validation - 1, least))
    validation = pl.min_horizontal(validation, pl.max_horizontal(n - test - 1, least))
    part = (
        pl.when(rank < test)
        .then(pl.lit("test"))
        .when(rank < test + validation)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    return place.select(part.alias("part"))["part"]
