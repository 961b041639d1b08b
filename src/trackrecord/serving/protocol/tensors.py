"""Tensors as the protocol sends them: JSON or bytes in, columns out; and back."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.serving.exchange import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The protocol's data types: (NumPy's letter for little-endian bytes, what JSON elements must be).
TYPES: dict[str, tuple[str, Any]] = {
    "BOOL": ("?", bool),
    "UINT8": ("u1", int),
    "UINT16": ("<u2", int),
    "UINT32": ("<u4", int),
    "UINT64": ("<u8", int),
    "INT8": ("i1", int),
    "INT16": ("<i2", int),
    "INT32": ("<i4", int),
    "INT64": ("<i8", int),
    "FP16": ("<f2", float),
    "FP32": ("<f4", float),
    "FP64": ("<f8", float),
}
BYTES = "BYTES"
BOOL = "BOOL"
# Elements of one tensor: more than a body can hold, less than a product that overflows.
MOST = 100_000_000


class Tensor(msgspec.Struct, frozen=True):
    """An input of a request, or the wish for an output."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: msgspec.Raw = msgspec.Raw()


def elements(tensor: Tensor) -> int:
    """How many elements a tensor's shape says. Raises Refused for one that is no shape."""
    if any(size < 0 for size in tensor.shape) or len(tensor.shape) > 8:
        raise wrong(tensor, f"has the shape {tensor.shape[:8]}")
    count = math.prod(tensor.shape)
    if count > MOST:
        raise wrong(tensor, f"has the shape {tensor.shape[:8]}, which is too large")
    return count


def from_json(tensor: Tensor, count: int) -> list[Any]:
    """The elements of a tensor given as JSON, flat; null is a missing value. Raises Refused."""
    if tensor.datatype == BYTES:
        kind: Any = str
    elif tensor.datatype in TYPES:
        kind = TYPES[tensor.datatype][1]
    else:
        raise wrong(tensor, f"has the unknown datatype {tensor.datatype[:20]!r}")
    if not tensor.data:
        raise wrong(tensor, "has no data")
    flat: Any
    try:
        flat = msgspec.json.decode(tensor.data, type=list[kind | None])
    except (msgspec.MsgspecError, UnicodeError):
        try:
            nested = msgspec.json.decode(tensor.data, type=list[list[kind | None]])
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise wrong(
                tensor, f"has data that are no {tensor.datatype}: {str(error)[:150]}"
            ) from None
        if len(tensor.shape) < 2 or {len(line) for line in nested} - {tensor.shape[-1]}:
            raise wrong(tensor, f"has data that do not have the shape {tensor.shape}") from None
        flat = [value for line in nested for value in line]
    if len(flat) != count:
        raise wrong(tensor, f"has {len(flat):,} elements, and its shape says {count:,}")
    made: list[Any] = flat
    return made


def from_bytes(tensor: Tensor, data: memoryview, count: int) -> NDArray[Any] | list[Any]:
    """The elements of a tensor given as bytes, flat. Raises Refused."""
    import numpy as np

    if tensor.datatype == BYTES:
        return _texts(tensor, data, count)
    if tensor.datatype not in TYPES:
        raise wrong(tensor, f"has the unknown datatype {tensor.datatype[:20]!r}")
    kind = np.dtype(TYPES[tensor.datatype][0])
    if len(data) != count * kind.itemsize:
        raise wrong(
            tensor,
            f"has {len(data):,} bytes, and {count:,} elements of {tensor.datatype}"
            f" are {count * kind.itemsize:,}",
        )
    if tensor.datatype == BOOL:
        kind = np.dtype(np.uint8)
    array: NDArray[Any] = np.frombuffer(data, kind)
    return array != 0 if tensor.datatype == BOOL else array


def _texts(tensor: Tensor, data: memoryview, count: int) -> list[str]:
    found = []
    place = 0
    while place < len(data):
        if place + 4 > len(data):
            raise wrong(tensor, "ends within the length of an element")
        (size,) = struct.unpack_from("<I", data, place)
        place += 4
        if place + size > len(data):
            raise wrong(tensor, "ends within an element")
        try:
            found.append(str(data[place : place + size], "utf-8"))
        except UnicodeDecodeError:
            raise wrong(tensor, f"has bytes in element {len(found)} that are no UTF-8") from None
        place += size
    if len(found) != count:
        raise wrong(tensor, f"has {len(found):,} elements, and its shape says {count:,}")
    return found


def to_bytes(values: NDArray[np.generic], datatype: str) -> bytes:
    """The elements of an output as the protocol's bytes."""
    return values.astype(TYPES[datatype][0], copy=False).tobytes()


def wrong(tensor: Tensor, why: str) -> Refused:
    """400, naming the tensor."""
    return Refused(400, f"the input {tensor.name[:80]!r} {why}")
