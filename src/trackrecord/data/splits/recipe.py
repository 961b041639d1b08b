"""From a recipe and a table to parts and folds, whatever the kind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from trackrecord.cases.spec import GroupSplit, RandomSplit, Split, TimeSplit
from trackrecord.cases.split_kinds import (
    ForwardSplit,
    GroupTimeSplit,
    NestedSplit,
    RollingSplit,
    StratifiedSplit,
    TogetherSplit,
)
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.kinds import as_text
from trackrecord.data.splits.calendar import (
    between,
    by_group_and_time,
    by_spans,
    case_spans,
    days_of,
    forward_spans,
    rolling_spans,
    split_spans,
)
from trackrecord.data.splits.hashed import check_shares, group_keys, parts_of, shares
from trackrecord.data.splits.strata import stratified
from trackrecord.data.splits.together import together_keys
from trackrecord.ledger.jcs import canonical

if TYPE_CHECKING:
    import polars as pl


class Roles(NamedTuple):
    """Which column is what: ``unit`` names a row, ``time`` may be none, ``target`` may be none."""

    unit: str
    time: str | None = None
    timezone: str = "UTC"
    target: str | None = None


@dataclass(frozen=True)
class Divided:
    """``parts`` is "train", "validation", "test" or null for each row.

    ``folds`` has a column for each fold of a recipe that has several, aligned with ``parts``:
    ``fold_1`` … of a rolling origin ("train", "test" or null); ``outer`` and ``inner`` of a nested
    one, the number of the fold that tests the row, from 1.
    """

    parts: pl.Series
    folds: pl.DataFrame


def divide(frame: pl.DataFrame, split: Split, roles: Roles) -> Divided:
    """Give each row its part, by nothing but its own values (and, in strata, its stratum's).

    Raises KeyedDataError where the recipe does not fit the table.
    """
    import polars as pl

    check_recipe(split)
    folds = pl.DataFrame()
    if isinstance(split, TimeSplit):
        parts = by_spans(frame, split, roles)
    elif isinstance(split, RandomSplit):
        share = shares(as_text(frame[roles.unit]), split.seed)
        parts = parts_of(share, split.validation, split.test)
    elif isinstance(split, GroupSplit):
        share = shares(group_keys(frame, split.by, roles.unit), split.seed)
        parts = parts_of(share, split.validation, split.test)
    elif isinstance(split, StratifiedSplit):
        parts = stratified(frame, split, roles)
    elif isinstance(split, TogetherSplit):
        keys = together_keys(frame, roles.unit, split)
        parts = parts_of(shares(keys, split.seed), split.validation, split.test)
    elif isinstance(split, ForwardSplit):
        parts = between(days_of(frame, roles), forward_spans(split))
    elif isinstance(split, GroupTimeSplit):
        parts = by_group_and_time(frame, split, roles)
    elif isinstance(split, RollingSplit):
        days = days_of(frame, roles)
        parts = between(days, case_spans(split))
        folds = pl.DataFrame(
            between(days, spans).alias(f"fold_{number}")
            for number, spans in enumerate(rolling_spans(split), 1)
        )
    else:
        parts, folds = _nested(frame, split, roles)
    return Divided(parts.cast(pl.String).alias("part"), folds)


def check_recipe(split: Split) -> None:
    """Raise KeyedDataError for what is wrong with a recipe's words alone, whatever the table."""
    if isinstance(split, TimeSplit):
        split_spans(split)
    elif isinstance(split, RandomSplit | GroupSplit | StratifiedSplit | TogetherSplit):
        check_shares(split.validation, split.test)
    elif isinstance(split, RollingSplit):
        case_spans(split)
    elif isinstance(split, ForwardSplit | GroupTimeSplit):
        forward_spans(split)
    if isinstance(split, GroupTimeSplit):
        check_shares(split.validation_groups, split.test_groups)
    if isinstance(split, TogetherSplit) and not (split.together or split.alike or split.near):
        raise KeyedDataError(
            "nothing says which rows stay together",
            key="split",
            next="name columns as together, alike or near, or split at random",
        )


def recipe_document(split: Split) -> dict[str, Any]:
    """The recipe as plain values without what has its default."""
    found: dict[str, Any] = msgspec.to_builtins(split)
    for field in msgspec.structs.fields(split):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if field.encode_name in found and found[field.encode_name] == default:
            del found[field.encode_name]
    return found


def recipe_digest(split: Split, roles: Roles) -> str:
    """SHA-256 over the recipe, and which column is what, as canonical JSON (RFC 8785)."""
    document = {"split": recipe_document(split), "roles": roles._asdict()}
    return hashlib.sha256(canonical(document)).hexdigest()


def parts_digest(frame: pl.DataFrame, divided: Divided, unit: str) -> str:
    """SHA-256 over who is where, whatever the order of rows.

    Sorted lines ``<bytes> <unit> <part …>``, each with a newline. The part of a row in none is
    ``-``; its folds follow, parted by spaces.
    """
    import polars as pl

    ids = as_text(frame[unit]).alias("id")
    where = [divided.parts.alias("part"), *divided.folds.get_columns()]
    rows = pl.DataFrame([ids, *where]).sort("id")
    said = [pl.col(one.name).cast(pl.String).fill_null("-") for one in where]
    unit_text = [pl.col("id").str.len_bytes().cast(pl.String), pl.col("id")]
    line = pl.concat_str([*unit_text, *said], separator=" ") + "\n"
    text = rows.select(line.alias("line"))["line"].sort().str.join("").item()
    return hashlib.sha256(text.encode()).hexdigest()


def _nested(
    frame: pl.DataFrame, split: NestedSplit, roles: Roles
) -> tuple[pl.Series, pl.DataFrame]:
    """Outer and inner folds by two independent hashes of the same key."""
    import polars as pl

    keys = together_keys(frame, roles.unit, split)
    folds = pl.DataFrame(
        [
            ((shares(name + keys, split.seed) * number).floor().cast(pl.Int64) + 1).alias(name)
            for name, number in (("outer", split.outer), ("inner", split.inner))
        ]
    )
    part = (
        pl.when(pl.col("outer") == 1)
        .then(pl.lit("test"))
        .when(pl.col("inner") == 1)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    return folds.select(part.alias("part"))["part"], folds
