"""``trackrecord data add``: keep the bytes, make the table, write down how, record it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import msgspec

from trackrecord.data.ingest.archive import only_table, unpacking
from trackrecord.data.ingest.convert import Batches, convert
from trackrecord.data.ingest.folders import Files, Kept, walk
from trackrecord.data.ingest.record import (
    IngestNote,
    IngestPredicate,
    Read,
    SourceFile,
    checked_name,
    read_source,
    write_source,
)
from trackrecord.data.ingest.store import alone, keep_raw, put, raw_file, temporary
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import Entry, Subject, predicate_type, read_chain, read_evidence, record
from trackrecord.ledger.store import file_sha256, fsync

READABLE = (
    "CSV, TSV and JSON lines (also .gz), Parquet, Arrow IPC, SQLite and DuckDB files, folders and "
    "zip files of pictures or texts"
)
TEXT = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ","}
LINES = (".jsonl", ".ndjson", ".jsonlines")
Step = Callable[[str, float], None]


class Added(NamedTuple):
    """What came of it. ``changes`` says how a replaced source differs from the one before."""

    state: Literal["added", "unchanged", "described", "replaced"]
    source: SourceFile
    changes: list[str]
    entry: Entry | None


def add(
    root: Path,
    given: Path,
    name: str,
    read: Read,
    *,
    origin: str | None,
    license: str | None,
    replace: bool,
    tool: str,
    now: str,
    step: Step = lambda what, share: None,
) -> Added:
    """Make the file or folder ``given`` the source ``name`` of the workspace ``root``.

    ``read`` has the options that were typed; its format is filled in here. The same bytes with the
    same options change nothing.

    Raises
    ------
    BadInput
        For a name that is taken, where ``replace`` is False, and for options that do not fit.
    DataError
        For what is no table, with line, byte or row.
    """
    checked_name(name)
    if str(given).startswith(("postgres:/", "postgresql:/")):
        raise BadInput(
            "a database server is not read from here",
            why="the rows of a source have to be bytes that can be kept",
            next=r"""export them: psql URL -c "\copy (SELECT …) to 'rows.csv' csv header\"""",
        )
    read = settled(given, read)
    with alone(root):
        before = read_source(root, name)
        step("keeping the bytes", 0.05)
        raw, size, files, links = _keep(root, given, read)
        same = before is not None and before.raw == raw and before.read == read
        if before is not None and same and _whole(root, before):
            return _described(root, before, origin, license, tool)
        _refuse_taken(root, name, before, raw, replace or same)
        target = root / "data" / f"{name}.parquet"
        with temporary(target) as path:
            with _open(root, given, read, raw, files, links) as batches:
                made = convert(batches, path, read.types, step)
            step("writing it down", 0.95)
            parquet = _finish(path)
            source = SourceFile(
                name=name,
                file=given.name,
                origin=_kept(origin, before.origin if before else None),
                license=_kept(license, before.license if before else None),
                added=now,
                raw=raw,
                bytes=size,
                files=max(1, len(files)),
                parquet=parquet,
                rows=made.rows,
                read=read,
                column=made.columns,
                note=made.notes,
            )
            # The description first: a table is never there without one, and one that does not fit
            # its table is seen by its digest.
            write_source(root, source)
            put(path, target)
        replaced = before if before is not None and not same else None
        entry = _record(root, source, replaced.raw if replaced else None, tool)
    if before is None or same:
        return Added("added", source, [], entry)
    return Added("replaced", source, changes(before, source), entry)


def settled(given: Path, read: Read) -> Read:
    """The options with the format that the first bytes and the name say."""
    form = form_of_file(given)
    if form == "csv" and read.delimiter is None:
        suffix = _suffix(given)
        read = msgspec.structs.replace(read, delimiter=TEXT.get(suffix, ","))
        if suffix not in (".tsv", ".tab"):
            read = msgspec.structs.replace(read, delimiter=None)
    options = {
        "--delimiter": (read.delimiter, ("csv", "zip")),
        "--encoding": (read.encoding, ("csv", "zip", "folder")),
        "--missing": (read.missing, ("csv", "zip")),
        "--table": (read.table, ("sqlite", "duckdb")),
        "--query": (read.query, ("sqlite", "duckdb")),
    }
    for option, (value, forms) in options.items():
        if value and form not in forms:
            raise BadInput(
                f"{option} says nothing of a {form} file",
                where=given.name,
                why=f"it is for {' and '.join(forms)}",
                next=f"leave {option} out",
            )
    if read.table and read.query:
        raise BadInput("--table and --query both say which rows", next="give one of them")
    return msgspec.structs.replace(read, format=form)


def form_of_file(given: Path) -> str:
    """Which reader a path needs. Raises DataError for one that nothing reads."""
    if given.is_dir():
        return "folder"
    if not given.exists():
        raise DataError(f"there is no file {given.name}", where=str(given), next="correct the path")
    if not given.is_file():
        raise DataError(
            f"{given.name} is no plain file",
            where=str(given),
            why="it is a pipe, a socket or a device",
            next="write what comes out of it to a file, and name that",
        )
    with given.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise DataError(
            f"{given.name} is empty",
            where=str(given),
            why="it has 0 bytes",
            next="export the table again, with a header and rows",
        )
    suffix = _suffix(given)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    if start.startswith(b"SQLite format 3\0"):
        return "sqlite"
    if start[8:12] == b"DUCK":
        return "duckdb"
    if start.startswith(b"PK\x03\x04") and suffix not in (".xlsx", ".ods", ".docx"):
        return "zip"
    if suffix in LINES:
        return "jsonl"
    if suffix in TEXT and not start.startswith(b"PK"):
        return "csv"
    advice = {
        ".xlsx": "save the sheet as CSV, and add that",
        ".ods": "save the sheet as CSV, and add that",
        ".xls": "save the sheet as CSV, and add that",
        ".json": "write each record on a line of its own: jq -c '.[]' FILE > FILE.jsonl",
        ".parquet": "write the file again: its first bytes are not those of its format",
        ".arrow": "write the file again: its first bytes are not those of its format",
    }.get(suffix, "save the table in one of these formats, with the ending that belongs to it")
    raise DataError(
        f"{given.name} is not data that can be read",
        where=str(given),
        why=f"readable are {READABLE}",
        next=advice,
    )


def changes(before: SourceFile, after: SourceFile) -> list[str]:
    """In words, how a source differs from the one that had its name."""
    found = []
    if before.raw != after.raw:
        found.append(f"bytes: {before.bytes:,} → {after.bytes:,}, other content")
    if before.read != after.read:
        found.append("read with other options")
    if before.rows != after.rows:
        found.append(f"rows: {before.rows:,} → {after.rows:,} ({after.rows - before.rows:+,})")
    old = {column.name: column.kind for column in before.column}
    new = {column.name: column.kind for column in after.column}
    found += [f"column gone: {name}" for name in old if name not in new]
    found += [f"column new: {name} ({kind})" for name, kind in new.items() if name not in old]
    for name, kind in new.items():
        if name in old and old[name] != kind:
            found.append(f"column {name}: {old[name]} → {kind}")
    return found


def _suffix(path: Path | PurePosixPath) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _kept(given: str | None, before: str | None) -> str:
    return given if given is not None else (before or "")


def _keep(root: Path, given: Path, read: Read) -> tuple[str, int, list[Kept], list[str]]:
    """The raw bytes into data/raw: (digest, bytes, files, links)."""
    if read.format == "folder":
        entries, links = walk(given)
        files = _keep_each(root, entries)
        lines = "".join(f"{file.digest}  {file.path}\n" for file in files)
        digest, _ = keep_raw(root, io.BytesIO(lines.encode("utf-8", "surrogateescape")))
        return digest, sum(file.size for file in files), files, links
    if read.format == "sqlite" and given.with_name(f"{given.name}-wal").exists():
        raise DataError(
            f"{given.name} is being written: part of it is in {given.name}-wal",
            where=str(given),
            next="close the program that writes it, or: sqlite3 FILE 'PRAGMA wal_checkpoint'",
        )
    with given.open("rb") as file:
        digest, size = keep_raw(root, file)
    return digest, size, [], []


def _keep_each(root: Path, entries: list[Any]) -> list[Kept]:
    files = []
    for entry in entries:
        with entry.open() as file:
            files.append(Kept(entry.path, *keep_raw(root, file)))
    return files


@contextlib.contextmanager
def _open(
    root: Path, given: Path, read: Read, raw: str, files: list[Kept], links: list[str]
) -> Iterator[Batches]:
    """The kept bytes as batches: what is converted is what is kept."""
    where, path = given.name, raw_file(root, raw)
    if read.format == "folder":
        yield Files(root, where, read, files, links)
        return
    if read.format != "zip":
        yield opened_file(path, where, read)
        return
    with unpacking(path, where) as entries:
        entry = only_table(entries)
        if entry is None:
            files.extend(_keep_each(root, [e for e in entries if "/." not in f"/{e.path}"]))
            yield Files(root, where, read, files, [])
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
        start = file.read(16)
    form = "csv"
    if start.startswith(b"PAR1"):
        form = "parquet"
    elif start.startswith(b"ARROW1"):
        form = "arrow"
    elif start.startswith(b"SQLite format 3\0"):
        form = "sqlite"
    elif _suffix(member) in LINES:
        form = "jsonl"
    elif _suffix(member) in (".tsv", ".tab") and read.delimiter is None:
        read = msgspec.structs.replace(read, delimiter="\t")
    return msgspec.structs.replace(read, format=form)


def opened_file(path: Path, where: str, read: Read) -> Batches:
    """A file as batches; only the reader it needs is loaded."""
    if read.format == "csv":
        from trackrecord.data.ingest.delimited import Delimited

        return Delimited(path, where, read)
    if read.format == "jsonl":
        from trackrecord.data.ingest.jsonl import JsonLines

        return JsonLines(path, where, read)
    if read.format in ("sqlite", "duckdb"):
        from trackrecord.data.ingest.databases import Duck, Sqlite

        return (Sqlite if read.format == "sqlite" else Duck)(path, where, read)
    from trackrecord.data.ingest.arrowed import Arrowed

    return Arrowed(path, where, "parquet" if read.format == "parquet" else "ipc")


def _finish(path: Path) -> str:
    """The SHA-256 of a file whose bytes are on the disk by then."""
    with path.open("rb+") as file:
        fsync(file.fileno())
    return file_sha256(path)


def _whole(root: Path, source: SourceFile) -> bool:
    """Whether the table that a source's file describes is there, unchanged."""
    try:
        return file_sha256(root / "data" / f"{source.name}.parquet") == source.parquet
    except OSError:
        return False


def _refuse_taken(
    root: Path, name: str, before: SourceFile | None, raw: str, replace: bool
) -> None:
    target = f"data/{name}.parquet"
    if before is None and (root / target).exists():
        raise BadInput(
            f"there is a table {target} that this command did not make",
            where=target,
            why="it would be written over",
            next="choose another --name, or move that file",
        )
    if before is None or replace:
        return
    what = "other bytes" if before.raw != raw else "the same bytes, read with other options"
    raise BadInput(
        f"the name {name!r} is taken",
        where=f"data/{name}.source.toml",
        why=f"it is {before.file} of {before.rows:,} rows; these are {what}",
        next="choose another --name, or replace it: type the command again with --replace",
    )


def _described(
    root: Path, source: SourceFile, origin: str | None, license: str | None, tool: str
) -> Added:
    """The same bytes again: nothing changes but what is said about them."""
    said = msgspec.structs.replace(
        source, origin=_kept(origin, source.origin), license=_kept(license, source.license)
    )
    if said != source:
        write_source(root, said)
        return Added("described", said, [], _record(root, said, None, tool))
    # Whoever added it may have died before it was in the record.
    entry = None if _recorded(root, source) else _record(root, source, None, tool)
    return Added("unchanged", source, [], entry)


def _recorded(root: Path, source: SourceFile) -> bool:
    kind = predicate_type("ingest")
    for entry in reversed(read_chain(root / "evidence")):
        if entry.kind == "ingest" and entry.evidence is not None:
            statement = read_evidence(root / "evidence", entry.evidence)
            said = statement.predicate
            if statement.predicateType == kind and said.get("source") == source.name:
                return bool(said.get("parquet") == source.parquet)
    return False


def _record(root: Path, source: SourceFile, replaces: str | None, tool: str) -> Entry:
    predicate = IngestPredicate(
        tool=tool,
        source=source.name,
        raw=source.raw,
        bytes=source.bytes,
        files=source.files,
        parquet=source.parquet,
        rows=source.rows,
        read=source.read,
        columns=source.column,
        notes=[
            IngestNote(n.code, n.column, n.rows, n.lost, [seen.row for seen in n.first])
            for n in source.note
        ],
        origin=source.origin,
        license=source.license,
        replaces=replaces,
    )
    subjects = [
        Subject(name=f"data/raw/{source.raw}", digest={"sha256": source.raw}),
        Subject(name=f"data/{source.name}.parquet", digest={"sha256": source.parquet}),
    ]
    return record(
        root / "evidence",
        kind="ingest",
        predicate=predicate,
        subjects=subjects,
        case=None,
        lock_path=root / ".trackrecord" / "lock",
    )
