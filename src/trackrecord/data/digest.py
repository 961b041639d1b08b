"""The content digest ``trackrecordTable1``: what a table says, whatever file says it.

It does not depend on file format, compression, row groups, batches or the order of columns; it
does depend on the order of rows. The definition, byte by byte, is docs/reference/content-digest.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.data.arrow import check_schema, plain
from trackrecord.data.kinds import Place, as_kind, canonical, kind_of
from trackrecord.data.sources import check_columns, check_timezone, damaged, read_table, sniff
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa

NAME = "trackrecordTable1"
# 64 Ki rows of a column are half a megabyte: they stay in a core's cache between two passes.
BATCH_ROWS = 1 << 16
READ_ROWS = 1 << 18
EXACT = 1 << 53


class ColumnDigest(msgspec.Struct, frozen=True):
    """One column: its kind (``missing`` where it has no value) and the SHA-256 of its content."""

    name: str
    type: str
    digest: str


class TableDigest(msgspec.Struct, frozen=True):
    """A table's logical digest; ``columns`` are sorted by name."""

    rows: int
    columns: list[ColumnDigest]
    digest: str


def table_digest(
    source: Path | pl.DataFrame, types: Mapping[str, str] | None = None, timezone: str = "UTC"
) -> TableDigest:
    """The digest of a file, or of a frame in memory.

    Parquet and Arrow IPC files are read batch by batch: memory does not grow with the rows. A CSV
    file is read whole, because its types rest on all rows. Hashing runs in two threads beside the
    reading; ``hashlib`` releases the interpreter's lock.

    Raises
    ------
    DataError
        As :func:`trackrecord.data.sources.read_table`, and for columns without a canonical kind.
    """
    import polars as pl

    types = dict(types or {})
    check_timezone(timezone)
    if isinstance(source, pl.DataFrame):
        check_columns(source.columns, types, "the frame")
        return _digest(source.columns, _frame_batches(source), types, timezone, "the frame")
    form = sniff(source)
    # Text declared a number is whole or not by all its rows, like a column of a CSV file.
    if form == "csv" or "number" in types.values():
        frame = read_table(source, types, timezone)
        return _digest(frame.columns, _frame_batches(frame), {}, timezone, source.name)
    return _digest_file(source, form, types, timezone)


def scores_digest(frame: pl.DataFrame) -> str:
    """The digest of ``id`` and every ``score.NAME`` column, rows and columns in order of name.

    A run records it of each part before anybody sees the truth; the Outcomes that are evaluated
    later have to give it again.
    """
    names = sorted(name for name in frame.columns if name.startswith("score."))
    return table_digest(frame.select("id", *names).sort("id")).digest


def _digest_file(path: Path, form: str, types: dict[str, str], timezone: str) -> TableDigest:
    import pyarrow as pa

    try:
        if form == "parquet":
            import pyarrow.parquet as pq

            # Columns are decoded in row order with the buffers of one row group in memory.
            with pq.ParquetFile(path, pre_buffer=False) as file:
                names = file.schema_arrow.names
                check_columns(names, types, path.name)
                check_schema(file.schema_arrow, path.name)
                batches = (b.columns for b in file.iter_batches(batch_size=READ_ROWS))
                return _digest(names, batches, types, timezone, path.name)
        with pa.memory_map(str(path)) as source:
            start = source.read(6)
            source.seek(0)
            reader: Any
            if start == b"ARROW1":
                reader = pa.ipc.open_file(source)
                stream = (reader.get_batch(i) for i in range(reader.num_record_batches))
            else:
                reader = pa.ipc.open_stream(source)
                stream = iter(reader)
            check_columns(reader.schema.names, types, path.name)
            check_schema(reader.schema, path.name)
            batches = (b.columns for b in stream)
            return _digest(reader.schema.names, batches, types, timezone, path.name)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, form, error) from None


def _frame_batches(frame: pl.DataFrame) -> Iterator[list[pl.Series]]:
    for start in range(0, frame.height, READ_ROWS):
        yield frame.slice(start, READ_ROWS).get_columns()


def _digest(
    names: list[str],
    batches: Iterator[list[Any]],
    types: dict[str, str],
    timezone: str,
    where: str,
) -> TableDigest:
    columns = [_Column(name, types.get(name), timezone, where) for name in names]
    rows = 0
    pending: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            for batch in batches:
                # Each column's streams are fed in order: one batch is done before the next begins,
                # and the next is decoded meanwhile.
                for future in pending:
                    future.result()
                pending = [
                    pool.submit(column.add, values, rows)
                    for column, values in zip(columns, batch, strict=True)
                ]
                rows += len(batch[0]) if batch else 0
        finally:
            results = [future.exception() for future in pending]
        for error in results:
            if error is not None:
                raise error
    if rows == 0:
        raise DataError(f"{where} has no rows", why="a digest of nothing says nothing")
    found = [column.finish(rows) for column in sorted(columns, key=lambda c: c.name)]
    whole = {"version": NAME, "rows": rows, "columns": [msgspec.to_builtins(c) for c in found]}
    return TableDigest(rows=rows, columns=found, digest=_sha256_json(whole))


def _sha256_json(value: Any) -> str:
    import rfc8785

    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


class _Column:
    """The running streams of one column. Mutable, and touched by one thread at a time."""

    def __init__(self, name: str, declared: str | None, timezone: str, where: str) -> None:
        self.name = name
        self.declared = declared
        self.timezone = timezone
        self.where = where
        self.kind = "missing"
        self.streams: dict[str, Any] = {}

    def add(self, values: Any, start: int) -> None:
        """Feed one batch (an Arrow array or a Polars series) whose first row is ``start``."""
        for first in range(0, len(values), BATCH_ROWS):
            part = values[first : first + BATCH_ROWS]
            kind, content = self._encode(part, start + first)
            if kind == "missing":
                self._add_missing(len(part))
                continue
            if self.kind == "missing":
                self.kind = kind
                self.streams = {name: hashlib.sha256() for name in WIDTHS[kind]}
                # The kind shows at the first value; the rows before it are made up for here.
                self._add_missing(start + first)
            elif self.kind != kind:  # pragma: no cover - one column of a file has one type
                raise DataError(
                    f"the column {self.name!r} turns from {self.kind} to {kind}", where=self.where
                )
            for name, data in content.items():
                self.streams[name].update(data)

    def finish(self, rows: int) -> ColumnDigest:
        """The column's digest after its last batch."""
        streams = {name: stream.hexdigest() for name, stream in self.streams.items()}
        content = {"name": self.name, "type": self.kind, "rows": rows, "streams": streams}
        return ColumnDigest(self.name, self.kind, _sha256_json(content))

    def _add_missing(self, rows: int) -> None:
        for name, stream in self.streams.items():
            left = WIDTHS[self.kind][name] * rows
            while left > 0:
                stream.update(_ZEROS[: min(left, len(_ZEROS))])
                left -= len(_ZEROS)

    def _encode(self, values: Any, start: int) -> tuple[str, dict[str, Any]]:
        """The kind of one slice and what it adds to each stream."""
        import polars as pl

        if not isinstance(values, pl.Series):
            values = plain(values)
        if self.declared in (None, "string") and (text := _arrow_text(values)) is not None:
            return _encode_text(text, self.where)
        series = values if isinstance(values, pl.Series) else pl.Series(pl.from_arrow(values))
        series = series.alias(self.name)
        place = Place(self.where, start)
        if series.dtype != pl.Float64:  # for which _encode_numbers does the same, in fewer passes
            series = canonical(series, self.timezone, place)
        if self.declared is not None:
            series = as_kind(series, self.declared, self.timezone, place)
        kind = kind_of(series)
        if kind == "missing":
            return kind, {}
        if kind == "string":
            return _encode_text(_arrow_text(series), self.where)
        if kind == "number":
            return _encode_numbers(series, start)
        valid = series.is_not_null().to_numpy()
        dtype = {"boolean": "u1", "date": "<i4", "time": "<i8"}[kind]
        physical = series.to_physical().fill_null(strategy="zero").to_numpy()
        return kind, {"validity": valid.view("u1"), "values": physical.astype(dtype, copy=False)}


# Bytes that a missing row adds to each stream of a column, all of them zero.
WIDTHS: dict[str, dict[str, int]] = {
    "number": {"validity": 1, "values": 8, "exact": 0},
    "boolean": {"validity": 1, "values": 1},
    "string": {"lengths": 4, "values": 0},
    "date": {"validity": 1, "values": 4},
    "time": {"validity": 1, "values": 8},
}
_ZEROS = bytes(1 << 20)


def _encode_numbers(series: pl.Series, start: int) -> tuple[str, dict[str, Any]]:
    import numpy as np
    import polars as pl

    if series.dtype == pl.Float64:
        floats = series.to_numpy()  # a null becomes NaN here, and both are missing
        missing = np.isnan(floats)
        if missing.any():
            if missing.all():
                return "missing", {}
            floats = np.where(missing, 0.0, floats)
        # Adding zero turns -0.0 into 0.0 and changes nothing else.
        return "number", {"validity": (~missing).view("u1"), "values": _little(floats + 0.0)}
    valid = series.is_not_null().to_numpy()
    integers = series.fill_null(0).to_numpy()
    floats = integers.astype(np.float64)
    content = {"validity": valid.view("u1"), "values": _little(floats)}
    if floats.max() >= EXACT or floats.min() <= -EXACT:
        content["exact"] = _exact(integers, start)
    return "number", content


def _little(floats: np.ndarray) -> np.ndarray:
    return floats.astype("<f8", copy=False)


def _exact(integers: np.ndarray, start: int) -> np.ndarray:
    """Row number and 64 bits of each integer that float64 cannot hold.

    Float64 holds an integer when its odd part is below 2^53.
    """
    import numpy as np

    bits = integers.view(np.uint64)
    size = np.where(integers < 0, ~bits + np.uint64(1), bits)
    lowest = size & (~size + np.uint64(1))
    odd = size // np.maximum(lowest, np.uint64(1))
    rows = np.flatnonzero(odd >= EXACT)
    return np.stack([rows.astype(np.uint64) + np.uint64(start), bits[rows]], axis=1).astype("<u8")


def _arrow_text(values: Any) -> pa.Array | None:
    """A column of text as an Arrow array with offsets; None for any other column."""
    import polars as pl
    import pyarrow as pa

    if isinstance(values, pl.Series):
        if values.dtype != pl.String and not isinstance(values.dtype, pl.Categorical | pl.Enum):
            return None
        values = plain(values.cast(pl.String).to_arrow())
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    return values if is_text else None


def _encode_text(text: pa.Array | None, where: str) -> tuple[str, dict[str, Any]]:
    import numpy as np
    import pyarrow as pa

    if text is None:  # pragma: no cover - the caller has a column of strings
        raise TypeError(where)
    _, offset_bytes, body = text.buffers()
    width = np.dtype("<i4") if pa.types.is_string(text.type) else np.dtype("<i8")
    offsets = np.frombuffer(offset_bytes, width, len(text) + 1, text.offset * width.itemsize)
    lengths = np.diff(offsets)
    if text.null_count:
        present = text.is_valid().to_numpy(zero_copy_only=False)
        if lengths[~present].any():  # Arrow allows any bytes below a null
            return _encode_text(pa.array(text.to_pylist(), pa.large_string()), where)
    if not lengths.any():
        return "missing", {}
    if lengths.max() > 0xFFFFFFFF:
        raise DataError("a string is longer than 4 GiB", where=where)
    return "string", {
        "lengths": lengths.astype("<u4"),
        "values": memoryview(body)[int(offsets[0]) : int(offsets[-1])],
    }
