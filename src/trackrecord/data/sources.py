"""Reads a table from CSV, TSV, Parquet or Arrow IPC, strictly, in canonical kinds.

CSV types are inferred on **all** rows; the first of these that fits every value wins:

1. number: decimal digits with optional sign, point and exponent, ``NaN``, ``inf``; but a column
   with a leading zero (``007``) stays a string, and so do whole numbers of more than 64 bits;
2. boolean: ``true`` and ``false`` in any case;
3. date: ``YYYY-MM-DD``;
4. time: ISO 8601 date and time, with ``Z``, an offset, or neither (then local to the case's
   time zone); kept as UTC microseconds;
5. string.

An empty field and ``NA`` are missing, quoted or not; NaN counts as missing.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.data.arrow import check_schema, plain
from trackrecord.data.kinds import Place, as_kind, canonical, infer
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

READABLE = "CSV and TSV (also .gz), Parquet and Arrow IPC (Feather) files"
MISSING = ("", "NA")
THREADED_BYTES = 1 << 22
_EXPORT = "export the table again, with a header and rows"


def inside(root: Path, relative: str) -> Path:
    """The path ``relative`` to the workspace ``root``; DataError where it leads out of it."""
    base = root.resolve()
    candidate = Path(relative)
    reason = None
    if not relative or "\0" in relative:
        reason = "it is not a file name"
    elif candidate.is_absolute():
        reason = "it is an absolute path, which means nothing on another machine"
    elif ".." in candidate.parts:
        reason = "it has '..' in it"
    elif "\\" in relative and (os.name == "nt" or not os.path.exists(base / candidate)):
        reason = "it has a backslash, which parts folders on Windows only; write / instead"
    else:
        try:
            if not (base / candidate).resolve().is_relative_to(base):
                reason = "a symbolic link leads out of the workspace"
        except (OSError, RuntimeError):
            reason = "its symbolic links go round in a circle"
    if reason:
        raise DataError(
            f"the path {relative!r} is not inside the workspace",
            why=reason,
            next="copy the file under data/ in the workspace, and name it like data/table.csv",
        )
    return base / candidate


def read_table(
    path: Path,
    types: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    *,
    semicolons: bool = False,
) -> pl.DataFrame:
    """The table in ``path``: one row a record, columns in canonical kinds, in file order.

    Parameters
    ----------
    path:
        A CSV, TSV (either also gzipped), Parquet or Arrow IPC file.
    types:
        Kinds that override what the file says or what would be inferred.
    timezone:
        IANA name; where times without an offset are local.
    semicolons:
        Whether a CSV file may have semicolons between its columns.

    Raises
    ------
    DataError
        For a file that is missing, empty, damaged, not a table, without rows, or with doubled or
        empty column names; and for a value that its declared type does not admit.
    """
    import polars as pl

    types = dict(types or {})
    where = path.name
    check_timezone(timezone)
    form = sniff(path)
    raw = _read_text(path, where, semicolons) if form == "csv" else _read_binary(path, form)
    check_columns(raw.columns, types, where)
    if raw.height == 0:
        raise DataError(
            f"{where} has a header but no rows" if form == "csv" else f"{where} has no rows",
            where=str(path),
            next=_EXPORT,
        )
    columns = []
    place = Place(where)
    for series in raw.get_columns():
        if (kind := types.get(series.name)) is not None:
            series = series if form == "csv" else canonical(series, timezone, place)
            columns.append(as_kind(series, kind, timezone, place))
        elif form == "csv":
            columns.append(infer(series, timezone, place))
        else:
            columns.append(canonical(series, timezone, place))
    return pl.DataFrame(columns)


def sniff(path: Path) -> str:
    """ "csv", "parquet" or "ipc", by the file's first bytes and its name."""
    where = str(path)
    try:
        # Opening a pipe would wait for its writer, and a device may never end.
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError(
                f"{path.name} is no plain file",
                where=where,
                why="it is a pipe, a socket or a device",
                next="write what comes out of it to a file, and name that",
            )
        with path.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        raise DataError(
            f"there is no file {path.name}", where=where, next="correct the path, or put it there"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path.name} is a folder", where=where, next="name a file in it") from None
    except OSError as error:
        raise DataError(f"cannot read {path.name}", where=where, why=error.strerror) from None
    if not start:
        raise DataError(f"{path.name} is empty", where=where, why="it has 0 bytes", next=_EXPORT)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "ipc"
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    binary = not start.startswith(b"\x1f\x8b") and b"\0" in start
    named = bool(suffixes) and suffixes[-1] in (".csv", ".tsv", ".tab", ".txt")
    if not binary and named:
        return "csv"
    if start.startswith(b"PK\x03\x04"):
        advice = "unpack it, or save the sheet as CSV, and name that file"
    elif start.startswith(b"FEA1"):
        advice = "write it again as Feather version 2, which is Arrow IPC"
    elif named:
        raise no_text(start, path)
    elif suffixes and suffixes[-1] in (".parquet", ".arrow", ".feather", ".ipc"):
        advice = "write the file again: its first bytes are not those of its format"
    else:
        advice = "save the table in one of these formats, with the extension that belongs to it"
    raise DataError(
        f"{path.name} is not a table that can be read",
        where=where,
        why=f"readable are {READABLE}",
        next=advice,
    )


def no_text(raw: bytes, path: Path) -> DataError:
    """The error for bytes that hold a NUL, which no text does; UTF-16 has one in every letter."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return DataError(
            f"{path.name} is not UTF-8",
            where=str(path),
            why="it begins like UTF-16",
            next="save it again with the encoding UTF-8",
        )
    byte = raw.index(b"\0")
    line = raw.count(b"\n", 0, byte) + 1
    return DataError(
        f"{path.name} is not text",
        where=f"{path.name}, line {line:,}, byte {byte + 1:,}",
        why="there is a NUL byte, which a table of text never has",
        next="copy or write the file again; it may be damaged",
    )


def check_columns(names: list[str], types: Mapping[str, str], where: str) -> None:
    """Raise DataError for empty or doubled names, and for types of columns that are not there."""
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise DataError(
                f"{where} has a column without a name",
                where=f"{where}, column {number}",
                next="name it in the header (pandas: to_csv(..., index=False))",
            )
        if name in seen:
            raise DataError(
                f"{where} has two columns called {name!r}",
                where=f"{where}, column {number}",
                next="rename or remove one of them",
            )
        seen.add(name)
    for name in types:
        if name not in seen:
            near = suggest(name, names)
            raise DataError(
                f"[data.types] names {name!r}, which is not a column of {where}",
                why=f"did you mean {near!r}?" if near else f"columns: {', '.join(names[:40])}",
            )


def check_timezone(timezone: str) -> None:
    """Raise DataError unless ``timezone`` is an IANA name."""
    import polars as pl

    try:
        pl.Series([0]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(timezone)
    except (pl.exceptions.ComputeError, pl.exceptions.PolarsError, ValueError):
        raise DataError(
            f"{timezone!r} is not the name of a time zone",
            where="data.timezone in the case",
            next="write an IANA name like UTC or America/New_York",
        ) from None


def _read_binary(path: Path, form: str) -> pl.DataFrame:
    import polars as pl
    import pyarrow as pa

    try:
        if form == "parquet":
            import pyarrow.parquet as pq

            with pq.ParquetFile(path) as file:
                check_columns(file.schema_arrow.names, {}, path.name)
                check_schema(file.schema_arrow, path.name)
                table = file.read()
        else:
            with pa.memory_map(str(path)) as source:
                start = source.read(6)
                source.seek(0)
                opened = pa.ipc.open_file if start == b"ARROW1" else pa.ipc.open_stream
                reader = opened(source)
                check_columns(reader.schema.names, {}, path.name)
                check_schema(reader.schema, path.name)
                table = reader.read_all()
        table = pa.table([plain(column) for column in table.columns], names=table.column_names)
        frame = pl.from_arrow(table)
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise damaged(path, form, error) from None
    if not isinstance(frame, pl.DataFrame):  # pragma: no cover - a table gives a frame
        raise TypeError(type(frame))
    return frame


def damaged(path: Path, form: str, error: Exception) -> DataError:
    """The error for a file that begins like its format and does not go on like it."""
    reason = (
        str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    )
    return DataError(
        f"{path.name} is damaged",
        where=str(path),
        why=f"it begins like a {'Parquet' if form == 'parquet' else 'Arrow'} file, but: {reason}",
        next="copy or write the file again; it may be incomplete",
    )


def _read_text(path: Path, where: str, semicolons: bool) -> pl.DataFrame:
    """Every field as text, missing where it is empty or NA. Ragged rows are errors."""
    import polars as pl
    import pyarrow as pa
    from pyarrow import csv as pacsv

    try:
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{where} is damaged", where=str(path), why=str(error)) from None
    except OSError as error:
        raise DataError(f"cannot read {where}", where=str(path), why=error.strerror) from None
    if b"\0" in raw:
        raise no_text(raw, path)
    if not raw.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(
            f"{where} is empty", where=str(path), why="it has no header and no rows", next=_EXPORT
        )
    # A line of its own before the header is no header, for this parser either.
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    delimiter = "\t" if {".tsv", ".tab"} & {s.lower() for s in path.suffixes} else ","
    first = raw[: raw.find(b"\n")] if b"\n" in raw else raw
    if semicolons and b";" in first and b"," not in first and b"\t" not in first:
        delimiter = ";"
    header = _header(raw, delimiter, where)
    check_columns(header, {}, where)
    if raw.count(b'"') % 2:
        _check_last_quote(raw, delimiter, where)
    options: dict[str, Any] = {
        "parse_options": pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(header) > 1
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.large_string()),
            null_values=list(MISSING),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    }
    try:
        # Where the process ends while Arrow's threads still start, the C++ runtime aborts it.
        reading = pacsv.ReadOptions(use_threads=len(raw) >= THREADED_BYTES)
        table = pacsv.read_csv(pa.BufferReader(raw), read_options=reading, **options)
    except pa.ArrowInvalid as error:
        raise _unparsed(raw, options, path, error) from None
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):  # pragma: no cover - a table gives a frame
        raise TypeError(type(frame))
    return frame


def _header(raw: bytes, delimiter: str, where: str) -> list[str]:
    try:
        text = io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")
        names = next(row for row in csv.reader(text, delimiter=delimiter) if row)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not UTF-8",
            where=f"{where}, byte {error.start}",
            next="save it again with the encoding UTF-8",
        ) from None
    except (csv.Error, StopIteration) as error:
        raise DataError(f"{where} is not a table", why=str(error) or "it has no header") from None
    if len(names) == 1:
        other = next((mark for mark in (";", "\t", ",", "|") if mark in names[0]), None)
        if other:
            raise DataError(
                f"{where} does not separate its columns with {delimiter!r}",
                where=f"{where}, line 1",
                why=f"the header has one column, with {other!r} in its name",
                next="save it with commas as .csv, or with tabs as .tsv",
            )
    return names


def _check_last_quote(raw: bytes, delimiter: str, where: str) -> None:
    """Raise DataError for a file that ends inside a quoted field: it was cut off.

    The Arrow parser takes such a field as it is.
    """
    text = io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", errors="replace", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for _ in reader:
            pass
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise DataError(
                f"{where} is not a table",
                where=f"{where}, line {reader.line_num}",
                why="it ends within a quoted field",
                next="copy or write the file again; it may be incomplete",
            ) from None


def _unparsed(raw: bytes, options: dict[str, Any], path: Path, error: Exception) -> DataError:
    """Read again in one thread, because only then does the parser know the row's number."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    message = str(error)
    try:
        pacsv.read_csv(
            pa.BufferReader(raw), read_options=pacsv.ReadOptions(use_threads=False), **options
        )
    except pa.ArrowInvalid as again:
        message = str(again)
    message = message.removeprefix("CSV parse error: ").removeprefix("In ").splitlines()[0][:200]
    if "UTF8" in message or "UTF-8" in message:
        return DataError(
            f"{path.name} is not UTF-8",
            where=path.name,
            why=message,
            next="save it again with the encoding UTF-8",
        )
    return DataError(
        f"{path.name} is not a table",
        where=str(path),
        why=message,
        next="every row needs as many fields as the header; quote fields with commas in them",
    )
