"""A recipe for any table: which column is what, and what must hold of the units."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Split
from trackrecord.data.kinds import as_text, kind_of
from trackrecord.data.splits.recipe import Divided, Roles, divide
from trackrecord.errors import BadInput, DataError, suggest

if TYPE_CHECKING:
    import polars as pl

KINDS = (
    "random",
    "stratified",
    "group",
    "together",
    "time",
    "forward",
    "group_time",
    "rolling",
    "nested",
)


def read_recipe(document: dict[str, Any]) -> Split:
    """A recipe from plain values, as ``[split]`` of a case has them. Raises BadInput."""
    try:
        found: Split = msgspec.convert(document, Split)
    except msgspec.ValidationError as error:
        kind = document.get("kind")
        if kind not in KINDS:
            near = suggest(str(kind), list(KINDS))
            raise BadInput(
                f"there is no kind of split {kind!r}",
                why=f"did you mean {near!r}?" if near else f"kinds: {', '.join(KINDS)}",
            ) from None
        raise BadInput(
            f"this is no recipe of the kind {kind!r}",
            why=str(error).replace("`", "'"),
            next="its keys are described in docs/reference/splits.md",
        ) from None
    return found


def with_units(
    frame: pl.DataFrame, unit: str | None, time: str | None, target: str | None, timezone: str
) -> tuple[pl.DataFrame, Roles]:
    """The table with a column that names its units, and the roles of its columns.

    Without ``unit`` a row is named by what it says (SHA-256 over all its columns as text), so that
    rows that say the same share a part. Raises DataError for unknown columns, for missing or
    doubled units, and for a time that is none.
    """
    import polars as pl

    for name in (unit, time, target):
        if name is not None and name not in frame.columns:
            near = suggest(name, frame.columns)
            raise DataError(
                f"there is no column {name!r}",
                why=f"did you mean {near!r}?" if near else f"columns: {frame.columns[:40]}",
            )
    if time is not None and kind_of(frame[time]) not in ("date", "time"):
        raise DataError(f"the column {time!r} holds {kind_of(frame[time])}s, not times")
    if unit is None:
        unit = _free("row", frame.columns)
        texts = [as_text(column).fill_null("\x00") for column in frame.get_columns()]
        order = sorted(range(len(texts)), key=lambda index: frame.columns[index])
        said = pl.select(pl.concat_str([texts[index] for index in order], separator="\x1f"))[:, 0]
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in said.to_list()]
        return frame.with_columns(pl.Series(unit, digests)), Roles(unit, time, timezone, target)
    units = frame[unit]
    if lost := units.null_count():
        raise DataError(
            f"the unit column {unit!r} is missing in {lost:,} rows",
            next="leave --unit out: a row is then named by what it says",
        )
    if (doubled := len(units) - units.n_unique()) > 0:
        raise DataError(
            f"the unit column {unit!r} has doubled ids: {doubled:,} rows repeat one",
            why="each row is one unit",
            next=f"for rows that belong together: --kind group --by {unit}",
        )
    return frame, Roles(unit, time, timezone, target)


def parts_table(frame: pl.DataFrame, divided: Divided, unit: str) -> pl.DataFrame:
    """One row a row of ``frame``: its unit, its part, and its folds where there are several."""
    import polars as pl

    return pl.DataFrame([frame[unit], divided.parts, *divided.folds.get_columns()])


def divide_table(frame: pl.DataFrame, split: Split, roles: Roles) -> Divided:
    """As ``divide``; DataError where a part has no row."""
    divided = divide(frame, split, roles)
    for name in ("train", "validation", "test"):
        if not (divided.parts == name).any():
            raise DataError(
                f"the {name} part is empty",
                why=f"the recipe leaves it none of {frame.height:,} rows",
                next="change days or shares so that each part has rows",
            )
    return divided


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
