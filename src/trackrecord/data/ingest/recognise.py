"""What kind of file a path is, by its first bytes and its name; and options that fit it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec

from trackrecord.data.ingest.postgres import checked_query
from trackrecord.data.ingest.record import Read
from trackrecord.errors import BadInput, DataError

READABLE = (
    "CSV, TSV and JSON lines (also .gz), Parquet, Arrow IPC, SQLite and DuckDB files, folders and "
    "zip files of pictures or texts; and a query of a Postgres server"
)
TEXT = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ","}
LINES = (".jsonl", ".ndjson", ".jsonlines")


def settled(given: Path | str, read: Read) -> Read:
    """The options with the format that the first bytes and the name say.

    Raises BadInput for options that say nothing of it, and DataError for what nothing reads.
    """
    if isinstance(given, str):
        form = "postgres"
        checked_query(read.query)
    else:
        form = form_of_file(given)
    if isinstance(given, Path) and form == "csv" and read.delimiter is None:
        suffix = suffix_of(given)
        read = msgspec.structs.replace(read, delimiter=TEXT.get(suffix, ","))
        if suffix not in (".tsv", ".tab"):
            read = msgspec.structs.replace(read, delimiter=None)
    options = {
        "--delimiter": (read.delimiter, ("csv", "zip")),
        "--encoding": (read.encoding, ("csv", "zip", "folder")),
        "--missing": (read.missing, ("csv", "zip")),
        "--table": (read.table, ("sqlite", "duckdb")),
        "--query": (read.query, ("sqlite", "duckdb", "postgres")),
        "--skip-bad": (read.skip_bad, ("csv", "jsonl", "zip", "folder")),
    }
    for option, (value, forms) in options.items():
        if value and form not in forms:
            thing = f"{form} file" if isinstance(given, Path) else "database server"
            raise BadInput(
                f"{option} says nothing of a {thing}",
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
    suffix = suffix_of(given)
    if known := form_of_bytes(start):
        return known
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


def form_of_bytes(start: bytes) -> str | None:
    """The format that a file's first bytes say, if they say one."""
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    if start.startswith(b"SQLite format 3\0"):
        return "sqlite"
    return "duckdb" if start[8:12] == b"DUCK" else None


def suffix_of(path: Path | PurePosixPath) -> str:
    """The ending that says the format: of a .gz, the one before."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
