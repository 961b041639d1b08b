"""A source's bytes kept, and read again from where they are kept: what is converted is kept."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, cast

import msgspec

from trackrecord.data.ingest import pictures
from trackrecord.data.ingest.alike import can_hash
from trackrecord.data.ingest.archive import names_in, only_table, unpacking
from trackrecord.data.ingest.convert import Batches
from trackrecord.data.ingest.folders import Entry, Files, Kept, walk
from trackrecord.data.ingest.postgres import asked, shown_address
from trackrecord.data.ingest.recognise import LINES, form_of_bytes, suffix_of
from trackrecord.data.ingest.record import Read
from trackrecord.data.ingest.store import Store, raw_file, temporary
from trackrecord.errors import DataError


class Raw(NamedTuple):
    """The bytes of a source in data/raw: of a folder, its files, and their list is the digest.

    ``read`` says how they are read; ``as_written`` are columns of types that only a server knows.
    """

    digest: str
    size: int
    read: Read
    files: list[Kept] = []
    links: list[str] = []
    as_written: list[str] = []


def called(given: Path | str) -> str:
    """What a person calls a file, or a server: without its password."""
    return given.name if isinstance(given, Path) else shown_address(given)


def keep(store: Store, given: Path | str, read: Read) -> Raw:
    """Copy a file, a folder or an answer into data/raw.

    Raises OSError, and DataError for a file that is being written.
    """
    if isinstance(given, str):
        with asked(given, str(read.query)) as answer:
            digest, size = store.keep(cast("BinaryIO", answer.rows))
            read = msgspec.structs.replace(read, types={**answer.kinds, **read.types})
        return Raw(digest, size, read, as_written=answer.as_written)
    if read.format == "folder":
        entries, links = walk(given)
        read = _hashed(read, [entry.path for entry in entries])
        files = _keep_each(store, entries)
        lines = "".join(f"{file.digest}  {file.path}\n" for file in files)
        digest, _ = store.keep(io.BytesIO(lines.encode("utf-8", "surrogateescape")))
        return Raw(digest, sum(file.size for file in files), read, files, links)
    if read.format == "zip":
        read = _hashed(read, names_in(given))
    _refuse_written(given, read)
    before = given.stat()
    with given.open("rb") as file:
        digest, size = store.keep(file)
    after = given.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(
            f"{given.name} changed while it was read",
            where=str(given),
            why=f"it had {before.st_size:,} bytes and has {after.st_size:,}: it is still written",
            next="wait for the program that writes it, then type the same command again",
        )
    return Raw(digest, size, read)


def _hashed(read: Read, paths: list[str]) -> Read:
    """With the hashing of pictures, where there are some and they can be decoded."""
    some = any(PurePosixPath(path).suffix.lower() in pictures.ENDINGS for path in paths)
    return msgspec.structs.replace(read, phash=some and can_hash())


def _refuse_written(given: Path, read: Read) -> None:
    """A database part of which is in a log beside it would lose that part."""
    log = {"sqlite": f"{given.name}-wal", "duckdb": f"{given.name}.wal"}.get(read.format)
    if log and given.with_name(log).exists():
        raise DataError(
            f"{given.name} is being written: part of it is in {log}",
            where=str(given),
            next="close the program that writes it, or: sqlite3 FILE 'PRAGMA wal_checkpoint'"
            if read.format == "sqlite"
            else "close the program that writes it, or: duckdb FILE -c CHECKPOINT",
        )


def _keep_each(store: Store, entries: list[Entry]) -> list[Kept]:
    files = []
    for entry in entries:
        with entry.open() as file:
            files.append(Kept(entry.path, *store.keep(file)))
    return files


@contextlib.contextmanager
def opened_raw(store: Store, where: str, raw: Raw) -> Iterator[Batches]:
    """The kept bytes as batches; ``where`` is what a person calls them."""
    root, path, read = store.root, raw_file(store.root, raw.digest), raw.read
    if read.format == "folder":
        yield Files(root, where, read, raw.files, raw.links)
        return
    if read.format != "zip":
        yield opened_file(path, where, read)
        return
    with unpacking(path, where) as entries:
        entry = only_table(entries)
        if entry is None:
            plain = [e for e in entries if "/." not in f"/{e.path}"]
            raw.files.extend(_keep_each(store, plain))
            yield Files(root, where, read, raw.files, [])
            return
        member = PurePosixPath(entry.path)
        with temporary(root / "data" / member.name) as unpacked:
            with entry.open() as file, unpacked.open("wb") as copy:
                while data := file.read(1 << 20):
                    copy.write(data)
            inner = _inner(unpacked, member, read)
            yield opened_file(unpacked, f"{where}: {entry.path}", inner)


def _inner(unpacked: Path, member: PurePosixPath, read: Read) -> Read:
    """The options for the table in an archive, whose temporary name has no ending."""
    with unpacked.open("rb") as file:
        form = form_of_bytes(file.read(16))
    if form is None:
        form = "jsonl" if suffix_of(member) in LINES else "csv"
        if suffix_of(member) in (".tsv", ".tab") and read.delimiter is None:
            read = msgspec.structs.replace(read, delimiter="\t")
    return msgspec.structs.replace(read, format=form)


def opened_file(path: Path, where: str, read: Read) -> Batches:
    """A file as batches; only the reader it needs is loaded."""
    if read.format in ("csv", "postgres"):
        from trackrecord.data.ingest.delimited import Delimited

        return Delimited(path, where, read)
    if read.format == "jsonl":
        from trackrecord.data.ingest.jsonl import JsonLines

        return JsonLines(path, where, read)
    if read.format == "sqlite":
        from trackrecord.data.ingest.databases import Sqlite

        return Sqlite(path, where, read)
    if read.format == "duckdb":
        from trackrecord.data.ingest.ducks import Duck

        return Duck(path, where, read)
    from trackrecord.data.ingest.arrowed import Arrowed

    return Arrowed(path, where, "parquet" if read.format == "parquet" else "ipc")
