"""What is known of a source: ``data/NAME.source.toml``, and its evidence of kind ``ingest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from trackrecord.data.named import NAME, source_table
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import predicate_type, read_chain, read_evidence, write_atomic
from trackrecord.ledger.store import file_sha256

HEAD = """\
# Written by `trackrecord data add`. The bytes as they came are in data/raw, the table is beside
# this file. What is missing here (origin, license) is shown as missing on the data card.
"""


class Seen(msgspec.Struct, frozen=True):
    """A value as it was found, and its row, counted from 1."""

    row: int
    value: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that reading did to values, or could not do.

    ``lost`` says whether the table no longer holds what the file did. ``code`` is stable; ``rows``
    counts the values; ``first`` shows some of them, and never leaves the workspace.
    """

    code: str
    what: str
    rows: int
    column: str | None = None
    lost: bool = False
    first: list[Seen] = []


class SourceColumn(msgspec.Struct, frozen=True):
    """One column of the table: its canonical kind, and how many rows have no value."""

    name: str
    kind: Literal["string", "number", "boolean", "date", "time", "missing"]
    missing: int = 0


class Read(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the raw bytes were read. Same bytes and same options: same table."""

    format: str
    member: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    missing: list[str] = []
    types: dict[str, str] = {}
    table: str | None = None
    query: str | None = None
    skip_bad: bool = False
    phash: bool = False


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A source of the workspace, as its file says."""

    source: int = 1
    name: str
    file: str
    origin: str = ""
    license: str = ""
    added: str = ""
    raw: str
    bytes: int
    files: int = 1
    parquet: str
    rows: int
    read: Read
    column: list[SourceColumn] = []
    note: list[Note] = []


class IngestNote(msgspec.Struct, frozen=True):
    """A note without the values that it shows: evidence holds no data."""

    code: str
    column: str | None
    rows: int
    lost: bool
    first: list[int]


class IngestPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Raw bytes became a table: which, how they were read, and what reading lost.

    ``replaces`` is the SHA-256 of the raw bytes that had the name before.
    """

    tool: str
    source: str
    raw: str
    bytes: int
    files: int
    parquet: str
    rows: int
    read: Read
    columns: list[SourceColumn]
    notes: list[IngestNote] = []
    origin: str = ""
    license: str = ""
    replaces: str | None = None


def checked_name(name: str) -> str:
    """``name`` itself, if a source can be called so."""
    if not NAME.match(name):
        raise BadInput(
            f"{name!r} cannot be the name of a source",
            where="--name",
            why="a name has lower-case letters, digits and _, and starts with a letter",
            next="choose a name like flights or weather_2013",
        )
    return name


def source_file(root: Path, name: str) -> Path:
    """Where a source's file is."""
    return root / "data" / f"{checked_name(name)}.source.toml"


def described(root: Path) -> list[str]:
    """The sources of a workspace that have a description, sorted."""
    found = (root / "data").glob("*.source.toml")
    names = (path.name.removesuffix(".source.toml") for path in found)
    return sorted(name for name in names if NAME.match(name))


def announced_file(root: Path, name: str) -> Path:
    """Where a source's file is while its table is being put in place."""
    return root / "data" / f".{checked_name(name)}.source.toml.next"


def read_source(root: Path, name: str) -> SourceFile | None:
    """What ``data/NAME.source.toml`` says; None where there is none.

    Where a process died, or is, between table and description, it is what fits the table.
    Raises DataError where it is no such file.
    """
    coming = announced_file(root, name)
    if coming.exists():
        try:
            source = decoded(coming)
            if source and file_sha256(source_table(root, name)) == source.parquet:
                return source
        except (DataError, OSError):
            pass  # it was never finished: what there was before stands
    return decoded(source_file(root, name))


def decoded(path: Path) -> SourceFile | None:
    """A source's file; None where there is none. Raises DataError where it is something else."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.toml.decode(text, type=SourceFile)
    except (msgspec.MsgspecError, ValueError, UnicodeDecodeError) as error:
        name = path.name.partition(".")[0]
        raise DataError(
            f"{path.name} is not what `trackrecord data add` writes",
            where=f"data/{path.name}",
            why=str(error)[:300],
            next=f"add the source again: trackrecord data add FILE --name {name} --replace",
        ) from None


def last_recorded(root: Path, name: str) -> dict[str, Any] | None:
    """What the ledger's latest evidence about a source says; None where there is none."""
    kind = predicate_type("ingest")
    for entry in reversed(read_chain(root / "evidence")):
        if entry.kind == "ingest" and entry.evidence is not None:
            statement = read_evidence(root / "evidence", entry.evidence)
            if statement.predicateType == kind and statement.predicate.get("source") == name:
                return dict(statement.predicate)
    return None


def write_source(root: Path, source: SourceFile) -> None:
    """Write ``data/NAME.source.toml``, whole or not at all."""
    write_atomic(source_file(root, source.name), source_text(source).encode())


def source_text(source: SourceFile) -> str:
    """A source as TOML: what a person may edit (origin, license) first."""
    plain = msgspec.to_builtins(source)
    read, columns, notes = plain.pop("read"), plain.pop("column"), plain.pop("note")
    lines = [HEAD.rstrip(), *_pairs(plain), "", "[read]", *_pairs(read)]
    for heading, tables in (("column", columns), ("note", notes)):
        for table in tables:
            lines += ["", f"[[{heading}]]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {toml_value(value)}" for key, value in table.items() if value is not None]


def toml_value(value: Any) -> str:
    """A value on one line of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_text(k)} = {toml_value(v)}" for k, v in value.items())
        return "{ " + inner + " }" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return toml_text(value) if isinstance(value, str) else str(value)


def toml_text(text: str) -> str:
    """A basic string of TOML: JSON's, with the one control that JSON leaves bare."""
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
