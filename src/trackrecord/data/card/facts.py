"""What is known of a source without asking anybody."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.data.ingest.record import SourceColumn, SourceFile, described, read_source
from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.ledger.store import file_sha256

RANGED = ("number", "date", "time", "boolean")


class Field(msgspec.Struct, frozen=True):
    """A column, and the ends of its range as text; None where it has none that may be shown."""

    name: str
    kind: str
    whole: bool
    missing: int
    low: str | None
    high: str | None


class Version(msgspec.Struct, frozen=True):
    """One entry of the chain about the source."""

    time: str
    raw: str
    rows: int


class Facts(msgspec.Struct, frozen=True):
    """A source, its columns with their ranges, its versions, and the cases that use it."""

    source: SourceFile
    size: int
    fields: list[Field]
    versions: list[Version]
    cases: list[str]


def chosen_source(root: Path, name: str | None) -> SourceFile:
    """The source with this name, or the only one. Raises BadInput where there is none."""
    names = described(root)
    if name is None:
        if len(names) == 1:
            name = names[0]
        elif not names:
            raise BadInput(
                "this workspace has no source yet", next="trackrecord data add FILE --name NAME"
            )
        else:
            raise BadInput(
                "which source?",
                why=f"there are {len(names)}: {', '.join(names[:20])}",
                next=f"name one of them: trackrecord data card {names[0]}",
            )
    source = read_source(root, name)
    if source is None:
        near = suggest(name, names)
        raise BadInput(
            f"there is no source {name!r} in this workspace",
            why=f"did you mean {near!r}?" if near else f"sources: {', '.join(names) or 'none yet'}",
            next=f"trackrecord data add FILE --name {name}",
        )
    return source


def known_facts(root: Path, source: SourceFile) -> Facts:
    """Everything that the workspace says of a source.

    Raises DataError where its table is not the one that was made of it.
    """
    path = root / "data" / f"{source.name}.parquet"
    try:
        same = file_sha256(path) == source.parquet
    except FileNotFoundError:
        same = False
    if not same:
        raise DataError(
            f"data/{source.name}.parquet is not the table that was made of this source",
            where=f"data/{source.name}.source.toml",
            why="its SHA-256 is another, or it is gone",
            next=f"add the source again: trackrecord data add FILE --name {source.name} --replace",
        )
    return Facts(
        source=source,
        size=path.stat().st_size,
        fields=fields_of(path, source.column),
        versions=versions_of(root, source.name),
        cases=cases_of(root, source.name),
    )


def fields_of(path: Path, columns: list[SourceColumn]) -> list[Field]:
    """Columns with their ranges, from the file's own statistics: no row is read.

    Text has no range here: its ends would be somebody's name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        metadata, schema = file.metadata, file.schema_arrow
    found = []
    for index, column in enumerate(columns):
        low = high = None
        if column.kind in RANGED:
            low, high = _ends(metadata, index)
        whole = pa.types.is_integer(schema.field(index).type)
        found.append(
            Field(column.name, column.kind, whole, column.missing, _shown(low), _shown(high))
        )
    return found


def _ends(metadata: Any, index: int) -> tuple[Any, Any]:
    lows, highs = [], []
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(index).statistics
        if statistics is not None and statistics.has_min_max:
            lows.append(statistics.min)
            highs.append(statistics.max)
    return (min(lows), max(highs)) if lows else (None, None)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M") + (" UTC" if value.tzinfo else "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def versions_of(root: Path, name: str) -> list[Version]:
    """Each time that bytes were given this name, oldest first."""
    found: list[Version] = []
    for entry in read_chain(root / "evidence"):
        if entry.kind != "ingest" or entry.evidence is None:
            continue
        said = read_evidence(root / "evidence", entry.evidence).predicate
        if said.get("source") == name and (not found or found[-1].raw != said["raw"]):
            found.append(Version(entry.time, said["raw"], int(said["rows"])))
    return found


def cases_of(root: Path, name: str) -> list[str]:
    """The cases whose file names the source's table."""
    wanted = f'"data/{name}.parquet"'
    paths = sorted((root / "cases").glob("*/case.toml"))
    return [path.parent.name for path in paths if wanted in path.read_text("utf-8", "replace")]
