"""A table in many Parquet parts: which they are, and whether they agree, before any row is read."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.data.sources import check_columns, damaged
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.parquet as pq

SUFFIXES = (".parquet", ".pq")
# Rows that a worker reads at once, but for row groups that are greater.
AT_ONCE = 1 << 21


class Part(msgspec.Struct, frozen=True):
    """Some rows of a file: ``length`` of them from ``start``; ``whole`` where it has no others."""

    path: str
    start: int
    length: int
    whole: bool

    @property
    def where(self) -> str:
        """The part in the words of an error, whose row numbers count from its start."""
        name = Path(self.path).name
        return name if self.start == 0 else f"{name}, counted from row {self.start + 1:,}"


class Table(msgspec.Struct, frozen=True):
    """All parts, none empty; their ``rows``; the columns' types as Arrow names them, in order; the
    columns that are 32-bit floats in every part; and the first rows, to tell roles by."""

    parts: list[Part]
    files: int
    rows: int
    columns: dict[str, str]
    narrow: frozenset[str]
    first: Part


def is_many(named: str | Path) -> bool:
    """Whether this names parts: a folder, or a pattern such as ``parts/*.parquet``."""
    path = Path(named)
    return path.is_dir() or (not path.exists() and glob.has_magic(str(named)))


def find_parts(named: str | Path) -> list[Path]:
    """The Parquet files in a folder and the folders in it, or of a pattern, in order of name; or
    the one that is named.

    Names that begin with ``.`` or ``_`` are left out: writers keep notes under them. Raises
    DataError where there is none.
    """
    path = Path(named)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES]
        kept = [file for file in found if not _hidden(file.relative_to(path))]
        others = [file.name for file in path.iterdir() if file.is_file()]
    else:
        matched = [Path(file) for file in glob.glob(str(named), recursive=True)]
        kept = [file for file in matched if file.is_file() and file.suffix.lower() in SUFFIXES]
        others = [file.name for file in matched if file.is_file()]
    if kept:
        return sorted(kept)
    shown = ", ".join(sorted(others)[:4]) or "nothing"
    raise DataError(
        f"there is no Parquet part in {path.name or named}",
        where=str(named),
        why=f"parts end in {' or '.join(SUFFIXES)}; there is {shown}",
        next="write the table as Parquet, or name one file",
    )


def open_table(files: list[Path]) -> Table:
    """The parts that these files hold, from their footers alone.

    A file of many rows is several parts, cut at its row groups. Raises DataError for a file that
    is damaged or empty, for columns that a part does not have or has besides, and where no part
    has a row.
    """
    parts: list[Part] = []
    columns: dict[str, str] = {}
    narrow: set[str] = set()
    model = files[0].name
    for file in files:
        facts = _facts(file)
        schema = facts.schema.to_arrow_schema()
        types = {field.name: str(field.type) for field in schema}
        if not columns:
            check_columns(schema.names, {}, file.name)
            columns, narrow = types, {n for n, kind in types.items() if kind == "float"}
        _check_same(columns, types, model, file)
        narrow = {name for name in narrow if types[name] == "float"}
        parts += _cut(file, facts)
    if not parts:
        raise DataError(
            f"no part of {len(files):,} has a row", where=str(files[0].parent), next="write rows"
        )
    rows = sum(part.length for part in parts)
    return Table(parts, len(files), rows, columns, frozenset(narrow), parts[0])


def read_part(part: Part, columns: list[str]) -> pl.DataFrame:
    """Some columns of a part, each in one piece. Raises DataError for damaged pages."""
    import polars as pl

    path = Path(part.path)
    try:
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(columns)
        if not part.whole:
            lazy = lazy.slice(part.start, part.length)
        return lazy.collect().rechunk()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(path, "parquet", error) from None


def _hidden(relative: Path) -> bool:
    return any(piece.startswith((".", "_")) for piece in relative.parts)


def _facts(file: Path) -> pq.FileMetaData:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if file.stat().st_size == 0:
            raise DataError(
                f"{file.name} is empty",
                where=str(file),
                why="it has 0 bytes, so whatever wrote it did not finish",
                next="write the part again, or remove it",
            )
        return pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        raise damaged(file, "parquet", error) from None


def _check_same(columns: dict[str, str], types: dict[str, str], model: str, file: Path) -> None:
    if columns.keys() == types.keys():
        return
    lacks = [name for name in columns if name not in types]
    more = [name for name in types if name not in columns]
    said = [f"it lacks {', '.join(map(repr, lacks[:4]))}"] if lacks else []
    said += [f"only it has {', '.join(map(repr, more[:4]))}"] if more else []
    near = suggest(lacks[0], more) if lacks and more else None
    raise DataError(
        f"{file.name} does not have the columns of {model}",
        where=str(file),
        why="; ".join(said),
        next=f"rename {near!r} to {lacks[0]!r} in it" if near else "write parts of one table",
    )


def _cut(file: Path, facts: pq.FileMetaData) -> list[Part]:
    """The file's rows in pieces of about AT_ONCE, none across a row group that it need not be."""
    found: list[Part] = []
    start = length = 0
    whole = facts.num_rows <= AT_ONCE
    for number in range(facts.num_row_groups):
        length += facts.row_group(number).num_rows
        if length >= AT_ONCE or number == facts.num_row_groups - 1:
            if length:
                found.append(Part(str(file), start, length, whole))
            start, length = start + length, 0
    return found
