"""Reads a stranger's Parquet file within bounds that are known before anything is unpacked.

A few kilobytes of Parquet can claim to be terabytes: in a compressed page, in a run of one value,
in a dictionary of one long string. So the pages' own headers are walked first (they say what each
unpacks to), and text is added up before it is written out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.portfolio.checking.folder import MB, Unreadable

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 1_000 * MB
MAX_COLUMNS = 2_000
MAX_PAGES = 100_000

# Apache Parquet, parquet.thrift, PageHeader: fields 2 and 3; Thrift compact protocol's types.
_UNCOMPRESSED, _COMPRESSED = 2, 3
_VARINTS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (4, 5, 6), 7, 8, (9, 10), 11, 12


def read_parquet(path: Path) -> pl.DataFrame:
    """The table in ``path``. Raises Unreadable where it is broken or would unpack to too much."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(
            path, thrift_string_size_limit=10 * MB, thrift_container_size_limit=1_000_000
        ) as file:
            texts = _bounded(file, path)
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(use_threads=True)
            table.validate(full=True)
            return _decoded(table, texts)
    except Unreadable:
        raise
    except BaseException as error:
        # What a broken file does to two native libraries is not one family of exceptions.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise Unreadable(f"it is not Parquet that can be read: {error}") from None


def _bounded(file: Any, path: Path) -> list[str]:
    """Names of the text columns, once the sizes are known to be bearable."""
    import pyarrow.types as kinds

    metadata = file.metadata
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > MAX_COLUMNS or rows * columns * 8 > MAX_BYTES:
        raise Unreadable(f"it would unpack to {rows:,} rows of {columns:,} columns")
    texts = []
    for field in file.schema_arrow:
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind):
            texts.append(field.name)
        elif not (kinds.is_primitive(kind) or kinds.is_null(kind)):
            raise Unreadable(f"its column {field.name!r} is {kind}, which outcomes never have")
    with path.open("rb") as raw:
        unpacked = sum(
            _unpacked(raw, metadata.row_group(group).column(column))
            for group in range(metadata.num_row_groups)
            for column in range(columns)
        )
    if unpacked > MAX_BYTES:
        raise Unreadable(f"it would unpack to {unpacked // MB:,} MB")
    return texts


def _unpacked(raw: Any, chunk: Any) -> int:
    """What one column chunk's pages say that they unpack to, in bytes."""
    first = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        first = min(first, chunk.dictionary_page_offset)
    position, end = first, first + chunk.total_compressed_size
    total = 0
    for _ in range(MAX_PAGES):
        if position >= end:
            return total
        raw.seek(position)
        header = raw.read(min(end - position, 64_000))
        unpacked, packed, length = _page_header(header)
        if unpacked < 0 or packed < 0 or position + length + packed > end:
            raise Unreadable("a page of it is larger than its column")
        total += unpacked
        position += length + packed
    raise Unreadable("it has too many pages")


def _page_header(data: bytes) -> tuple[int, int, int]:
    """(unpacked bytes, packed bytes, length of the header) of a page."""
    try:
        fields, length = _struct(data, 0, 0)
        return fields[_UNCOMPRESSED], fields[_COMPRESSED], length
    except (IndexError, KeyError):
        raise Unreadable("it has a page without a readable header") from None


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, int], int]:
    """Whole-number fields of a struct in Thrift's compact protocol, and where it ends."""
    if depth > 8:
        raise IndexError
    fields: dict[int, int] = {}
    number = 0
    while True:
        head = data[at]
        at += 1
        if head == 0:
            return fields, at
        kind = head & 15
        if head >> 4:
            number += head >> 4
        else:
            number, at = _zigzag(data, at)
        value, at = _value(data, at, kind, depth)
        if value is not None:
            fields[number] = value


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[int | None, int]:
    if kind in (1, 2):
        return None, at
    if kind == 3:
        return None, at + 1
    if kind in _VARINTS:
        return _zigzag(data, at)
    if kind == _DOUBLE:
        return None, at + 8
    if kind == _BINARY:
        size, at = _varint(data, at)
        return None, at + size
    if kind in _LISTS:
        head = data[at]
        at += 1
        size = head >> 4
        if size == 15:
            size, at = _varint(data, at)
        for _ in range(size):
            _, at = _value(data, at + (head & 15 in (1, 2)), head & 15, depth + 1)
            if at > len(data):
                raise IndexError
        return None, at
    if kind == _STRUCT:
        _, at = _struct(data, at, depth + 1)
        return None, at
    raise IndexError


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise IndexError


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _decoded(table: Any, texts: list[str]) -> pl.DataFrame:
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in texts:
        column = table.column(name)
        size = 0
        for part in column.chunks:
            lengths = pc.take(pc.binary_length(part.dictionary), part.indices)
            size += pc.sum(lengths, min_count=0).as_py() or 0
            if size > MAX_BYTES:
                raise Unreadable(f"the texts in its column {name!r} would unpack to too much")
        place = table.schema.get_field_index(name)
        text = column.cast(pa.large_string())
        text.validate(full=True)  # that it is UTF-8, which its readers take for granted
        table = table.set_column(place, name, text)
    frame = pl.from_arrow(table, rechunk=True)
    assert isinstance(frame, pl.DataFrame)
    return frame
