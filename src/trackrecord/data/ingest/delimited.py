"""CSV and TSV, also gzipped, in blocks; and what is wrong with one, by line and byte."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from trackrecord.data.ingest.bombs import Counted
from trackrecord.data.ingest.record import Note, Read, Seen
from trackrecord.data.sources import MISSING, check_columns
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 22
# Each column of a block costs the same few calls, however few rows it has.
WIDE, WIDE_BLOCK = 500, 1 << 25
# A row is inside one block: this is the longest that is tried before it is called a lost quote.
LONGEST = 1 << 27
DELIMITERS = (",", ";", "\t", "|")
AGAIN = "copy or write the file again; it may be damaged"


class Delimited:
    """A file of delimited text as batches of strings; empty fields and NA are missing."""

    def __init__(self, path: Path, where: str, read: Read) -> None:
        import pyarrow as pa

        self.path, self.where, self.read = path, where, read
        self.encoding = read.encoding or "utf-8"
        with self._opened() as file:
            start = file.read(1 << 20)
            while b"\n" not in start and len(start) < LONGEST and (more := file.read(1 << 20)):
                start += more
        self._check_start(start)
        names = self._header(start)
        check_columns(names, {}, where)
        self.schema = pa.schema([(name, pa.large_string()) for name in names])
        self.inferred = dict.fromkeys(names, "all")
        self.bad: list[Seen] = []
        self.bad_rows = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Blocks of rows. Raises DataError for what is no table, with line and byte."""
        import pyarrow as pa

        self.bad, self.bad_rows = [], 0
        block, done = WIDE_BLOCK if len(self.schema) > WIDE else BLOCK, 0
        while True:
            try:
                for batch in self._parsed(block, done):
                    done += batch.num_rows
                    yield batch
                return
            except pa.ArrowInvalid as error:
                if "straddling" in str(error) and block < LONGEST:
                    block = LONGEST
                    continue
                raise self._unparsed(error) from None
            except UnicodeDecodeError as error:
                raise self._undecodable(error) from None

    def notes(self) -> list[Note]:
        """Rows that were left out, where that was asked for."""
        if not self.bad_rows:
            return []
        what = "has more or fewer fields than the header, and was left out"
        return [Note(code="ragged", what=what, rows=self.bad_rows, lost=True, first=self.bad)]

    def _parsed(self, block: int, skip: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv as pacsv

        names = self.schema.names
        with self._opened() as file:
            watched = Watched(file, self)
            reader = pacsv.open_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=pacsv.ReadOptions(
                    block_size=block,
                    encoding=self.encoding,
                    # Only one thread knows the number of a row.
                    use_threads=not self.read.skip_bad,
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=len(names) > 1,
                    invalid_row_handler=self._ragged if self.read.skip_bad else None,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string()),
                    null_values=[*MISSING, *self.read.missing],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            for batch in reader:
                if skip >= batch.num_rows:
                    skip -= batch.num_rows
                    continue
                yield batch.slice(skip)
                skip = 0
            if watched.quotes % 2 and not self.wide:
                self._check_quotes()

    def _ragged(self, row: Any) -> str:
        self.bad_rows += 1
        if len(self.bad) < 3:
            number = row.number or 0
            self.bad.append(Seen(number, str(row.text)[:60]))
        return "skip"

    @property
    def delimiter(self) -> str:
        """What separates the fields."""
        return self.read.delimiter or ","

    @property
    def wide(self) -> bool:
        """Whether a letter takes more than one byte, so that bytes alone say little."""
        return self.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))

    def _opened(self) -> BinaryIO:
        return opened(self.path, self.where)

    def _check_start(self, start: bytes) -> None:
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) and not self.wide:
            raise DataError(
                f"{self.where} is not UTF-8",
                where=f"{self.where}, line 1, byte 1",
                why="it begins like UTF-16",
                next="say so with --encoding utf-16",
            )
        if not start.strip(b"\xef\xbb\xbf \t\r\n"):
            raise DataError(
                f"{self.where} is empty",
                where=str(self.path),
                why="it has no header and no rows",
                next="export the table again, with a header and rows",
            )

    def _header(self, start: bytes) -> list[str]:
        try:
            decoder = codecs.getincrementaldecoder(self.encoding)()
        except LookupError:
            raise DataError(
                f"there is no encoding {self.encoding!r}",
                where="--encoding",
                next="write one like utf-8, latin-1, cp1252 or utf-16",
            ) from None
        try:
            text = decoder.decode(start).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise self._undecodable(error) from None
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
            names = next(row for row in reader if row)
        except (csv.Error, StopIteration) as error:
            raise DataError(
                f"{self.where} is not a table",
                where=f"{self.where}, line 1",
                why=str(error) or "it has no header",
                next="write the names of the columns on its first line",
            ) from None
        if len(names) == 1 and self.read.delimiter is None:
            other = next((mark for mark in DELIMITERS if mark in names[0]), None)
            if other:
                shown = r"'\t'" if other == "\t" else f"'{other}'"
                raise DataError(
                    f"{self.where} does not separate its columns with ','",
                    where=f"{self.where}, line 1",
                    why=f"the header has one column, with {shown} in its name",
                    next=f"say what separates them: --delimiter {shown}",
                )
        return names

    def _undecodable(self, error: Exception) -> DataError:
        """Where the first bytes are that the encoding does not have."""
        with self._opened() as file:
            line, byte, column, bad = first_undecodable(file, self.encoding)
        shown = " ".join(f"{value:02x}" for value in bad[:4])
        named = {"utf-8": "UTF-8"}.get(self.encoding.lower(), self.encoding)
        before = f"; the {line - 1:,} lines before are" if line > 1 else ""
        return DataError(
            f"{self.where} is not {named}",
            where=f"{self.where}, line {line:,}, byte {column:,} (byte {byte:,} of the file)",
            why=f"the bytes {shown} are not {named}{before}",
            next="if all of it is in another encoding, say so: --encoding cp1252; if only some "
            "lines are, they were joined from two files: convert these first",
        )

    def _check_quotes(self) -> None:
        with self._opened() as file:
            found = lost_quote(file, self.delimiter.encode())
        if found is not None:
            raise self._open_quote(*found)

    def _open_quote(self, line: int, byte: int, why: str) -> DataError:
        return DataError(
            f"a quote in {self.where} does not close",
            where=f"{self.where}, line {line:,}, byte {byte:,}",
            why=why,
            next='close it, or write a quote inside a field twice (""); or copy the file again: it '
            "may be cut off",
        )

    def _unparsed(self, error: Exception) -> DataError:
        message = str(error).splitlines()[0]
        if "UTF8" in message or "UTF-8" in message or isinstance(error, UnicodeError):
            return self._undecodable(error)
        if not self.wide:
            with self._opened() as file:
                found = lost_quote(file, self.delimiter.encode())
            if found is not None:
                return self._open_quote(*found)
        with self._opened() as file:
            line, fields, text = first_ragged(file, self)
        wanted = len(self.schema.names)
        if not line:
            return DataError(
                f"{self.where} is not a table", where=str(self.path), why=message[:200]
            )
        return DataError(
            f"{self.where} has a row of {fields:,} {'field' if fields == 1 else 'fields'}, "
            f"where its header has {wanted:,}",
            where=f"{self.where}, line {line:,}",
            why=f"it begins {text[:60]!r}",
            next="correct the row (quote fields that have the separator in them), or leave such "
            "rows out, counted: --skip-bad",
        )


class Watched(io.RawIOBase):
    """A file that is looked at while the parser reads it: NUL bytes, and quotes in all."""

    def __init__(self, file: BinaryIO, source: Delimited) -> None:
        self.file, self.source = file, source
        self.quotes = self.done = self.lines = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises DataError for a NUL, which no text has."""
        data = self.file.read(size)
        self.quotes += data.count(b'"')
        if not self.source.wide and (byte := data.find(b"\0")) >= 0:
            with self.source._opened() as file:
                line = sum(part.count(b"\n") for part in pieces(file, self.done + byte)) + 1
            raise DataError(
                f"{self.source.where} is not text",
                where=f"{self.source.where}, line {line:,}, byte {self.done + byte + 1:,} of the "
                "file",
                why="there is a NUL byte, which a table of text never has",
                next=AGAIN,
            )
        self.done += len(data)
        return data


def opened(path: Path, where: str) -> BinaryIO:
    """A file's bytes, unpacked where they are gzipped and counted while they are."""
    file = path.open("rb")
    start = file.read(2)
    file.seek(0)
    if start != b"\x1f\x8b":
        return file
    return cast("BinaryIO", Counted(gzip.GzipFile(fileobj=file), file, where))


def pieces(file: BinaryIO, limit: int | None = None) -> Iterator[bytes]:
    """A file in pieces of a megabyte, up to ``limit`` bytes."""
    while limit is None or limit > 0:
        data = file.read(1 << 20 if limit is None else min(limit, 1 << 20))
        if not data:
            return
        limit = None if limit is None else limit - len(data)
        yield data


def first_undecodable(file: BinaryIO, encoding: str) -> tuple[int, int, int, bytes]:
    """(line, byte of the file, byte of the line, bytes) of what the encoding does not have."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done, lines, line_start = 0, 0, 0
    for data in pieces(file):
        held = decoder.getstate()[0]
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            whole = held + data
            at = error.start
            base = done - len(held)
            before = whole[:at]
            lines += before.count(b"\n") - held.count(b"\n")
            if (cut := before.rfind(b"\n")) >= 0:
                line_start = base + cut + 1
            return lines + 1, base + at + 1, base + at - line_start + 1, whole[at : at + 4]
        lines += data.count(b"\n")
        if (cut := data.rfind(b"\n")) >= 0:
            line_start = done + cut + 1
        done += len(data)
    held = decoder.getstate()[0]
    return lines + 1, done - len(held) + 1, done - len(held) - line_start + 1, held


def lost_quote(file: BinaryIO, delimiter: bytes) -> tuple[int, int, str] | None:
    """(line, byte, why) of the first quoted field that does not end where a field can end."""
    token = re.compile(rb'"|\n|' + re.escape(delimiter))
    quoted, closed = False, False
    line, column, at = 1, 0, (0, 0)
    fresh = True  # a field begins here
    last = -1
    position = 0
    for data in pieces(file):
        for found in token.finditer(data):
            mark, here = found.group(), position + found.start()
            adjacent = here == last + 1
            if quoted:
                if closed:  # the byte after a closing quote
                    if adjacent and mark == b'"':
                        closed = False
                        last = here
                        continue
                    if not (adjacent or (here == last + 2 and mark == b"\n")):
                        return (*at, "it closes in the middle of a field, or never")
                    quoted = closed = False
                elif mark == b'"':
                    closed, last = True, here
                    continue
                else:
                    if mark == b"\n":
                        line, column = line + 1, here + 1
                    continue
            elif mark == b'"' and (adjacent or here == 0) and fresh:
                quoted, closed, at = True, False, (line, here - column + 1)
                fresh = False
                continue
            fresh = mark != b'"'
            if mark == b"\n":
                line, column = line + 1, here + 1
            if mark != b'"':
                last = here
        position += len(data)
    if quoted and not closed:
        return (*at, "the file ends inside the field that it opens")
    return None


def first_ragged(file: BinaryIO, source: Delimited) -> tuple[int, int, str]:
    """(line, fields, text) of the first row that has not as many fields as the header."""
    csv.field_size_limit(1 << 30)
    text = io.TextIOWrapper(file, source.encoding, errors="replace", newline="")
    reader = csv.reader(text, delimiter=source.delimiter)
    wanted, before = len(source.schema.names), 0
    for row in reader:
        if row and len(row) != wanted:
            return before + 1, len(row), source.delimiter.join(row)
        before = reader.line_num
    return 0, 0, ""
