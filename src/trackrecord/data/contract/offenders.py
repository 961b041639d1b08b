"""The rows that break a rule: their numbers, a few of their values, and a file of all of them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.data.contract.outcome import Outcome
from trackrecord.data.contract.spec import Contract
from trackrecord.data.profile.measure import shown
from trackrecord.data.profile.scan import Scanned, named
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    import polars as pl

SHOWN = 5
ROW = "\0row"


class Finder:
    """Seeks the rows that break a rule, by their numbers, and writes them down."""

    def __init__(
        self,
        contract: Contract,
        table: Scanned,
        frame: pl.LazyFrame,
        fitted: pl.LazyFrame,
        folder: Path | None,
    ) -> None:
        self.contract, self.rows, self.folder = contract, table.rows, folder
        self.frames = {
            "stored": frame.with_row_index(ROW),
            "typed": fitted.with_row_index(ROW),
        }

    def told(self, name: str, asks: str, columns: list[str], rows: pl.Series) -> Outcome:
        """The outcome of a rule that these rows break, numbered from 0."""
        import polars as pl

        failed = len(rows)
        lo, hi = proportion(failed, self.rows)
        bad = self.frames["stored"].filter(pl.col(ROW).is_in(rows.implode()))
        path = None
        if self.folder is not None:
            path = self.folder / f"{self.contract.name}-{file_part(name)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(bad, path)
        return Outcome(
            name, asks, "failed", self.rows, failed, failed / self.rows, lo, hi,
            first_rows=[int(row) + 1 for row in rows.head(SHOWN)],
            values=_values(bad, columns),
            quarantine=None if path is None else path.as_posix(),
        )  # fmt: skip


def _write(bad: pl.LazyFrame, path: Path) -> None:
    """The rows as they are stored, with the number of each in ``row`` (``row_`` where taken)."""
    import polars as pl

    number = "row"
    names = bad.collect_schema().names()
    while number in names:
        number += "_"
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        bad.with_columns(pl.col(ROW) + 1).rename({ROW: number}).sink_parquet(new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def file_part(name: str) -> str:
    """A rule's name in a file's name: letters, digits, ``_`` and ``.``; else a digest is added."""
    bare = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip(".")[:80]
    if bare == name:
        return name
    return f"{bare}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _values(bad: pl.LazyFrame, columns: list[str]) -> list[str]:
    """The most frequent offending values of one column; of several, those of the first rows."""
    import polars as pl

    if len(columns) == 1:
        counted = (
            bad.group_by(named(columns[0]).alias("value"))
            .agg(pl.len().alias("rows"), pl.col(ROW).min().alias("first"))
            .sort(["rows", "first"], descending=[True, False])
            .head(SHOWN)
            .collect(engine="streaming")
        )
        return [
            ("missing" if value is None else shown(value)) + (f" ({rows:,}×)" if rows > 1 else "")
            for value, rows, _ in counted.iter_rows()
        ]
    first = bad.head(SHOWN).select(map(named, columns)).collect()
    return [
        ", ".join(f"{name} = {'missing' if v is None else shown(v)}" for name, v in row.items())
        for row in first.iter_rows(named=True)
    ]
