"""What windows hold, for many windows at once: extremes and different values of slices.

Slices may overlap as they like: the time taken grows with events and rows, not with their product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]


def slice_extremes(
    values: NDArray[Any], starts: Whole, ends: Whole, *, largest: bool
) -> NDArray[Any]:
    """The least or greatest of ``values[start:end]``; anything for an empty slice.

    Two overlapping pieces of a power of two cover a slice (Bender & Farach-Colton 2000): one pass
    over the values for each power, in the memory of one.
    """
    pick: Any = np.maximum if largest else np.minimum
    found = np.zeros(len(starts), values.dtype)
    lengths = ends - starts
    level = _log2(lengths)
    pieces, width = values, 1
    for power in range(int(level.max(initial=-1)) + 1):
        rows = np.flatnonzero(level == power)
        found[rows] = pick(pieces[starts[rows]], pieces[ends[rows] - width])
        if 2 * width > len(values):
            break
        pieces = pick(pieces[:-width], pieces[width:])
        width *= 2
    return found


def slice_distinct(codes: Whole, starts: Whole, ends: Whole) -> Whole:
    """How many different ``codes`` (whole numbers from 0) are in each slice.

    A place counts where the same code was last before the slice. Blocks of a power of two of those
    places, each sorted, cover a slice; a search in each block counts them.
    """
    n = len(codes)
    found = np.zeros(len(starts), np.int64)
    if n == 0:
        return found
    order = np.argsort(codes, kind="stable")
    same = codes[order[1:]] == codes[order[:-1]]
    before = np.full(n, -1, np.int64)
    before[order[1:][same]] = order[:-1][same]
    left, right, width = starts.copy(), ends.copy(), 1
    base = starts
    while (open_rows := np.flatnonzero(left < right)).size:
        blocks = -(-n // width)
        # The sorted places of block b lie between b (n + 2) and (b + 1) (n + 2).
        places = np.arange(n) // width * (n + 2) + before + 1
        places.sort()
        for side in (0, 1):
            if side == 0:
                rows = open_rows[left[open_rows] % 2 == 1]
                block = left[rows]
                left[rows] += 1
            else:
                rows = open_rows[(right[open_rows] % 2 == 1) & (right[open_rows] > left[open_rows])]
                right[rows] -= 1
                block = right[rows]
            inside = block < blocks
            rows, block = rows[inside], block[inside]
            below = np.searchsorted(places, block * (n + 2) + base[rows] + 1, side="left")
            found[rows] += below - block * width
        left[open_rows] //= 2
        right[open_rows] //= 2
        width *= 2
    return found


def _log2(lengths: Whole) -> Whole:
    """The greatest power of two that is not more; -1 for 0."""
    power = np.frexp(np.maximum(lengths, 0).astype(np.float64))[1].astype(np.int64) - 1
    return np.where(lengths > 0, power, -1)
