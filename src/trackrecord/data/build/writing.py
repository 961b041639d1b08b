"""Record batches into one Parquet file in canonical kinds, with the memory of a few batches."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trackrecord.data.arrow import check_schema, plain
from trackrecord.data.ingest.record import SourceColumn
from trackrecord.data.sources import check_columns
from trackrecord.errors import DataError
from trackrecord.ledger.store import fsync

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 1 << 17
FULL = "free some space: nothing was half-written"
Kind = Literal["string", "number", "boolean", "date", "time", "missing"]


class Written(NamedTuple):
    """What is in the file."""

    rows: int
    columns: list[SourceColumn]


def write_table(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    out: Path,
    where: str,
    rows_so_far: Callable[[int], None] = lambda rows: None,
) -> Written:
    """Write ``batches`` to ``out``, whose bytes are on the disk afterwards.

    A row group is written while the next is made.

    Raises
    ------
    DataError
        For doubled or empty names, columns of no kind, and values that a kind cannot hold.
    """
    check_columns(schema.names, {}, where)
    check_schema(schema, where)
    try:
        return _write(batches, schema, out, where, rows_so_far)
    except OSError as error:
        raise DataError(
            f"the table of {where} cannot be written",
            where=out.parent.name,
            why=str(error).partition("\n")[0][:200],
            next=FULL if is_full(error) else None,
        ) from None


def _write(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    out: Path,
    where: str,
    rows_so_far: Callable[[int], None],
) -> Written:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = pa.schema([pa.field(field.name, _target(field.type)) for field in schema])
    missing = dict.fromkeys(schema.names, 0)
    rows, waiting, held = 0, list[Any](), 0
    with (
        pq.ParquetWriter(out, target, compression="snappy") as writer,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        pending: Future[None] | None = None

        def write(group: list[pa.RecordBatch]) -> None:
            table = _canonical(pa.Table.from_batches(group, schema), target, where)
            for name, column in zip(target.names, table.columns, strict=True):
                missing[name] += column.null_count
            writer.write_table(table, row_group_size=max(1, table.num_rows))

        for batch in batches:
            waiting.append(batch)
            held += batch.num_rows
            rows += batch.num_rows
            if held >= GROUP_ROWS:
                if pending is not None:
                    pending.result()
                pending = pool.submit(write, waiting)
                waiting, held = [], 0
                rows_so_far(rows)
        if pending is not None:
            pending.result()
        if waiting:
            write(waiting)
    with out.open("rb+") as file:
        fsync(file.fileno())
    columns = [
        SourceColumn(field.name, _kind(field.type) if missing[field.name] < rows else "missing",
                     missing[field.name])
        for field in target
    ]  # fmt: skip
    return Written(rows, columns)


def is_full(error: object) -> bool:
    """Whether an error, or its words, say that the disk has no more room."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    said = str(error).lower()
    return any(words in said for words in ("no space left", "file too large", "quota exceeded"))


def _target(kind: pa.DataType) -> pa.DataType:
    """The type that a column is kept in."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind):
        kind = kind.value_type
    if kinds.is_boolean(kind):
        return pa.bool_()
    if kinds.is_uint64(kind):
        return pa.uint64()
    if kinds.is_integer(kind) or (kinds.is_decimal(kind) and kind.scale == 0):
        return pa.int64()
    if kinds.is_floating(kind) or kinds.is_decimal(kind):
        return pa.float64()
    if kinds.is_date(kind):
        return pa.date32()
    if kinds.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    return pa.large_string()


def _kind(kind: pa.DataType) -> Kind:
    import pyarrow.types as kinds

    if kinds.is_boolean(kind):
        return "boolean"
    if kinds.is_date(kind):
        return "date"
    if kinds.is_timestamp(kind):
        return "time"
    return "string" if kinds.is_large_string(kind) else "number"


def _canonical(table: pa.Table, target: pa.Schema, where: str) -> pa.Table:
    import pyarrow as pa

    made = []
    for field, column in zip(target, table.columns, strict=True):
        try:
            made.append(_cast(plain(column), field.type))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"the column {field.name!r} has values that cannot be kept",
                where=where,
                why=_reason(column.type, error),
                next=f"CAST {field.name} in the last SELECT, or in the function, to what it is",
            ) from None
    return pa.table(made, schema=target)


def _cast(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """One column in its kind: NaN and the empty string are missing."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    have = column.type
    if kinds.is_decimal(have) and kinds.is_floating(target):
        # Through text, which is correctly rounded: 0.1 is then the 0.1 of any other file.
        column = column.cast(pa.string())
    if kinds.is_timestamp(have) and have.tz and have.tz != "UTC":
        column = column.cast(pa.timestamp(have.unit, "UTC"))
    column = column.cast(target)
    if kinds.is_floating(target):
        nan = pc.is_nan(column)
        return pc.if_else(nan, None, column) if pc.any(nan).as_py() else column
    if kinds.is_large_string(target):
        empty = pc.equal(column, "")
        return pc.if_else(empty, None, column) if pc.any(empty).as_py() else column
    if kinds.is_date(target) or kinds.is_timestamp(target):
        whole = column.cast(pa.int32() if kinds.is_date(target) else pa.int64())
        ends = pc.min_max(whole).as_py()
        most = 2**31 - 1 if kinds.is_date(target) else 2**63 - 1
        if ends["max"] is not None and (ends["max"] >= most or ends["min"] <= -most):
            raise pa.ArrowInvalid("there is an infinite date or time")
    return column


def _reason(kind: pa.DataType, error: Exception) -> str:
    import pyarrow.types as kinds

    if kinds.is_decimal(kind):
        return "whole numbers of more than 64 bits, which a sum of whole numbers can be"
    if kinds.is_timestamp(kind) and kind.unit == "ns":
        return "times finer than a microsecond"
    return str(error).partition("\n")[0][:200]
