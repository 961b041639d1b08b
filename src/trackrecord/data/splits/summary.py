"""What a split made of a table: counts, class shares and spans of time for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Split
from trackrecord.data.kinds import as_text
from trackrecord.data.splits.recipe import (
    Divided,
    Roles,
    parts_digest,
    recipe_digest,
    recipe_document,
)

if TYPE_CHECKING:
    import polars as pl

MOST_CLASSES = 10
BINS = 48


class PartSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One part, or one part of a fold.

    ``classes`` maps each class to its rows (empty without a target, or where it has more than ten
    values); ``groups`` counts those of the recipe's columns; ``strip`` counts the rows in each of
    48 equal stretches from the table's first time to its last (empty without a time).
    """

    name: str
    rows: int
    share: float
    classes: dict[str, int]
    groups: int | None
    first: str | None
    last: str | None
    strip: list[int]


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A split shown. ``recipe_sha256`` is of the recipe, ``parts_sha256`` of who is where."""

    kind: str
    recipe: dict[str, Any]
    recipe_sha256: str
    parts_sha256: str
    rows: int
    left_out: int
    parts: list[PartSummary]
    folds: list[PartSummary]
    column: str | None


def summarise(frame: pl.DataFrame, divided: Divided, split: Split, roles: Roles) -> SplitSummary:
    """Count each part, and each fold's parts."""
    import polars as pl

    recipe = recipe_document(split)
    by = recipe.get("by") or next(iter(recipe.get("together", [])), None)
    names = ("train", "validation", "test")
    parts = [_part(frame, divided.parts == name, name, roles, by) for name in names]
    folds = []
    for column in divided.folds.get_columns():
        if column.dtype == pl.String:  # a rolling origin: train and test of each fold
            for name in ("train", "test"):
                said = f"{column.name} {name}"
                folds.append(_part(frame, column == name, said, roles, by))
        else:
            for number in sorted(column.unique().to_list()):
                said = f"{column.name} {number}"
                folds.append(_part(frame, column == number, said, roles, by))
    return SplitSummary(
        kind=str(recipe["kind"]),
        recipe=recipe,
        recipe_sha256=recipe_digest(split, roles),
        parts_sha256=parts_digest(frame, divided, roles.unit),
        rows=frame.height,
        left_out=divided.parts.null_count(),
        parts=parts,
        folds=folds,
        column=by,
    )


def shared(frame: pl.DataFrame, parts: pl.Series, column: str) -> int:
    """How many values of a column are in more than one part; missing ones are not counted."""
    import polars as pl

    rows = pl.DataFrame([as_text(frame[column]).alias("value"), parts.alias("part")]).drop_nulls()
    sides = rows.group_by("value").agg(pl.col("part").n_unique())
    return int((sides["part"] > 1).sum())


def _part(
    frame: pl.DataFrame, inside: pl.Series, name: str, roles: Roles, by: str | None
) -> PartSummary:
    rows = frame.filter(inside.fill_null(False))
    first = last = None
    strip: list[int] = []
    if roles.time is not None:
        times, all_times = rows[roles.time], frame[roles.time]
        first, last = (None if t is None else _moment(t) for t in (times.min(), times.max()))
        strip = _strip(times, all_times)
    return PartSummary(
        name=name,
        rows=rows.height,
        share=rows.height / max(frame.height, 1),
        classes=_classes(rows, frame, roles.target),
        groups=None if by is None else rows[by].drop_nulls().n_unique(),
        first=first,
        last=last,
        strip=strip,
    )


def _classes(rows: pl.DataFrame, frame: pl.DataFrame, target: str | None) -> dict[str, int]:
    if target is None or frame[target].n_unique() > MOST_CLASSES:
        return {}
    found = as_text(rows[target]).fill_null("missing").value_counts(name="rows")
    counts = dict(zip(found[target].to_list(), found["rows"].to_list(), strict=True))
    every = as_text(frame[target]).fill_null("missing").unique().sort().to_list()
    return {str(value): int(counts.get(value, 0)) for value in every}


def _strip(times: pl.Series, every: pl.Series) -> list[int]:
    import numpy as np
    import polars as pl

    whole = every.drop_nulls().cast(pl.Datetime("us")).to_physical()
    if len(whole) == 0:
        return []
    here = times.drop_nulls().cast(pl.Datetime("us")).to_physical().to_numpy()
    low, high = int(whole.min()), int(whole.max())  # type: ignore[arg-type]
    counts, _ = np.histogram(here, bins=BINS, range=(low, max(high, low + 1)))
    return [int(count) for count in counts]


def _moment(moment: Any) -> str:
    """To the minute; a day alone stays one."""
    return str(moment) if not hasattr(moment, "hour") else f"{moment:%Y-%m-%d %H:%M}"
