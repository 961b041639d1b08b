"""The area under the ROC curve and its error, from one sort and without any row's influence.

A score that is not negative has a bit pattern that sorts as it does, with a free highest bit; moved
up by one, the truth fits below it. So one sort of whole numbers, which the processor does eight at
a time, puts scores and labels in order together, and places are read off by counting (compare
Sun & Xu 2014). The sums are those that ``spread_of`` makes of the influences.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.ranking import both_classes
from trackrecord.stats.spread import Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Keys = NDArray[np.uint64]

ONE = np.uint64(1)


def area_and_spread(truth: NDArray[np.int8], score: Floats) -> tuple[float, Spread] | None:
    """The area, and the spread that its influences have; None where scores do not fit in keys.

    Undefined unless both classes are there.
    """
    positives, negatives = both_classes(truth)
    keys = _keys(truth, score)
    if keys is None:
        return None
    keys.sort()
    label = (keys & ONE).astype(bool)
    of_positive: NDArray[np.int64] | None = None
    of_negative: NDArray[np.int64] | None = None
    if bool(np.any((keys[1:] ^ keys[:-1]) <= ONE)):
        below, above, of_positive, of_negative = _tied(keys, label, positives)
    else:
        below = 2 * (np.flatnonzero(label) - np.arange(positives))
        above = 2 * (positives - np.flatnonzero(~label) + np.arange(negatives))
    whole = int(below.sum() if of_positive is None else below @ of_positive)
    area = whole / (2 * positives * negatives)
    n = truth.size
    high, high_fourth = _powers(below, area, negatives, of_positive)
    low, low_fourth = _powers(above, area, positives, of_negative)
    up, down = (n / positives) ** 2, (n / negatives) ** 2
    squares, fourths = up * high + down * low, up * up * high_fourth + down * down * low_fourth
    alone = sum(
        part / (1 - 1 / rows)
        for part, rows in ((up * high, positives), (down * low, negatives))
        if rows > 1
    )
    sparse = float(min(positives, negatives))
    carriers = squares * squares / fourths if fourths > 0 else 0.0
    return area, Spread(math.sqrt(alone) / n, sparse, None, carriers, sparse, n)


def _keys(truth: NDArray[np.int8], score: Floats) -> Keys | None:
    """Scores as whole numbers in the same order, doubled, plus the truth."""
    # adding 0 makes -0 the 0 that it equals
    bits = (score + 0.0).view(np.int64)
    if int(bits.min()) < 0:
        bits = np.where(bits < 0, np.int64(-(2**63)) - bits, bits)
        low, high = int(bits.min()), int(bits.max())
        if high - low >= 2**63:
            return None
        bits = bits - low
    keys = bits.view(np.uint64) << ONE
    keys |= truth.view(np.uint8)
    return keys


def _tied(keys: Keys, label: NDArray[np.bool_], positives: int) -> tuple[NDArray[np.int64], ...]:
    """Twice the places of each group of equal scores, and its rows of either class."""
    starts = np.flatnonzero(np.r_[True, (keys[1:] ^ keys[:-1]) > ONE])
    mine = np.add.reduceat(label, starts, dtype=np.int64)
    others = np.diff(starts, append=keys.size) - mine
    below = 2 * np.cumsum(others) - others
    above = 2 * positives - (2 * np.cumsum(mine) - mine)
    return below, above, mine, others


def _powers(
    twice: NDArray[np.int64], area: float, rows: int, count: NDArray[np.int64] | None
) -> tuple[float, float]:
    """Sums of the squares and fourth powers of placements about the area."""
    off = twice / (2 * rows) - area
    square = off * off
    if count is None:
        return float(square.sum()), float(square @ square)
    return float(count @ square), float((count * square) @ square)
