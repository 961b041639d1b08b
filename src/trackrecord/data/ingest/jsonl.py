"""JSON lines, also gzipped: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.data.ingest.delimited import opened
from trackrecord.data.ingest.listed import Survey, batches_of
from trackrecord.data.ingest.record import Note, Read, Seen
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 1 << 27


class JsonLines:
    """A file of objects; a key that a line does not have is missing there."""

    def __init__(self, path: Path, where: str, read: Read) -> None:
        self.path, self.where, self.read = path, where, read
        self.bad: list[Seen] = []
        self.bad_lines = 0
        self.survey = Survey()
        for row in self._objects(count=True):
            for name, value in row.items():
                self.survey.add(name, value)
            self.survey.rows += 1
        self.schema = self.survey.schema()
        if not self.schema.names:
            raise DataError(
                f"{where} has no rows",
                where=str(path),
                why="no line of it is an object with a key",
                next='write one object a line, like {"id": 1}',
            )
        self.inferred = dict.fromkeys(self.survey.texts(), "times")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Blocks of rows, in the order of the lines."""
        names = self.schema.names
        rows = ([row.get(name) for name in names] for row in self._objects())
        yield from batches_of(rows, self.schema)

    def notes(self) -> list[Note]:
        """What the types of the values cost, and lines that were left out."""
        found = self.survey.notes()
        if self.bad_lines:
            what = "is not a JSON object, and was left out"
            found.append(
                Note(code="no_object", what=what, rows=self.bad_lines, lost=True, first=self.bad)
            )
        return found

    def _objects(self, *, count: bool = False) -> Iterator[dict[str, Any]]:
        decode = msgspec.json.Decoder().decode
        with opened(self.path, self.where) as file:
            for number, line in enumerate(_lines(file, self.where), 1):
                if not (line := line.strip(b" \t\r\n\xef\xbb\xbf" if number == 1 else None)):
                    continue
                try:
                    row = decode(line)
                    reason = None if isinstance(row, dict) else "it is no object in {}"
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                    row, reason = None, str(error)[:200]
                if reason is None:
                    yield row
                elif not self.read.skip_bad:
                    raise self._no_object(number, line, reason)
                elif count:
                    self.bad_lines += 1
                    if len(self.bad) < 3:
                        self.bad.append(Seen(number, line[:60].decode("utf-8", "replace")))

    def _no_object(self, number: int, line: bytes, reason: str) -> DataError:
        shown = line[:60].decode("utf-8", "replace")
        return DataError(
            f"line {number:,} of {self.where} is not a JSON object",
            where=f"{self.where}, line {number:,}: {shown}",
            why=reason,
            next="write one object a line, or leave such lines out, counted: --skip-bad",
        )


def _lines(file: Any, where: str) -> Iterator[bytes]:
    """Lines of any file, none longer than a block: a file of one line is not read whole."""
    held = b""
    while data := file.read(1 << 20):
        *whole, held = (held + data).split(b"\n")
        yield from whole
        if len(held) > LONGEST:
            raise DataError(
                f"{where} has a line of more than {LONGEST >> 20:,} megabytes",
                why="JSON lines have one object a line; this may be one JSON document",
                next="write each record on a line of its own (jq -c '.[]')",
            )
    if held:
        yield held
