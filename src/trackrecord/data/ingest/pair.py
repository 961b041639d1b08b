"""A source's two files change as one: its table, and the description that fits it.

No file system renames two files at once. So the description that is to come is first put beside
as ``.NAME.source.toml.next``. Then the table gets its name, the description, and the record its
entry; last, the announcement is removed. Whoever finds one knows by the table's digest which of
two descriptions fits: readers take that one, and the next ``data add`` finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trackrecord.data.ingest.record import (
    SourceFile,
    announced_file,
    decoded,
    source_file,
    source_text,
)
from trackrecord.data.ingest.store import put
from trackrecord.data.named import source_table
from trackrecord.errors import DataError
from trackrecord.ledger import write_atomic
from trackrecord.ledger.store import file_sha256, fsync_folder

Record = Callable[[SourceFile], object]


def put_pair(root: Path, source: SourceFile, table: Path, record: Record) -> None:
    """Make ``table`` and ``source`` the source of this name, then ``record`` it.

    A process that dies in between leaves the source as it was, or as it is to be.
    """
    announced = announced_file(root, source.name)
    write_atomic(announced, source_text(source).encode())
    try:
        put(table, source_table(root, source.name))
    except OSError:
        announced.unlink(missing_ok=True)
        raise
    _finish(root, source, announced, record)


def finish_pairs(root: Path, record: Record) -> list[str]:
    """Finish what a process that died had begun; returns the names of the sources."""
    found = []
    for announced in announcements(root):
        name = announced.name[1:].removesuffix(".source.toml.next")
        source = _announced(root, announced)
        if source is not None and fits(root, source):
            _finish(root, source, announced, record)
        else:  # the table never came: the source is what it was
            announced.unlink(missing_ok=True)
        found.append(name)
    return found


def announcements(root: Path) -> list[Path]:
    """Sources that were being made when a process died, or that are being made now."""
    return sorted((root / "data").glob(".*.source.toml.next"))


def fits(root: Path, source: SourceFile) -> bool:
    """Whether the table that a description describes is there, unchanged."""
    try:
        return file_sha256(source_table(root, source.name)) == source.parquet
    except OSError:
        return False


def _announced(root: Path, path: Path) -> SourceFile | None:
    try:
        return decoded(path)
    except DataError:
        return None


def _finish(root: Path, source: SourceFile, announced: Path, record: Record) -> None:
    write_atomic(source_file(root, source.name), source_text(source).encode())
    record(source)
    announced.unlink(missing_ok=True)
    fsync_folder(announced.parent)
