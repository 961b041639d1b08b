"""What is known of a built table: ``data/built/NAME.build.toml``, written beside it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, Literal

import msgspec

from trackrecord.data.ingest.record import SourceColumn, toml_value
from trackrecord.errors import DataError
from trackrecord.ledger import write_atomic
from trackrecord.ledger.store import file_sha256

HEAD = """\
# Written by `trackrecord data build`: what the table beside it was made of.
# Without this file the step runs again.
"""
SETTLED_NS = 2_000_000_000


class Input(msgspec.Struct, frozen=True):
    """A table that a step read: SHA-256 of its file, its content digest, its rows."""

    name: str
    parquet: str
    content: str
    rows: int


class BuiltFile(msgspec.Struct, frozen=True, kw_only=True):
    """A built table and all that it depends on.

    ``digest`` is of what the step says; ``contract`` the SHA-256 of its contract's file, empty
    where there is none; ``parquet`` and ``content`` are the table's own digests; ``evidence`` names
    the run.
    """

    build: int = 1
    name: str
    step: str
    kind: Literal["sql", "python"]
    digest: str
    tool: str
    engine: str
    contract: str = ""
    rows: int
    parquet: str
    content: str
    built: str
    evidence: str
    input: list[Input] = []
    column: list[SourceColumn] = []


def build_file(root: Path, name: str) -> Path:
    """Where it is."""
    return root / "data" / "built" / f"{name}.build.toml"


def read_built(root: Path, name: str) -> BuiltFile | None:
    """What is known of a built table; None where nothing is, or where it cannot be read."""
    try:
        text = build_file(root, name).read_bytes()
        return msgspec.toml.decode(text, type=BuiltFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, ValueError):
        # It is made again with the table; nothing in it is a person's.
        return None


def write_built(root: Path, built: BuiltFile) -> None:
    """Write ``data/built/NAME.build.toml``, whole or not at all."""
    plain = msgspec.to_builtins(built)
    tables = {key: plain.pop(key) for key in ("input", "column")}
    lines = [HEAD.rstrip(), *_pairs(plain)]
    for heading, rows in tables.items():
        for row in rows:
            lines += ["", f"[[{heading}]]", *_pairs(row)]
    write_atomic(build_file(root, built.name), ("\n".join(lines) + "\n").encode())


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {toml_value(value)}" for key, value in table.items()]


class Known(msgspec.Struct):
    """A file's digests, and by what they are known to be still its own."""

    size: int
    mtime: int
    ctime: int
    inode: int
    sha256: str
    content: str = ""


class Digests:
    """Digests of table files, remembered by size and times as git does with its index.

    A file that was written less than two seconds before it was looked at is looked at again. The
    memory is ``.trackrecord/tables.json``; without it everything is read once more.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".trackrecord" / "tables.json"
        self.known: dict[str, Known] = {}
        self.unsettled: set[str] = set()
        self.changed = False
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self.known = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Known])

    def parquet(self, path: Path) -> str:
        """The SHA-256 of the file. Raises DataError where it cannot be read."""
        return self._known(path).sha256

    def content(self, path: Path) -> str:
        """The content digest of the table in the file."""
        from trackrecord.data.digest import table_digest

        known = self._known(path)
        if not known.content:
            known.content = table_digest(path).digest
            self.changed = True
        return known.content

    def learn(self, path: Path, content: str) -> None:
        """Remember the content digest of a file that was just written."""
        self._known(path).content = content

    def rows(self, path: Path) -> int:
        """Its rows, as its footer says."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                return int(file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path.name} is damaged",
                where=str(path),
                why=str(error).partition("\n")[0][:200],
                next="make it again: trackrecord data add, or trackrecord data build",
            ) from None

    def save(self) -> None:
        """Remember what was learnt; that it cannot be written loses nothing but time."""
        if not self.changed:
            return
        with contextlib.suppress(Exception):
            self.path.parent.mkdir(exist_ok=True)
            settled = {key: one for key, one in self.known.items() if key not in self.unsettled}
            write_atomic(self.path, msgspec.json.encode(settled))

    def _known(self, path: Path) -> Known:
        key = path.relative_to(self.root).as_posix()
        try:
            stat = path.stat()
        except OSError as error:
            raise DataError(
                f"cannot read {key}", where=str(path), why=error.strerror, next="add it again"
            ) from None
        now = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        known = self.known.get(key)
        if known is not None and (known.size, known.mtime, known.ctime, known.inode) == now:
            return known
        began = time.time_ns()
        digest = file_sha256(path)
        content = known.content if known is not None and known.sha256 == digest else ""
        found = Known(*now, digest, content)
        self.known[key] = found
        self.changed = True
        if began - max(stat.st_mtime_ns, stat.st_ctime_ns) <= SETTLED_NS:
            # Written a moment ago: another write might not show in its times.
            self.unsettled.add(key)
        return found
