"""The rows that break a rule, gathered as the table goes by: how many, which, and what they say."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.data.ingest.store import put, temporary
from trackrecord.data.profile.measure import shown
from trackrecord.data.profile.scan import named

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.parquet as pq

SHOWN = 5
ROW = "\0row"
HELD_ROWS = 1 << 16


class Offenders:
    """The rows that break one rule, and a file of them at ``path`` once :meth:`keep` was called.

    A context: what is not kept leaves no file.
    """

    def __init__(self, columns: list[str], path: Path | None = None) -> None:
        self.failed = 0
        self.first: list[pl.DataFrame] = []
        self.path = path
        self._columns = columns
        self._counts: list[pl.DataFrame] = []
        self._waiting: list[pl.DataFrame] = []
        self._new = Path()
        self._file: pq.ParquetWriter | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Offenders:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, bad: pl.DataFrame) -> None:
        """More rows, all after those before, with their numbers, from 0, in ``ROW``."""
        import polars as pl

        if self.failed < SHOWN:
            self.first.append(bad.head(SHOWN - self.failed))
        self.failed += bad.height
        if len(self._columns) == 1:
            self._counts.append(
                bad.group_by(named(self._columns[0]).alias("value")).agg(
                    pl.len().alias("rows"), pl.col(ROW).min().alias("first")
                )
            )
        if self.path is not None:
            self._waiting.append(bad)
            if sum(part.height for part in self._waiting) >= HELD_ROWS:
                self._write()

    def keep(self) -> None:
        """Give the file its name, if there are rows for one."""
        if self.path is None or not self.failed:
            return
        self._write()
        if self._file is not None:
            self._file.close()
        put(self._new, self.path)

    def rows(self) -> list[int]:
        """The numbers of the first rows, from 1."""
        return [row + 1 for part in self.first for row in part[ROW]]

    def values(self) -> list[str]:
        """The most frequent values of one column; of several, those of the first rows."""
        import polars as pl

        if self._counts:
            counted = (
                pl.concat(self._counts)
                .group_by("value")
                .agg(pl.col("rows").sum(), pl.col("first").min())
                .sort(["rows", "first"], descending=[True, False])
                .head(SHOWN)
            )
            return [
                _shown(value) + (f" ({rows:,}×)" if rows > 1 else "")
                for value, rows, _ in counted.iter_rows()
            ]
        return [
            ", ".join(f"{name} = {_shown(value)}" for name, value in row.items())
            for part in self.first
            for row in part.select(map(named, self._columns)).iter_rows(named=True)
        ]

    def _write(self) -> None:
        """The waiting rows as stored, their numbers, from 1, in ``row`` (``row_`` where taken)."""
        import polars as pl
        import pyarrow.parquet as pq

        if not self._waiting or self.path is None:
            return
        whole = pl.concat(self._waiting)
        self._waiting = []
        number = "row"
        while number in whole.columns:
            number += "_"
        table = whole.with_columns(pl.col(ROW) + 1).rename({ROW: number}).to_arrow()
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._new = self._stack.enter_context(temporary(self.path))
            self._file = self._stack.enter_context(
                pq.ParquetWriter(self._new, table.schema, compression="zstd")
            )
        self._file.write_table(table)


def quarantine_file(folder: Path, contract: str, rule: str) -> Path:
    """Where the rows that break a rule of a contract are kept."""
    return folder / f"{contract}-{file_part(rule)}.parquet"


def file_part(name: str) -> str:
    """A rule's name in a file's name: letters, digits, ``_`` and ``.``; else a digest is added."""
    bare = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip(".")[:80]
    if bare == name:
        return name
    return f"{bare}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _shown(value: object) -> str:
    return "missing" if value is None else shown(value)
