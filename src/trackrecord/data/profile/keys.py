"""Which columns name a row, and which rows repeat an earlier one."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from trackrecord.data.profile.result import Column
from trackrecord.data.profile.scan import Scanned, clean, named

if TYPE_CHECKING:
    import polars as pl

# A set of columns that repeats within the first rows is no key: that spares most sets the rest.
HEAD = 50_000
WIDEST = 3
MOST_COLUMNS = 12
MOST_SETS = 300
MOST_KEYS = 3
MOST_CHECKS = 4


def single_keys(columns: list[Column], rows: int) -> list[list[str]]:
    """Columns that have another value in each row; floats measure, and so name nothing."""
    return [
        [column.name]
        for column in columns
        if column.missing == 0
        and column.sampled == 1
        and column.distinct == rows
        and column.distinct_error is None
        and not column.type.startswith(("Float", "Decimal"))
    ]


def joint_keys(table: Scanned, columns: list[Column]) -> list[list[str]]:
    """The smallest sets of two or three columns that name a row, tried on the first rows first."""
    import polars as pl

    able = [
        column
        for column in columns
        if column.missing == 0
        and column.distinct > 1
        and not column.type.startswith(("Float", "Decimal"))
    ]
    able = sorted(able, key=lambda column: -column.distinct)[:MOST_COLUMNS]
    by_name = {column.name: column for column in able}
    head = (
        table.frame.select(clean(name, table.schema[name]) for name in by_name).head(HEAD).collect()
    )
    if head.width == 0:
        return []
    found: list[list[str]] = []
    checks = 0
    for size in range(2, WIDEST + 1):
        for number, names in enumerate(combinations(by_name, size)):
            if number >= MOST_SETS or len(found) >= MOST_KEYS or checks >= MOST_CHECKS:
                break
            room = 1
            for name in names:
                room *= by_name[name].distinct
            if room < table.rows or head.select(map(named, names)).is_duplicated().any():
                continue
            checks += 1
            whole = table.frame.select(clean(name, table.schema[name]) for name in names)
            unique = whole.select(pl.struct(pl.all()).n_unique()).collect(engine="streaming").item()
            if unique == table.rows:
                found.append(list(names))
        if found:
            return found
    return found


def repeats(hashes: pl.Series) -> int:
    """Rows whose 64-bit hash an earlier row has: a chance of n² / 2^65 of one too many."""
    return len(hashes) - hashes.n_unique()
