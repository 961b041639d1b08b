"""CSV and TSV, also gzipped, in blocks; and what is wrong with one, by line and byte."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from trackrecord.data.ingest.bombs import Counted
from trackrecord.data.ingest.mistakes import first_ragged, first_undecodable, lost_quote, pieces
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
        self.lines = b"\n" in start
        self.bad: list[Seen] = []
        self.bad_rows = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Blocks of rows. Raises DataError for what is no table, with line and byte."""
        import pyarrow as pa

        self.bad, self.bad_rows = [], 0
        block, done, plain = self._block(), 0, self._plain()
        while True:
            try:
                for batch in self._parsed(block, done, plain):
                    done += batch.num_rows
                    yield batch
                return
            except pa.ArrowInvalid as error:
                if "straddling" in str(error) and block < LONGEST:
                    block, plain = LONGEST, False
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

    def _block(self) -> int:
        return WIDE_BLOCK if len(self.schema) > WIDE else BLOCK

    def _plain(self) -> bool:
        """Whether a row ends where a line does, as long as there are no quotes."""
        utf8 = self.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        return utf8 and self.lines and not self.read.skip_bad

    def _parsed(self, block: int, skip: int, plain: bool) -> Iterator[pa.RecordBatch]:
        """Batches after the first ``skip`` rows."""
        with self._opened() as file:
            watched = Watched(file, self)
            started = False
            if plain:
                for part in self._lines(watched, block):
                    yield self._parsed_lines(part, started)
                    started = True
            for batch in self._quoted(watched, block, started):
                if skip >= batch.num_rows:
                    skip -= batch.num_rows
                    continue
                yield batch.slice(skip)
                skip = 0
            if watched.quotes % 2 and not self.wide:
                self._check_quotes()

    def _lines(self, watched: Watched, block: int) -> Iterator[bytes]:
        """Whole lines, up to the block that has the first quote; that one is given back."""
        held = [b""]
        while data := watched.read(block):
            if watched.quotes:
                watched.back = b"".join([*held, data])
                return
            cut = data.rfind(b"\n") + 1
            if cut:
                yield b"".join([*held, data[:cut]])
                held = [data[cut:]]
            else:
                held.append(data)
                if sum(map(len, held)) > LONGEST:
                    raise self._endless()
        if last := b"".join(held):
            yield last

    def _parsed_lines(self, part: bytes, started: bool) -> pa.RecordBatch:
        """The rows of whole lines without quotes, of which the first is the header."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        names = self.schema.names
        table = pacsv.read_csv(
            pa.BufferReader(part),
            read_options=pacsv.ReadOptions(
                block_size=len(part) + 1,
                column_names=names if started else None,
                use_threads=False,
            ),
            parse_options=self._parse_options(),
            convert_options=self._convert_options(),
        )
        found = table.to_batches()
        if len(found) == 1:
            return found[0]
        return pa.RecordBatch.from_pylist([], schema=self.schema)

    def _quoted(self, watched: Watched, block: int, started: bool) -> Iterator[pa.RecordBatch]:
        """What is left, by Arrow's own search for the ends of rows."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        if started and not watched.back:
            return iter(())
        return iter(
            pacsv.open_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=pacsv.ReadOptions(
                    block_size=block,
                    encoding=self.encoding,
                    column_names=self.schema.names if started else None,
                    # Only one thread knows the number of a row.
                    use_threads=not self.read.skip_bad,
                ),
                parse_options=self._parse_options(),
                convert_options=self._convert_options(),
            )
        )

    def _nothing(self) -> list[str]:
        """The fields that are missing. A server writes an empty one for what is."""
        return [""] if self.read.format == "postgres" else [*MISSING, *self.read.missing]

    def _parse_options(self) -> Any:
        from pyarrow import csv as pacsv

        return pacsv.ParseOptions(
            delimiter=self.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=len(self.schema.names) > 1,
            invalid_row_handler=self._ragged if self.read.skip_bad else None,
        )

    def _convert_options(self) -> Any:
        import pyarrow as pa
        from pyarrow import csv as pacsv

        return pacsv.ConvertOptions(
            column_types=dict.fromkeys(self.schema.names, pa.large_string()),
            null_values=self._nothing(),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )

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

    def _endless(self) -> DataError:
        return DataError(
            f"{self.where} has a line of more than {LONGEST >> 20:,} megabytes",
            where=str(self.path),
            why="a table of text has a row on each line; this may be another kind of file",
            next="export the table again, with a row on each line",
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
        message, wanted = str(error).splitlines()[0], len(self.schema.names)
        if "UTF8" in message or "UTF-8" in message or isinstance(error, UnicodeError):
            return self._undecodable(error)
        if not self.wide:
            with self._opened() as file:
                found = lost_quote(file, self.delimiter.encode())
            if found is not None:
                return self._open_quote(*found)
        with self._opened() as file:
            line, fields, text = first_ragged(file, self.encoding, self.delimiter, wanted)
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
        self.quotes = self.done = 0
        self.back = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises DataError for a NUL, which no text has."""
        if self.back:
            data = self.back if size < 0 else self.back[:size]
            self.back = self.back[len(data) :]
            return data
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
