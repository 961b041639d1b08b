"""The index: a SQLite cache of the chain's entries, so that `trackrecord status` starts at once.

The chain is the truth. The cache may be deleted, old, corrupt or unwritable at any time: it is
then rebuilt, or done without. While the chain only grows, only its new lines are read. Imports
neither msgspec nor numpy.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

FORMAT = 1
# A chain changed this recently could change again without a change of its file's time.
_RACY_NANOSECONDS = 50_000_000

_SCHEMA = """
DROP TABLE IF EXISTS entries;
DROP TABLE IF EXISTS chain;
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL,
  "case" TEXT NOT NULL, evidence TEXT NOT NULL
);
CREATE TABLE chain (
  size INTEGER NOT NULL, modified INTEGER NOT NULL, head TEXT NOT NULL, next INTEGER NOT NULL,
  last BLOB NOT NULL, checksum INTEGER NOT NULL
);
"""

# time, kind, case, evidence; "" where there is none
_Row = tuple[str, str, str, str]


class IndexedEntry:
    """An entry of the chain without its links."""

    __slots__ = ("case", "evidence", "kind", "seq", "time")

    def __init__(self, seq: int, time: str, kind: str, case: str, evidence: str) -> None:
        self.seq = seq
        self.time = time
        self.kind = kind
        self.case = case or None
        self.evidence = evidence or None

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"IndexedEntry({said})"


class _Known:
    """What the cache holds, and up to where in the chain's file.

    ``last`` is the last line, by which a chain that only grew is known again; ``modified`` is the
    file's time in ns, or −1 when that was too young to trust.
    """

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.size = 0
        self.modified = -1
        self.head = "0" * 64
        self.next = 0
        self.last = b""
        self.checksum = 0
        self.stored = 0  # how many rows the cache already holds

    def add(self, rows: list[_Row]) -> None:
        self.rows += rows
        self.checksum = _checksum(rows, self.checksum)


def entries_of(evidence: Path, index_path: Path) -> list[IndexedEntry]:
    """The chain's entries, in order, through the cache at ``index_path``.

    New lines are checked as `read_chain` does. Lines that were checked before are not, as long as
    the file's size and time are the same, or the last of them still is where it was. Raises
    LedgerError when what is new is torn, changed, forked or incomplete.
    """
    path = evidence / "chain.jsonl"
    try:
        status = path.stat()
    except FileNotFoundError:
        return _without_chain(evidence)
    known = _read(index_path)
    if known is None or status.st_size < known.size or not _still_there(path, known):
        known = _Known()
    elif status.st_size == known.size:
        if status.st_mtime_ns == known.modified:
            return _entries(known.rows)
        known = _Known()
    before = known.size
    known = _caught_up(evidence, path, known)
    age = time.time_ns() - status.st_mtime_ns
    settled = known.size == status.st_size and age > _RACY_NANOSECONDS
    known.modified = status.st_mtime_ns if settled else -1
    if not _write(index_path, known, before):
        _delete(index_path)
        _write(index_path, known, before)
    return _entries(known.rows)


def _entries(rows: Iterable[_Row]) -> list[IndexedEntry]:
    return [IndexedEntry(seq, *row) for seq, row in enumerate(rows)]


def _without_chain(evidence: Path) -> list[IndexedEntry]:
    if any(evidence.glob("*.json")):
        from trackrecord.ledger.chain import refuse_lost_chain

        refuse_lost_chain(evidence)
    return []


def _still_there(path: Path, known: _Known) -> bool:
    """Whether the last line that the cache knows still is where it was."""
    if not known.last:
        return known.size == 0
    with path.open("rb") as file:
        file.seek(known.size - len(known.last))
        return file.read(len(known.last)) == known.last


def _caught_up(evidence: Path, path: Path, known: _Known) -> _Known:
    """``known``, and all lines of the chain below it."""
    from trackrecord.ledger.lines import NotStraight, straight, texts

    try:
        with path.open("rb") as file:
            file.seek(known.size)
            for columns in straight(file, head=known.head, seq=known.next):
                cases = (case or "" for case in columns.cases())
                kinds, evidences = texts(columns.kind), texts(columns.evidence)
                rows = zip(texts(columns.time), kinds, cases, evidences, strict=True)
                known.add(list(rows))
                known.head = columns.digest[-1].decode()
                known.next = columns.seq + len(columns.digest)
            known.size = file.tell()
            known.last = _last_line(path, known.size)
        return known
    except NotStraight:
        return _read_slowly(evidence, path)


def _read_slowly(evidence: Path, path: Path) -> _Known:
    """The whole chain, read again: it has a merge, or something is wrong, which this raises."""
    from trackrecord.ledger.chain import settled_branches, whole_entries

    branches = settled_branches(path)
    entries = whole_entries(evidence, branches)
    known = _Known()
    known.add([(e.time, e.kind, e.case or "", e.evidence or "") for e in entries])
    known.size = sum(len(row.raw) for row in branches.rows)
    if entries:
        known.head, known.next = entries[-1].digest, branches.rows[-1].seq + 1
        known.last = branches.rows[-1].raw
    return known


def _last_line(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        start = max(0, size - 4096)
        file.seek(start)
        tail = file.read(size - start)
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]


def _checksum(rows: list[_Row], before: int) -> int:
    # SQLite does not notice a flipped bit in a row; this does.
    return zlib.crc32("".join(map("%s %s %s %s\n".__mod__, rows)).encode(), before)


def _read(index_path: Path) -> _Known | None:
    """The cache, or None where there is none that can be trusted."""
    if not index_path.exists():
        return None
    try:
        connection = sqlite3.connect(f"{index_path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return None
    try:
        connection.execute("BEGIN")  # one snapshot for both tables
        if connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            return None
        found = connection.execute("SELECT * FROM chain").fetchall()
        rows = connection.execute('SELECT time, kind, "case", evidence FROM entries ORDER BY seq')
        known = _Known()
        known.rows = rows.fetchall()
        ((known.size, known.modified, known.head, known.next, known.last, known.checksum),) = found
        if _checksum(known.rows, 0) != known.checksum:
            return None
        known.stored = len(known.rows)
        return known
    except (sqlite3.Error, ValueError, TypeError, OverflowError):
        return None
    finally:
        connection.close()


def _write(index_path: Path, known: _Known, before: int) -> bool:
    """Bring the cache up to ``known``, which grew from a cache of ``before`` bytes of the chain.

    A cache that cannot be written is done without; False says that it is corrupt.
    """
    try:
        index_path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(index_path, timeout=2, isolation_level=None)
    except (sqlite3.Error, OSError):
        return True
    try:
        connection.execute("PRAGMA synchronous = OFF")  # a cache that a power cut spoils is rebuilt
        connection.execute("BEGIN IMMEDIATE")
        stored = known.stored
        if stored and connection.execute("SELECT size FROM chain").fetchone() != (before,):
            return True  # another process was quicker
        if not stored:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?)",
            ((seq, *known.rows[seq]) for seq in range(stored, len(known.rows))),
        )
        connection.execute("DELETE FROM chain")
        connection.execute(
            "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)",
            (known.size, known.modified, known.head, known.next, known.last, known.checksum),
        )
        connection.execute("COMMIT")
        return True
    except sqlite3.OperationalError:
        return True  # locked, read-only or full
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _delete(index_path: Path) -> None:
    for end in ("", "-journal"):
        try:
            os.unlink(f"{index_path}{end}")
        except OSError:
            continue
