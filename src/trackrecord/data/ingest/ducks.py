"""Tables and queries of DuckDB files, read by a process that a damaged file may end."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.data.ingest.databases import chosen
from trackrecord.data.ingest.duck_child import REFUSED
from trackrecord.data.ingest.record import Note, Read
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

CHILD = Path(__file__).with_name("duck_child.py")


class Duck:
    """One table, or the answer to a query, of a DuckDB file that is only read."""

    def __init__(self, path: Path, where: str, read: Read) -> None:
        self.path, self.where = path, where
        self.query = read.query if read.query is not None else chosen(self._tables(), read, where)
        self.schema = self._schema()
        self.inferred: dict[str, str] = {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Blocks of rows, in the order that the query gives them.

        Raises DataError for what DuckDB refuses, and for a file that ends the reading process.
        """
        import pyarrow as pa

        with self._asked("rows", self.query) as child:
            # Where it stops midway, its exit code says why.
            with contextlib.suppress(pa.ArrowException, OSError):
                yield from pa.ipc.open_stream(child.stdout)
            _, words = child.communicate()
            if child.returncode:
                raise self._refused(child.returncode, words)

    def notes(self) -> list[Note]:
        """Nothing is left out."""
        return []

    def _tables(self) -> list[str]:
        with self._asked("tables") as child:
            said, words = child.communicate()
            if child.returncode:
                raise self._refused(child.returncode, words)
        found: list[str] = json.loads(said)
        return found

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        with self._asked("rows", self.query) as child:
            try:
                return pa.ipc.open_stream(child.stdout).schema
            except (pa.ArrowException, OSError):
                _, words = child.communicate()
                raise self._refused(child.returncode, words) from None

    @contextlib.contextmanager
    def _asked(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A child that answers; it is ended with the block, whatever it is doing."""
        child = subprocess.Popen(
            [sys.executable, "-I", str(CHILD), str(self.path), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield child
        finally:
            child.kill()
            child.communicate()

    def _refused(self, code: int, words: bytes) -> DataError:
        said = words.decode("utf-8", "replace").strip()
        if code == REFUSED:
            return DataError(
                f"{self.where} does not answer",
                where="--query" if hasattr(self, "query") else self.where,
                why=said.splitlines()[0][:300] if said else "DuckDB cannot read it",
                next="ask with one SELECT of the tables in this file, or copy the file again",
            )
        ended = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return DataError(
            f"{self.where} is damaged",
            where=self.where,
            why=f"the process that read it was ended {ended}",
            next="copy or write the file again; it may be incomplete",
        )
