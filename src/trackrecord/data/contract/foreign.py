"""Rows whose value another source does not have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.data.contract.offenders import ROW
from trackrecord.data.contract.rules import Rule
from trackrecord.data.contract.spec import ForeignKey
from trackrecord.data.profile.scan import clean, named, scan_table
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def foreign_rule(
    foreign: ForeignKey,
    number: int,
    sources: Path | None,
    schema: dict[str, pl.DataType],
    in_types: pl.LazyFrame,
) -> Rule:
    """The rule of a foreign key, with the rows that break it.

    Raises DataError for a source, or a column of it, that is not there.
    """
    import polars as pl

    name = f"foreign_key.{number}"
    asks = f"{', '.join(foreign.columns)} is in {foreign.source} ({', '.join(foreign.references)})"
    if not all(column in schema for column in foreign.columns):
        return Rule(name, asks, foreign.columns, None)
    other = scan_table(_source(foreign, sources))
    for column in foreign.references:
        if column not in other.schema:
            raise DataError(
                f"the source {foreign.source!r} has no column {column!r}",
                why=f"columns: {', '.join(list(other.schema)[:40])}",
                next="correct references of the foreign key",
            )
    kinds = in_types.collect_schema()
    there = other.frame.select(
        clean(column, other.schema[column]).cast(kinds[mine], strict=False).alias(mine)
        for mine, column in zip(foreign.columns, foreign.references, strict=True)
    ).unique()
    columns = list(map(named, foreign.columns))
    rows = (
        in_types.select(columns)
        .with_row_index(ROW)
        .drop_nulls()
        .join(there, on=columns, how="anti")
        .select(pl.col(ROW))
        .collect(engine="streaming")
        .to_series()
    )
    return Rule(name, asks, foreign.columns, rows.sort())


def _source(foreign: ForeignKey, sources: Path | None) -> Path:
    """The table of that name: a source, or else what a step built."""
    places = [] if sources is None else [sources, sources / "built"]
    paths = [folder / f"{foreign.source}.parquet" for folder in places]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise DataError(
            f"there is no source {foreign.source!r} for the foreign key of "
            f"{', '.join(foreign.columns)}",
            where=paths[0].as_posix() if paths else None,
            next="add it, or remove the foreign key from the contract",
        )
    return found
