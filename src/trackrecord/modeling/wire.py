"""Messages between two processes of this program over a pipe: a header, then blobs of bytes.

A message is ``MAGIC``, the header's length, the header (MessagePack) and, for each blob, its length
and its bytes; lengths are eight bytes, little-endian. Frames travel a column at a time, as Arrow
streams, so that neither side holds a frame twice. Nothing is unpickled.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"\x93TRm"
_LENGTH = struct.Struct("<Q")


def send(
    stream: IO[bytes],
    header: dict[str, Any],
    blobs: Iterable[bytes | memoryview] = (),
    count: int = 0,
) -> None:
    """Write one message of ``count`` blobs. Raises OSError where nobody reads any more."""
    packed = msgspec.msgpack.encode({**header, "blobs": count})
    stream.write(MAGIC + _LENGTH.pack(len(packed)) + packed)
    for blob in blobs:
        stream.write(_LENGTH.pack(len(blob)))
        stream.write(blob)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]] | bytes:
    """The next message; or, where there is none, all that came instead of one (often nothing)."""
    start = stream.read(len(MAGIC))
    if start != MAGIC:
        return start + stream.read()
    try:
        header = msgspec.msgpack.decode(_blob(stream))
        return header, [_blob(stream) for _ in range(header["blobs"])]
    except EOFError:
        return b""


def columns_of(frame: pl.DataFrame) -> Iterator[memoryview]:
    """A frame's columns as blobs, one at a time."""
    for column in frame.iter_columns():
        sink = io.BytesIO()
        column.to_frame().write_ipc_stream(sink)
        yield sink.getbuffer()


def frame_of(blobs: list[bytes]) -> pl.DataFrame:
    """The frame that :func:`columns_of` took apart; each column in one piece. Empties ``blobs``."""
    import polars as pl

    columns = []
    while blobs:
        columns.append(pl.read_ipc_stream(blobs.pop(0)).to_series().rechunk())
    return pl.DataFrame(columns)


def _blob(stream: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return data
