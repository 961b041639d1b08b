"""A Parquet file that is written beside the reading, a row group at a time."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 1 << 17
GROUP_BYTES = 1 << 26
SAMPLE = 10_000


class Sink:
    """A Parquet file to be; one thread writes while others read."""

    def __init__(self, out: Path, names: list[str]) -> None:
        self.out, self.names = out, names
        self.writer: Any = None
        self.waiting: list[pa.RecordBatch] = []
        self.rows = self.size = 0
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.pending: Future[None] | None = None

    def add(self, blocks: list[pa.Array]) -> None:
        """Take one block; whole row groups go to the disk."""
        import pyarrow as pa

        batch = pa.RecordBatch.from_arrays(blocks, names=self.names)
        self.waiting.append(batch)
        self.rows += batch.num_rows
        self.size += batch.nbytes
        if self.rows >= GROUP_ROWS or self.size >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._settle()
        self.pool.shutdown()
        self.writer.close()
        self.writer = None

    def drop(self) -> None:
        """Forget the file."""
        with contextlib.suppress(Exception):
            self._settle()
        self.pool.shutdown()
        if self.writer is not None:
            with contextlib.suppress(Exception):
                self.writer.close()
        self.out.unlink(missing_ok=True)

    def _settle(self) -> None:
        if self.pending is not None:
            pending, self.pending = self.pending, None
            pending.result()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self.waiting:
            return
        self._settle()
        table = pa.Table.from_batches(self.waiting)
        self.waiting, self.rows, self.size = [], 0, 0
        self.pending = self.pool.submit(self._write, table)

    def _write(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if self.writer is None:
            self.writer = pq.ParquetWriter(
                self.out, table.schema, compression="snappy", use_dictionary=repeating(table)
            )
        self.writer.write_table(table, row_group_size=table.num_rows)


def repeating(table: pa.Table) -> list[str] | bool:
    """The columns whose values repeat: a dictionary of others is made in vain."""
    import polars as pl

    head = table.slice(0, SAMPLE)
    found = [
        name
        for name, column in zip(head.column_names, head.columns, strict=True)
        if 2 * pl.Series(column).n_unique() <= len(column)
    ]
    return found or False
