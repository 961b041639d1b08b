"""Ranking metrics of more rows than a sort of 64-bit indices has room for, by counting.

A score becomes a whole number that sorts as it does, with the truth in its lowest bit: 32 bits for
a 32-bit score, 64 for a 64-bit one, exactly. Scores below zero go into an array of their own, for
want of a bit. Once these keys are sorted, one walk over groups of equal scores gives each group's
placement, and the merging sums of powers (``powers.py``) give the spread that all the influences
would have. Beside the keys, memory holds one block of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.stats.influence import Undefined
from trackrecord.stats.powers import (
    NONE,
    inner,
    merge_powers,
    powers_counted,
    spread_of_powers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trackrecord.stats.spread import Spread

    Ints = NDArray[np.int64]
    Keys = NDArray[np.unsignedinteger[Any]]
    Scores = NDArray[np.float32] | NDArray[np.float64]

# keys that stay in the processor's first caches while their groups are counted
BLOCK = 1 << 14


class Ranked(msgspec.Struct, frozen=True):
    """What one walk over the sorted rows gives: ``roc_auc`` and ``average_precision``, each with
    its spread, of ``positives`` and ``negatives`` rows in ``groups`` of equal scores. Precision is
    None where it was not asked for."""

    positives: int
    negatives: int
    groups: int
    roc_auc: tuple[float, Spread]
    average_precision: tuple[float, Spread] | None


def keys_of(truth: NDArray[np.int8] | int, score: Scores) -> tuple[Keys, Keys]:
    """The keys of the rows (n,) that score below zero, and of the others, unsorted.

    ``truth`` is 0 or 1, of each row or of all; ``score`` holds finite 32- or 64-bit floats.
    """
    whole: Any = np.uint32 if score.dtype == np.float32 else np.uint64
    zero, one = score.dtype.type(0), whole(1)
    below = np.empty(int(np.count_nonzero(score < 0)), whole)
    above = np.empty(score.size - below.size, whole)
    low = high = 0
    for start in range(0, score.size, BLOCK):
        values = score[start : start + BLOCK]
        label: Any = truth if isinstance(truth, int) else truth[start : start + BLOCK]
        label = np.asarray(label, dtype=whole)
        # adding 0 makes -0 the 0 that it equals
        bits: Any = (values + zero).view(whole)
        if below.size and (minus := values < 0).any():
            # the greater a negative score's size, the lower it ranks: its bits inverted, which
            # turns the sign's bit to 0
            label = np.broadcast_to(label, values.shape)
            found = ~bits[minus] << one | label[minus]
            below[low : low + found.size] = found
            low += found.size
            bits, label = bits[~minus], label[~minus]
        bits <<= one
        bits |= label
        above[high : high + bits.size] = bits
        high += bits.size
    return below, above


def walk(keys: Keys) -> Iterator[tuple[Ints, Ints]]:
    """Of sorted ``keys``, blocks of groups of equal scores, ascending: how many rows of each group
    are positive (k,), and how many negative (k,)."""
    one = keys.dtype.type(1)
    start, n = 0, keys.size
    while start < n:
        end = min(start + BLOCK, n)
        block = keys[start:end]
        fresh = np.flatnonzero((block[1:] ^ block[:-1]) > one)
        if end < n:
            # the last group may go on: the next block begins with it
            if fresh.size == 0:
                yield _one_group(keys, start)
                start = int(np.searchsorted(keys, block[0] | one, side="right"))
                continue
            end = start + int(fresh[-1]) + 1
            block = keys[start:end]
            fresh = fresh[:-1]
        hits = np.cumsum((block & one).astype(np.uint8), dtype=np.int64)
        mine = np.diff(hits[fresh], prepend=0, append=hits[-1])
        yield mine, np.diff(fresh, prepend=-1, append=block.size - 1) - mine
        start = end


def _one_group(keys: Keys, start: int) -> tuple[Ints, Ints]:
    """A group of more rows than a block has."""
    first = keys[start] | keys.dtype.type(1)
    middle = int(np.searchsorted(keys, first, side="left"))
    end = int(np.searchsorted(keys, first, side="right"))
    return np.array([end - middle]), np.array([middle - start])


def ranked(below: Keys, above: Keys, positives: int, *, precision: bool = True) -> Ranked:
    """Area and average precision of sorted keys: of scores below zero, and of the others.

    What ``area_and_spread`` and ``average_precision`` make of the rows (DeLong, DeLong &
    Clarke-Pearson 1988; Boyd, Eng & Page 2013), the latter left out unless ``precision`` is asked.
    Undefined unless both classes are there.
    """
    n = below.size + above.size
    negatives = n - positives
    if positives == 0 or negatives == 0:
        raise Undefined("no row is positive" if positives == 0 else "every row is positive")
    whole = groups = seen = passed = 0
    v10 = v01 = NONE
    precise = _Precise(positives, n) if precision else None
    for keys in (below, above):
        for mine, others in walk(keys):
            hits, alarms = np.cumsum(mine), np.cumsum(others)
            low = 2 * (passed + alarms) - others
            high = 2 * (positives - seen) - 2 * hits + mine
            whole += int(low @ mine)
            v10 = merge_powers(v10, powers_counted(low / (2 * negatives), mine))
            v01 = merge_powers(v01, powers_counted(high / (2 * positives), others))
            if precise is not None:
                precise.add(mine, others, seen + hits - mine, passed + alarms - others)
            groups += mine.size
            seen, passed = seen + int(hits[-1]), passed + int(alarms[-1])
    area = whole / (2 * positives * negatives)
    return Ranked(
        positives,
        negatives,
        groups,
        (area, spread_of_powers((v01, v10), (area, area), (n / negatives, n / positives))),
        None if precise is None else precise.found(),
    )


class _Precise:
    """Average precision, a block of groups at a time."""

    __slots__ = ("gained", "lost", "n", "positives", "share", "spoilt", "total")

    def __init__(self, positives: int, n: int) -> None:
        self.positives, self.n = positives, n
        self.total = self.share = self.spoilt = 0.0
        self.gained = self.lost = NONE

    def add(self, mine: Ints, others: Ints, seen: Ints, passed: Ints) -> None:
        """Groups (k,): rows of either class in them, and in all groups below them."""
        rows = self.n - seen - passed
        precision = (self.positives - seen) / rows
        rate = mine / rows
        share = self.share + np.cumsum(rate)
        spoilt = self.spoilt + np.cumsum(rate * precision)
        self.total += inner(mine.astype(np.float64), precision)
        self.gained = merge_powers(self.gained, powers_counted(precision + share - spoilt, mine))
        self.lost = merge_powers(self.lost, powers_counted(-spoilt, others))
        self.share, self.spoilt = float(share[-1]), float(spoilt[-1])

    def found(self) -> tuple[float, Spread]:
        """The value, and its spread."""
        value, scale = self.total / self.positives, self.n / self.positives
        return value, spread_of_powers((self.lost, self.gained), (0.0, value), (scale, scale))
