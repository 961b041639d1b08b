"""``trackrecord data add``: keep the bytes, make the table, write down how, record it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from trackrecord.data.ingest.convert import Converted, convert
from trackrecord.data.ingest.opening import called, keep, opened_raw
from trackrecord.data.ingest.pair import announcements, finish_pairs, fits, put_pair
from trackrecord.data.ingest.recognise import settled
from trackrecord.data.ingest.record import (
    IngestNote,
    IngestPredicate,
    Note,
    Read,
    SourceFile,
    checked_name,
    last_recorded,
    read_source,
    write_source,
)
from trackrecord.data.ingest.store import Store, alone, temporary
from trackrecord.data.named import source_table
from trackrecord.errors import BadInput
from trackrecord.ledger import Entry, Subject, record
from trackrecord.ledger.store import file_sha256, fsync

Step = Callable[[str, float], None]


class Added(NamedTuple):
    """What came of it. ``changes`` says how a replaced source differs from the one before."""

    state: Literal["added", "unchanged", "described", "replaced"]
    source: SourceFile
    changes: list[str]
    entry: Entry | None


def add(
    root: Path,
    given: Path | str,
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
    """Make ``given``, a file, a folder or a server's address, the source ``name`` of ``root``.

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
    read = settled(given, read)
    store = Store(root)
    with alone(root), _forgetting(store):
        finish_pairs(root, lambda source: _recorded_or_record(root, source, tool))
        before = read_source(root, name)
        step("keeping the bytes", 0.05)
        raw = keep(store, given, read)
        read = raw.read
        same = before is not None and before.raw == raw.digest and before.read == read
        if before is not None and same and fits(root, before):
            return _described(root, before, origin, license, tool)
        _refuse_taken(root, name, before, raw.digest, replace or same)
        with temporary(source_table(root, name)) as path:
            with opened_raw(store, called(given), raw) as batches:
                made = convert(batches, path, read.types, step)
            step("writing it down", 0.95)
            parquet = _finish(path)
            source = SourceFile(
                name=name,
                file=called(given),
                origin=_kept(origin, before.origin if before else None),
                license=_kept(license, before.license if before else None),
                added=now,
                raw=raw.digest,
                bytes=raw.size,
                files=max(1, len(raw.files)),
                parquet=parquet,
                rows=made.rows,
                read=read,
                column=made.columns,
                note=[*made.notes, *_as_written(raw.as_written, made)],
            )
            entries: list[Entry] = []
            put_pair(root, source, path, lambda made: entries.append(_record(root, made, tool)))
            store.new.clear()
    if before is None or same:
        return Added("added", source, [], entries[0])
    return Added("replaced", source, changes(before, source), entries[0])


@contextlib.contextmanager
def _forgetting(store: Store) -> Iterator[None]:
    """Bytes of which no source came are not kept; unless a table was made of them already."""
    try:
        yield
    finally:
        if not announcements(store.root):
            store.forget()


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


def _kept(given: str | None, before: str | None) -> str:
    return given if given is not None else (before or "")


def _as_written(names: list[str], made: Converted) -> list[Note]:
    """Notes of columns whose types only a server knows."""
    what = "is of a type of the server's own, and is kept as the text that it writes"
    missing = {column.name: column.missing for column in made.columns}
    return [
        Note(code="as_written", what=what, rows=made.rows - missing[name], column=name)
        for name in names
    ]


def _finish(path: Path) -> str:
    """The SHA-256 of a file whose bytes are on the disk by then."""
    with path.open("rb+") as file:
        fsync(file.fileno())
    return file_sha256(path)


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
        return Added("described", said, [], _record(root, said, tool))
    # A person may have taken the record back, such as with git.
    return Added("unchanged", source, [], _recorded_or_record(root, source, tool))


def _recorded_or_record(root: Path, source: SourceFile, tool: str) -> Entry | None:
    """Record a source; None where it is in the record already."""
    said = last_recorded(root, source.name)
    if said is not None and said.get("parquet") == source.parquet:
        return None
    return _record(root, source, tool)


def _record(root: Path, source: SourceFile, tool: str) -> Entry:
    last = last_recorded(root, source.name)
    replaced = last["raw"] if last is not None and last["raw"] != source.raw else None
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
        replaces=replaced,
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
