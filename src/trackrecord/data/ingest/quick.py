"""Text to values without leaving Arrow, for blocks that are written as a program writes them.

Arrow's parsers are quick and lenient: they take ``0x1F`` for a number, ``1`` for true and a day
for a moment. So each reading here is *proved* to be the strict one by bytes alone – how many there
are, which is the largest, what stands at the edges – and where that proves nothing the answer is
None: then :mod:`trackrecord.data.ingest.forms` looks at every value. A test holds both together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Ends = NDArray[np.int64]

NINE, ZERO, MINUS, PLUS, ZULU = b"90-+Z"
POWERS = 10 ** np.arange(1, 19, dtype=np.int64)
# Of a clock without a zone: minutes, seconds, and one to six digits of a fraction. What Arrow also
# takes, a day or an hour alone, is shorter.
CLOCKS = np.isin(np.arange(64), [16, 19, *range(21, 27)])


def quick(values: pa.Array, form: str) -> pa.Array | None:
    """The values of a block in a form; None where a closer look is needed. Nulls stay.

    ``values`` are large strings.
    """
    import pyarrow as pa

    kernel = KERNELS.get(form)
    if kernel is None or len(values) == 0:
        return None
    try:
        return kernel(values, *_buffers(values))
    except pa.ArrowInvalid:
        return None


def negative(whole: pa.Array) -> bool:
    """Whether any whole number is below zero."""
    import pyarrow.compute as pc

    least = pc.min(whole).as_py()
    return least is not None and least < 0


def lengths(values: pa.Array) -> Ends:
    """The bytes of each value."""
    return np.diff(_buffers(values)[0])


def _buffers(values: pa.Array) -> tuple[Ends, Bytes]:
    """Where each value begins and the last ends, and the bytes of all."""
    _, ends, data = values.buffers()
    at = np.frombuffer(ends, np.int64, len(values) + 1, 8 * values.offset)
    return at, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _int(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """As many bytes as digits and signs: so no zeros in front, no plus. None above 9: no 0x1F."""
    import pyarrow as pa

    used = data[at[0] : at[-1]]
    if used.size == 0 or used.max() > NINE:
        return None
    made = values.cast(pa.int64())
    numbers = _numbers(made)
    size = np.abs(numbers)
    needed = numbers.size - made.null_count + int(np.count_nonzero(numbers < 0))
    most = size.max()
    for power in POWERS[: np.searchsorted(POWERS, most, side="right")]:
        needed += int(np.count_nonzero(size >= power))
    return made if needed == used.size else None


def _float(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """All finite, and none with a zero before another digit."""
    import pyarrow as pa

    if at[0] == at[-1]:
        return None
    made = values.cast(pa.float64())
    if not np.isfinite(_numbers(made)).all():
        return None
    return None if _zeros(at, data) else made


def _zeros(at: Ends, data: Bytes) -> bool:
    """Whether any value is like 05 or -05."""
    start, size = at[:-1], np.diff(at)
    start, size = start[size > 1], size[size > 1]
    first = data[start]
    zeros = start[first == ZERO]
    if _digit(data[zeros + 1]).any():
        return True
    signed = start[((first == MINUS) | (first == PLUS)) & (size > 2)]
    zeros = signed[data[signed + 1] == ZERO]
    return bool(_digit(data[zeros + 2]).any())


def _digit(marks: Bytes) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (marks >= ZERO) & (marks <= NINE)
    return found


def _boolean(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """Four bytes for each true, five for each false: no 1 and no 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    made = values.cast(pa.bool_())
    true = pc.sum(made).as_py() or 0
    false = len(made) - made.null_count - true
    return made if 4 * true + 5 * false == int(at[-1] - at[0]) else None


def _date(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """Ten bytes each."""
    import pyarrow as pa

    made = values.cast(pa.date32())
    return made if 10 * (len(made) - made.null_count) == int(at[-1] - at[0]) else None


def _local(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """Lengths that only a day with a clock has."""
    import pyarrow as pa

    size = np.diff(at)
    size = size[size > 0]
    if size.size == 0 or size.max() > 26 or not CLOCKS[size].all():
        return None
    return values.cast(pa.timestamp("us"))


def _time(values: pa.Array, at: Ends, data: Bytes) -> pa.Array | None:
    """The same with a Z behind."""
    import pyarrow as pa

    size, last = np.diff(at), at[1:] - 1
    size, last = size[size > 0], last[size > 0]
    if size.size == 0 or size.max() > 27 or not CLOCKS[size - 1].all():
        return None
    return values.cast(pa.timestamp("us", "UTC")) if (data[last] == ZULU).all() else None


def _numbers(made: pa.Array) -> NDArray[np.int64]:
    """The values, with 0 where there is none."""
    filled = made.fill_null(0) if made.null_count else made
    numbers: NDArray[np.int64] = filled.to_numpy()
    return numbers


KERNELS = {
    "int": _int,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "local": _local,
}
