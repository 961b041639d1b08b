"""Folders of pictures or texts, with a label each: by the folder's name, or by labels.csv."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from trackrecord.data.ingest import pictures
from trackrecord.data.ingest.alike import phash
from trackrecord.data.ingest.record import Note, Read, Seen
from trackrecord.data.ingest.store import raw_file
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = (".txt", ".md", ".text")
TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather", ".sqlite", ".db")
LABELS = "labels.csv"
ROWS, BYTES = 1 << 14, 1 << 24
AT_ONCE = 64


class Entry(NamedTuple):
    """A file in a folder or an archive: its path there, and how to read it."""

    path: str
    open: Callable[[], BinaryIO]


class Kept(NamedTuple):
    """A file whose bytes are in data/raw."""

    path: str
    digest: str
    size: int


def walk(folder: Path) -> tuple[list[Entry], list[str]]:
    """The plain files below a folder, sorted, and the links in it, which are never followed.

    Raises DataError for a name that is not UTF-8.
    """
    entries, links = [], []
    for top, folders, files in os.walk(folder, followlinks=False):
        _check_names(top, [*folders, *files])
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(top)
        for name in [*folders, *files]:
            path = here / name
            if path.is_symlink():
                links.append(path.relative_to(folder).as_posix())
            elif name in files and not name.startswith(".") and path.is_file():
                shown = path.relative_to(folder).as_posix()
                entries.append(Entry(shown, lambda path=path: path.open("rb")))  # type: ignore[misc]
    return sorted(entries, key=lambda entry: entry.path), sorted(links)


def _check_names(top: str, names: list[str]) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            raise DataError(
                "a file has a name that is not UTF-8",
                where=f"{os.fsencode(top).decode('utf-8', 'backslashreplace')}: {shown}",
                why="its path would be a value of the table, which holds text",
                next="give it another name, then add the folder again",
            ) from None


def content_of(paths: Iterable[str], where: str) -> str:
    """ "pictures" or "texts": what the files are. Raises DataError for neither, and for both."""
    endings = [PurePosixPath(path).suffix.lower() for path in paths if path != LABELS]
    images = sum(ending in pictures.ENDINGS for ending in endings)
    texts = sum(ending in TEXTS for ending in endings)
    if images and texts:
        raise DataError(
            f"{where} has {images:,} pictures and {texts:,} texts",
            why="a table holds one or the other",
            next="put them in folders of their own, and add each with a name of its own",
        )
    if not images and not texts:
        tables = sum(ending in TABLES for ending in endings)
        raise DataError(
            f"{where} has no pictures and no texts",
            why=f"it has {tables:,} tables"
            if tables
            else f"pictures: {', '.join(pictures.ENDINGS)}; texts: {', '.join(TEXTS)}",
            next="add each table by itself: trackrecord data add FOLDER/TABLE --name NAME"
            if tables
            else "name the folder that has them",
        )
    return "pictures" if images else "texts"


class Files:
    """A table of files, of which each has a row: path, label, and what is in it."""

    def __init__(
        self, root: Path, where: str, read: Read, kept: list[Kept], links: list[str]
    ) -> None:
        import pyarrow as pa

        self.root, self.where, self.read, self.links = root, where, read, links
        self.content = content_of([file.path for file in kept], where)
        endings = pictures.ENDINGS if self.content == "pictures" else TEXTS
        self.files = [f for f in kept if PurePosixPath(f.path).suffix.lower() in endings]
        self.others = [f for f in kept if f not in self.files and f.path != LABELS]
        table = next((file for file in kept if file.path == LABELS), None)
        self.labels = None if table is None else self._labels(table)
        text = pa.large_string()
        columns = [("path", text), ("label", text)]
        if self.content == "pictures":
            columns += [("width", pa.int64()), ("height", pa.int64()), ("digest", text)]
            columns += [("phash", text)] if read.phash else []
        else:
            columns += [("text", text)]
        self.schema = pa.schema(columns)
        self.inferred: dict[str, str] = {}
        self.bad: list[Seen] = []
        self.bad_files = 0
        self.unhashed: list[str] = []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows in the order of the paths."""
        import pyarrow as pa

        self.bad, self.bad_files, self.unhashed = [], 0, []
        rows: list[tuple[object, ...]] = []
        size = 0
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for start in range(0, len(self.files), AT_ONCE):
                some = self.files[start : start + AT_ONCE]
                for number, (file, inside) in enumerate(
                    zip(some, pool.map(self._read, some), strict=True), start + 1
                ):
                    if isinstance(inside, ValueError):
                        self._bad(number, file, str(inside))
                        continue
                    if self.read.phash and inside[-1] is None:
                        self.unhashed.append(file.path)
                    rows.append((file.path, self._label(file.path), *inside))
                    size += file.size if self.content == "texts" else 0
                    if len(rows) >= ROWS or size >= BYTES:
                        yield self._batch(rows)
                        rows, size = [], 0
        if rows:
            yield self._batch(rows)
        if not self.files:
            yield pa.RecordBatch.from_pylist([], schema=self.schema)

    def notes(self) -> list[Note]:
        """Files that have no row."""
        found = []
        told = (
            ("unreadable", f"is not of the {self.content}, and was left out", self.bad),
            ("link", "is a symbolic link, and was not followed", self._seen(self.links)),
            ("other_file", "is another kind of file, and was left out",
             self._seen([file.path for file in self.others])),
        )  # fmt: skip
        for (code, what, first), count in zip(
            told, (self.bad_files, len(self.links), len(self.others)), strict=True
        ):
            if count:
                found.append(Note(code=code, what=what, rows=count, lost=True, first=first))
        return [*found, self._told()] if self.unhashed else found

    def _read(self, file: Kept) -> tuple[object, ...] | ValueError:
        """What is in a file, or why nothing is."""
        try:
            return self._inside(file, raw_file(self.root, file.digest).read_bytes())
        except ValueError as error:
            return error

    def _told(self) -> Note:
        """Pictures without a hash: a blank page, or one whose pixels cannot be decoded."""
        what = "is flat, huge or cannot be decoded, and has no hash of what it shows"
        first = self._seen(self.unhashed)
        return Note(
            code="no_phash", what=what, rows=len(self.unhashed), column="phash", first=first
        )

    def _seen(self, paths: list[str]) -> list[Seen]:
        return [Seen(0, path) for path in paths[:3]]

    def _inside(self, file: Kept, data: bytes) -> tuple[object, ...]:
        if self.content == "pictures":
            width, height = pictures.size_of(data)
            shown = (phash(data, width * height),) if self.read.phash else ()
            return (width, height, file.digest, *shown)
        if b"\0" in data:
            raise ValueError("there is a NUL byte in it, which a text never has")
        try:
            return (data.decode(self.read.encoding or "utf-8-sig"),)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ValueError(f"line {line:,} is not {self.read.encoding or 'UTF-8'}") from None

    def _bad(self, number: int, file: Kept, why: str) -> None:
        kind = "picture" if self.content == "pictures" else "text"
        if not self.read.skip_bad:
            raise DataError(
                f"{file.path} is not a {kind} that can be read",
                where=f"{self.where}: {file.path}",
                why=why,
                next="mend or remove it, or leave such files out, counted: --skip-bad",
            )
        self.bad_files += 1
        if len(self.bad) < 3:
            self.bad.append(Seen(number, f"{file.path}: {why}"))

    def _label(self, path: str) -> str | None:
        if self.labels is not None:
            return self.labels.get(path)
        parent = PurePosixPath(path).parent.name
        return parent or None

    def _batch(self, rows: list[tuple[object, ...]]) -> pa.RecordBatch:
        import pyarrow as pa

        columns = zip(*rows, strict=True)
        arrays = [pa.array(c, type=f.type) for c, f in zip(columns, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _labels(self, table: Kept) -> dict[str, str]:
        """Path to label, of labels.csv."""
        data = raw_file(self.root, table.digest).read_bytes()
        try:
            rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{LABELS} is not a table", where=self.where, why=str(error)) from None
        if not rows or not {"path", "label"} <= set(rows[0]):
            raise DataError(
                f"{LABELS} has not the columns path and label",
                where=f"{self.where}: {LABELS}",
                next="write a header path,label and a row for each file",
            )
        known = {file.path for file in self.files}
        labels: dict[str, str] = {}
        for line, row in enumerate(rows, 2):
            path, label = row["path"], row["label"]
            if path not in known:
                near = suggest(path or "", sorted(known)[:5000])
                raise DataError(
                    f"{LABELS} names {path!r}, which is not among the {self.content}",
                    where=f"{self.where}: {LABELS}, line {line:,}",
                    why=f"did you mean {near!r}?" if near else None,
                    next="correct or remove that line",
                )
            if path in labels and labels[path] != label:
                raise DataError(
                    f"{LABELS} gives {path!r} two labels",
                    where=f"{self.where}: {LABELS}, line {line:,}",
                    why=f"{labels[path]!r} and {label!r}",
                    next="remove one of the lines",
                )
            labels[path] = label or ""
        return {path: label for path, label in labels.items() if label}
