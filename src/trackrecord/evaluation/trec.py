"""TREC's two files as tables: judgements (qrels) and runs, of words between white space.

A line of judgements is ``query iteration document relevance``, or, below the header that BEIR's
files have, ``query document relevance``; a line of a run ``query Q0 document rank score tag``.
The second word, the rank and the tag say nothing here: documents are in the order of their scores,
as trec_eval has them.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl

BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Form:
    """A kind of file: what its line is called and made of, and what of it is a number."""

    line: str
    fields: tuple[str, ...]
    number: str

    @property
    def said(self) -> str:
        """The fields, as an error names them."""
        return f"{self.line} has {len(self.fields)} fields: {' '.join(self.fields)}"


RUN = Form("a line of a run", ("query", "Q0", "document", "rank", "score", "tag"), "score")
QRELS = Form("a line of qrels", ("query", "iteration", "document", "relevance"), "relevance")
BEIR = Form("a line of qrels", ("query", "document", "relevance"), "relevance")
BEIR_HEADER = [b"query-id", b"corpus-id", b"score"]


def is_trec_run(path: Path) -> bool:
    """Whether the first line of a file is one of a TREC run; False where it cannot be read."""
    try:
        with path.open("rb") as plain:
            start = plain.read(1 << 16)
        if start.startswith(GZIP):
            start = zlib.decompressobj(31).decompress(start, 1 << 16)
    except (OSError, zlib.error):
        return False
    line = next((one.split() for one in start.removeprefix(BOM).split(b"\n") if one.strip()), [])
    return len(line) == len(RUN.fields) and _whole(line[3]) and _finite(line[4])


def read_run(path: Path) -> pl.DataFrame:
    """query, document, score of a run, in file order. Raises DataError, with the line."""
    return _read(path, _bytes_of(path), RUN)


def read_qrels(path: Path) -> pl.DataFrame:
    """query, document, relevance of judgements, in file order. Raises DataError, with the line."""
    raw = _bytes_of(path)
    form = _form_of(raw)
    frame = _read(path, raw, BEIR if form is BEIR else QRELS)
    twice = frame.filter(frame.select("query", "document").is_duplicated())
    if twice.height and (error := doubled_lines(path, twice["query"][0], twice["document"][0])):
        raise error
    return frame


def doubled_lines(path: Path, query: str, document: str) -> DataError | None:
    """The error of a document that a query has twice, with its lines; None where it has not."""
    raw = _bytes_of(path)
    form = _form_of(raw)
    place = form.fields.index("document")
    wanted = (query.encode(), document.encode())
    lines = [n for n, words in _lines(raw) if (words[0], words[place]) == wanted]
    if len(lines) < 2:
        return None
    return DataError(
        f"the query {query[:60]!r} has the document {document[:60]!r} {len(lines)} times",
        where=f"{path.name}, lines {', '.join(f'{line:,}' for line in lines[:5])}",
        why="a document stands at one place in a list, and is judged once",
        next="keep one of the lines",
    )


def _bytes_of(path: Path) -> bytes:
    """What is in the file, unpacked, without a byte order mark."""
    try:
        raw = path.read_bytes()
        if raw.startswith(GZIP):
            raw = gzip.decompress(raw)
    except FileNotFoundError:
        raise DataError(
            f"there is no file {path.name}", where=str(path), next="correct the path"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path.name} is a folder", where=str(path), next="name a file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path.name} is damaged", where=str(path), why=str(error)) from None
    except OSError as error:
        raise DataError(f"cannot read {path.name}", where=str(path), why=error.strerror) from None
    raw = raw.removeprefix(BOM)
    if not raw.strip():
        raise DataError(
            f"{path.name} is empty", where=str(path), why="it has no line", next="write it again"
        )
    if b"\0" in raw[:4096]:
        raise DataError(
            f"{path.name} is no text",
            where=str(path),
            why="it has bytes that are 0; UTF-8 has none",
            next="save it again as UTF-8 text",
        )
    return raw


def _form_of(raw: bytes) -> Form:
    """What the first line looks like."""
    first = raw.lstrip().split(b"\n", 1)[0].split()
    if first == BEIR_HEADER:
        return BEIR
    return RUN if len(first) == len(RUN.fields) else QRELS


def _read(path: Path, raw: bytes, form: Form) -> pl.DataFrame:
    import polars as pl
    import pyarrow as pa
    from pyarrow import csv

    from trackrecord.data.sources import THREADED_BYTES

    kept = ["query", "document", form.number]
    kinds = {name: pa.large_string() for name in form.fields} | {form.number: pa.float64()}
    try:
        table = csv.read_csv(
            pa.BufferReader(_single_spaces(raw)),
            read_options=csv.ReadOptions(
                column_names=list(form.fields),
                skip_rows=1 if form is BEIR else 0,
                use_threads=len(raw) >= THREADED_BYTES,
            ),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=kept, column_types=kinds, null_values=[]
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unread(path, raw, form, str(error)) from None
    frame = pl.DataFrame(pl.from_arrow(table))
    if not frame[form.number].is_finite().all():
        raise _unread(path, raw, form, "a number is not finite")
    if frame.height == 0:
        raise DataError(f"{path.name} has a header and no line", where=str(path))
    return frame


def _single_spaces(raw: bytes) -> bytes:
    """The same words with one space between them, and none at a line's ends."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\t" in raw:
        raw = raw.replace(b"\t", b" ")
    while b"  " in raw:
        raw = raw.replace(b"  ", b" ")
    if b" \n" in raw:
        raw = raw.replace(b" \n", b"\n")
    return raw.replace(b"\n ", b"\n").strip(b" ")


def _unread(path: Path, raw: bytes, form: Form, why: str) -> DataError:
    """The error of the first line that is not as it should be."""
    place = form.fields.index(form.number)
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return DataError(
            f"{path.name} is not UTF-8",
            where=f"{path.name}, line {line:,}",
            next="save it again with the encoding UTF-8",
        )
    for number, words in _lines(raw, 1 if form is BEIR else 0):
        where = f"{path.name}, line {number:,}: {_shown(words)}"
        if len(words) != len(form.fields):
            fields = "1 field" if len(words) == 1 else f"{len(words)} fields"
            return DataError(
                f"line {number:,} of {path.name} has {fields}",
                where=where,
                why=form.said,
                next=f"write all {len(form.fields)} into each line, with white space between",
            )
        if not _finite(words[place]):
            return DataError(
                f"the {form.number} in line {number:,} of {path.name} is no finite number",
                where=where,
                why=form.said,
                next=f"write a number as the {form.number}",
            )
    return DataError(f"{path.name} cannot be read", where=str(path), why=why.splitlines()[0][:200])


def _lines(raw: bytes, header: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Each line's number and words; without empty lines, and those of a header."""
    seen = 0
    for number, line in enumerate(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")):
        if words := line.split():
            seen += 1
            if seen > header:
                yield number + 1, words


def _shown(words: list[bytes]) -> str:
    text = b" ".join(words).decode(errors="replace")
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _finite(word: bytes) -> bool:
    return _reads(word, lambda text: math.isfinite(float(text)))


def _whole(word: bytes) -> bool:
    return _reads(word, lambda text: int(text) is not None)


def _reads(word: bytes, holds: Callable[[str], bool]) -> bool:
    try:
        return b"_" not in word and holds(word.decode())
    except ValueError:
        return False
