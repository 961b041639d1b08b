"""``trackrecord data add``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.printing import counted, progress, say, say_next, table
from trackrecord.errors import BadInput
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.data.ingest.record import Note, SourceFile

SHOWN = 40

DESCRIPTION = (
    "Keep a file's bytes as they are, and make a Parquet table of them, in types that fit every\n"
    "row. What reading lost is counted and shown. Files larger than memory are read in blocks."
)

EPILOG = (
    "examples:\n"
    "  trackrecord data add flights.csv.gz --name flights --license CC0-1.0\n"
    "  trackrecord data add shop.sqlite --name orders --query 'SELECT * FROM orders'\n"
    "  trackrecord data add photos/ --name photos     folders are labels, or labels.csv\n"
    "  trackrecord data add postgresql://ada@host/shop --name paid --query 'SELECT …'\n"
    "  trackrecord data add trips.csv --name trips --type 'day=date:%d.%m.%Y'\n\n"
    "The same bytes again change nothing. Other bytes under a taken name need --replace."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help="CSV, TSV, JSON lines, Parquet, Arrow, SQLite, DuckDB, a zip, a folder of pictures or "
        "texts, or the address of a Postgres server",
    )
    parser.add_argument(
        "--name", metavar="NAME", required=True, help="what the source is called from now on"
    )
    parser.add_argument("--origin", metavar="URL", help="where the data is from")
    parser.add_argument("--license", metavar="SPDX", help="what may be done with it, e.g. CC0-1.0")
    parser.add_argument("--replace", action="store_true", help="give a taken name to these bytes")
    group = parser.add_argument_group("how it is read")
    group.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="COLUMN=KIND",
        help="string, number, boolean, date or time, whatever the values; what does not fit "
        "becomes missing, counted; date:PATTERN and time:PATTERN for another order",
    )
    group.add_argument("--delimiter", metavar="MARK", help="what separates fields of text")
    group.add_argument("--encoding", metavar="NAME", help="of text that is not UTF-8, e.g. cp1252")
    group.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help="a field of text that means missing, beside the empty one and NA",
    )
    group.add_argument("--table", metavar="NAME", help="of a database")
    group.add_argument(
        "--query",
        metavar="SQL",
        help="of a database: the rows that SELECT gives; nothing else is let through",
    )
    group.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out rows and files that cannot be read, counted, instead of stopping",
    )


def run(options: argparse.Namespace) -> Answer:
    """Add one source."""
    from datetime import UTC, datetime

    from trackrecord.data.ingest.add import add
    from trackrecord.data.ingest.convert import checked_types
    from trackrecord.data.ingest.postgres import is_server
    from trackrecord.data.ingest.record import Read

    workspace = open_workspace_of(options)
    given: Path | str = options.file
    if not is_server(given):
        given = Path(options.folder or ".") / given
    read = Read(
        format="",
        delimiter=_mark(options.delimiter),
        encoding=options.encoding,
        missing=sorted(set(options.missing)),
        types=checked_types(options.type),
        table=options.table,
        query=options.query,
        skip_bad=options.skip_bad,
    )
    with progress("adding") as step:
        added = add(
            workspace.root,
            given,
            options.name,
            read,
            origin=options.origin,
            license=options.license,
            replace=options.replace,
            tool=__version__,
            now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            step=step,
        )
    source = added.source
    words = {
        "added": f"✓ added '{source.name}'",
        "replaced": f"✓ replaced '{source.name}'",
        "unchanged": f"✓ nothing to do: '{source.name}' has these bytes already",
        "described": f"✓ wrote down origin and license of '{source.name}'",
    }
    tail = f": {counted(source.rows, 'row')}, {counted(len(source.column), 'column')}"
    say(words[added.state] + ("" if added.state in ("unchanged", "described") else tail))
    if added.entry is not None:
        say(f"  entry {added.entry.seq} of the chain; the bytes are data/raw/{source.raw[:16]}…")
    for line in added.changes:
        say(f"  · {line}")
    if added.state in ("added", "replaced"):
        tell_columns(source)
        tell_notes(source.note)
    tell_unsaid(source)
    say_next(f"trackrecord data card {source.name}")
    return Answer(
        0,
        {
            "state": added.state,
            "changes": added.changes,
            "entry": None if added.entry is None else added.entry.seq,
            "source": _plain(source),
        },
    )


def tell_columns(source: SourceFile) -> None:
    """A line a column: its kind, and how many rows have no value."""
    rows = [
        [column.name, column.kind, f"{column.missing:,}" if column.missing else ""]
        for column in source.column[:SHOWN]
    ]
    table(["column", "kind", "missing"], rows, right={2})
    if len(source.column) > SHOWN:
        say(f"  … and {len(source.column) - SHOWN:,} more, in data/{source.name}.source.toml")


def tell_notes(notes: list[Note]) -> None:
    """What reading did to values: how many, and the first of them."""
    for note in notes[:SHOWN]:
        where = f"{note.column}, " if note.column else ""
        mark = "!" if note.lost else "·"
        first = "; ".join(
            f"row {seen.row:,} {seen.value!r}" if seen.row else repr(seen.value)
            for seen in note.first
        )
        noun = "row" if note.column or note.code in ("ragged", "no_object") else "file"
        say(f"  {mark} {where}{counted(note.rows, noun)}: {note.what}")
        if first:
            say(f"      {first}", indent=8)
    if len(notes) > SHOWN:
        say(f"  … and {len(notes) - SHOWN:,} more, in the source's file")


def tell_unsaid(source: SourceFile) -> None:
    """Origin and license, where nobody has said them."""
    missing = [name for name in ("origin", "license") if not getattr(source, name)]
    if missing:
        say(
            f"  ! no {' and no '.join(missing)}: the data card shows that as missing; write it in "
            f"data/{source.name}.source.toml"
        )


def _mark(text: str | None) -> str | None:
    if text is None:
        return None
    mark = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(mark) != 1 or not mark.isascii() or mark in '"\r\n':
        raise BadInput(
            f"--delimiter {text!r} cannot separate fields",
            why="it is one character, and no quote or line break",
            next=r"write one of , ; | \t",
        )
    return mark


def _plain(source: SourceFile) -> Any:
    import msgspec

    return msgspec.to_builtins(source)
