"""Profiles a table: one column after another, so that memory holds one, not the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.data.profile.keys import joint_keys, repeats, single_keys
from trackrecord.data.profile.measure import SKETCH_ERROR, measure_column
from trackrecord.data.profile.result import Column, Profile
from trackrecord.data.profile.scan import Scanned, clean, read_column, scan_table
from trackrecord.data.profile.suspicions import suspicions
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl

# Beyond so many rows order statistics are of an even sample, as a column would no longer fit.
MOST_ROWS = 1 << 25
Step = Callable[[str, float], None]


def profile_file(path: Path, *, name: str | None = None, step: Step | None = None) -> Profile:
    """The profile of the table in ``path``; ``step`` is told each column and the share done.

    Raises DataError for what is no table, and for a table without rows or columns.
    """
    return profile_table(scan_table(path), name or path.stem, step)


def profile_table(table: Scanned, name: str, step: Step | None = None) -> Profile:
    """Like :func:`profile_file`, of a table that is open."""
    path = table.path
    if table.rows == 0 or not table.schema:
        raise DataError(
            f"{path.name} has no rows" if table.schema else f"{path.name} has no columns",
            where=str(path),
            next="export the table again, with a header and rows",
        )
    return _profile(table, name, step or (lambda _name, _share: None))


def _profile(table: Scanned, name: str, step: Step) -> Profile:
    every = -(-table.rows // MOST_ROWS)
    columns: list[Column] = []
    hashes: pl.Series | None = None
    keyed = False
    for number, column in enumerate(table.schema):
        step(column, number / len(table.schema))
        stored = read_column(table, column, every)
        found, series = _column(stored, column, table.rows, every)
        columns.append(found)
        if every == 1 and not keyed:
            # A column that names each row makes looking for repeated rows needless.
            keyed = found.distinct == table.rows and found.distinct_error is None
            one = series.hash(number)
            hashes = one if hashes is None else hashes * 6364136223846793005 + one
    keys = single_keys(columns, table.rows)
    duplicates = 0 if keyed or hashes is None else repeats(hashes)
    if not keys and not duplicates and every == 1:
        step("keys", 1.0)
        keys = joint_keys(table, columns)
    return Profile(
        name, table.rows, table.path.stat().st_size, duplicates, keys, columns,
        list(_notes(columns, every)),
    )  # fmt: skip


def _column(stored: pl.Series, name: str, rows: int, every: int) -> tuple[Column, pl.Series]:
    series = stored.to_frame().select(clean(name, stored.dtype)).to_series()
    found = measure_column(stored, series, every)
    column = found.column
    if every > 1:
        column = msgspec.structs.replace(column, missing=min(column.missing, rows))
        found = found._replace(column=column)
    doubts = suspicions(found, rows)
    return msgspec.structs.replace(column, suspicions=doubts), series


def _notes(columns: list[Column], every: int) -> list[str]:
    found = []
    if every > 1:
        found.append(
            f"all figures are of each {every}th row, and counts are multiplied by {every}; keys "
            "and repeated rows were not looked for"
        )
    if any(column.distinct_error is not None for column in columns):
        found.append(
            f"distinct values beyond 1,000,000 are from a sketch (HyperLogLog), ± "
            f"{100 * 1.96 * SKETCH_ERROR:.1f} % at the 95 % level; what is found in such text is "
            "found in a sample"
        )
    return found
