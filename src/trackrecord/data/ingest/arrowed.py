"""Parquet and Arrow IPC files, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.data.ingest.record import Note
from trackrecord.data.sources import damaged

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1 << 17


class Arrowed:
    """A file whose columns have types of their own."""

    def __init__(self, path: Path, where: str, form: str) -> None:
        import pyarrow as pa

        self.path, self.where, self.form = path, where, form
        self.inferred: dict[str, str] = {}
        try:
            if form == "parquet":
                import pyarrow.parquet as pq

                with pq.ParquetFile(path) as file:
                    self.schema = file.schema_arrow
            else:
                with pa.memory_map(str(path)) as source:
                    self.schema = _reader(source)[0].schema
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, form, error) from None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Row groups in pieces. Raises DataError for a file that is damaged further on."""
        import pyarrow as pa

        try:
            if self.form == "parquet":
                import pyarrow.parquet as pq

                with pq.ParquetFile(self.path, pre_buffer=False) as file:
                    yield from file.iter_batches(batch_size=ROWS)
                return
            with pa.memory_map(str(self.path)) as source:
                yield from _reader(source)[1]
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.path, self.form, error) from None

    def notes(self) -> list[Note]:
        """Nothing is left out."""
        return []


def _reader(source: Any) -> tuple[Any, Iterator[Any]]:
    import pyarrow as pa

    start = source.read(6)
    source.seek(0)
    if start == b"ARROW1":
        reader = pa.ipc.open_file(source)
        return reader, (reader.get_batch(i) for i in range(reader.num_record_batches))
    stream = pa.ipc.open_stream(source)
    return stream, iter(stream)
