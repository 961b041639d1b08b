"""All pairs of texts that are nearly the same, none missed: a set-similarity join, in numpy.

Two texts are near where the Jaccard share of their sets of word runs reaches a bound. Where the
runs of each text stand in the same order, rare ones first, near sets of n runs have one of the
first ``n - ceil(bound n) + 1`` in common (Bayardo, Ma & Srikant 2007, section 3): only texts that
meet there are compared. A bitmap of 64 bits for each set rules out most of these (Sandes, Teodoro
& Melo 2020), and what is left is counted exactly. MinHash with bands would miss one near pair in
ten at the bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trackrecord.data.leakage.shingles import FEWEST_WORDS, RUN, mixed, shingled
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Rows = NDArray[np.int64]

ALIKE = 0.6
# Some minutes' work: a table of texts made by one template has more.
MOST_PAIRS = 2_000_000_000
# Texts whose words, and pairs whose runs, stay in a core's caches.
TEXTS, PAIRS = 1 << 14, 1 << 17
COUNTED = 16
# Low bits of a run's place in the order that are its hash; above them is how frequent it is.
HASH_BITS = 57
MOST_BITS = 22


class _Sets(NamedTuple):
    """Sorted sets of runs below each other: ``runs[start[i] : start[i] + size[i]]``, rarest first.

    ``bitmap`` has a bit for each run of a set; ``first`` the runs that near sets meet in, and
    ``whose`` the set of each.
    """

    runs: Hashes
    start: Rows
    size: Rows
    bitmap: Hashes
    first: Hashes
    whose: Rows


def near_texts(train: pl.Series, test: pl.Series, share: float = ALIKE) -> NDArray[np.bool_]:
    """Which test texts (n,) have a training text whose Jaccard share with them is ``share``.

    Texts of fewer than 5 words are not judged: they repeat by chance.
    """
    import polars as pl

    both = pl.concat([train.cast(pl.String), test.cast(pl.String)], how="vertical")
    same, sets = _distinct(both, share)
    in_test = np.arange(len(both)) >= len(train)
    # The last is of texts that are not judged: they are number -1.
    sides = np.zeros((sets.size.size + 1, 2), dtype=bool)
    sides[same[~in_test], 0] = True
    sides[same[in_test], 1] = True
    found = sides[:, 0].copy()
    for one, other in _near_sets(sets, share, sides):
        found[one] |= sides[other, 0]
        found[other] |= sides[one, 0]
    found[-1] = False
    return found[same[len(train) :]]


def near_classes(texts: pl.Series, share: float = ALIKE) -> Rows:
    """A number for each text (n,), the same where a chain of near texts connects two.

    It is -1 for texts of fewer than 5 words, which are not judged.

    Raises DataError for texts so alike that too many pairs would have to be compared.
    """

    same, sets = _distinct(texts, share)
    label: Rows = np.arange(sets.size.size)
    waiting: list[tuple[Rows, Rows]] = []
    for pair in _near_sets(sets, share, label):
        waiting.append(pair)
        if sum(one.size for one, _ in waiting) >= PAIRS:
            _join(label, waiting)
            waiting = []
    _join(label, waiting)
    return np.where(same >= 0, label[same], -1) if label.size else same


def _join(label: Rows, pairs: list[tuple[Rows, Rows]]) -> None:
    """Give what a chain of pairs connects one label, in place."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if pairs:
        one, other = (label[np.concatenate(side)] for side in zip(*pairs, strict=True))
        edges = coo_array((np.ones(one.size), (one, other)), (label.size, label.size))
        label[:] = connected_components(edges, directed=False)[1][label]


def _distinct(texts: pl.Series, share: float) -> tuple[Rows, _Sets]:
    """The number of each text's set of runs, or -1 where it is not judged; and the sets."""
    text: list[Rows] = []
    found: list[list[NDArray[Any]]] = [[], [], [], [], [], []]
    count = 0
    parts = [shingled(texts[at : at + TEXTS], RUN) for at in range(0, len(texts), TEXTS)]
    level = _levels(parts)
    for number, (runs, owner) in enumerate(parts):
        for rows, sets in _sorted_rows(_placed(runs, level), owner):
            size = sets.shape[1]
            first = sets[:, : _prefix(size, share)]
            with np.errstate(over="ignore"):
                whole = mixed(sets).sum(1) + mixed(np.array([size], np.uint64))
            bitmap = np.bitwise_or.reduce(np.uint64(1) << (sets & np.uint64(63)), axis=1)
            whose = np.repeat(np.arange(count, count + rows.size), first.shape[1])
            text.append(rows + number * TEXTS)
            for part, more in zip(
                found,
                (sets.ravel(), np.full(rows.size, size), bitmap, first.ravel(), whose, whole),
                strict=True,
            ):
                part.append(more)
            count += rows.size
    same = np.full(len(texts), -1)
    if count == 0:
        none = np.zeros(0, np.uint64)
        return same, _Sets(none, same[:0], same[:0], none, none, same[:0])
    runs, size, bitmap, first, whose, whole = (np.concatenate(part) for part in found)
    _, chosen, which = np.unique(whole, return_index=True, return_inverse=True)
    same[np.concatenate(text)] = chosen[which]
    kept = np.zeros(count, dtype=bool)
    kept[chosen] = True
    kept = kept[whose]
    start = np.cumsum(size) - size
    return same, _Sets(runs, start, size, bitmap, first[kept], whose[kept])


def _sorted_rows(runs: Hashes, owner: Rows) -> Iterator[tuple[Rows, Hashes]]:
    """Texts with as many runs, and a matrix of these, sorted: one for each number of runs.

    Of runs that a text has twice, one is left. A text of few words is left out.
    """
    many = np.bincount(owner)
    start = np.cumsum(many) - many
    waiting = []
    for size in np.unique(many[many > FEWEST_WORDS - RUN]).tolist():
        rows = np.flatnonzero(many == size)
        sets = np.sort(runs[start[rows][:, None] + np.arange(size)], axis=1)
        twice = sets[:, 1:] == sets[:, :-1]
        once = ~twice.any(1)
        if once.all():
            yield rows, sets
            continue
        yield rows[once], sets[once]
        for row, some, same in zip(rows[~once], sets[~once], twice[~once], strict=True):
            waiting.append((row, some[np.r_[True, ~same]]))
    waiting.sort(key=lambda pair: pair[1].size)
    for _, group in itertools.groupby(waiting, key=lambda pair: pair[1].size):
        some_rows, some_sets = zip(*group, strict=True)
        yield np.array(some_rows), np.array(some_sets)


def _prefix(size: int, share: float) -> int:
    """How many of a set's runs, the rarest first, a set near it has one of."""
    return size - math.ceil(size * share * (1 - 1e-12)) + 1


def _levels(parts: list[tuple[Hashes, Rows]]) -> NDArray[np.uint8]:
    """How frequent runs are, from 0 to 127, by the first bits of their hash; collisions add up."""
    count = sum(runs.size for runs, _ in parts)
    bits = max(10, min(MOST_BITS, count.bit_length()))
    times = np.zeros(1 << bits, np.int64)
    for begin in range(0, len(parts), COUNTED):
        some = np.concatenate([runs for runs, _ in parts[begin : begin + COUNTED]])
        times += np.bincount((some >> np.uint64(64 - bits)).astype(np.int64), minlength=times.size)
    level = np.minimum(times, 64)
    many = times > 64
    level[many] = np.minimum(127, 64 + 2 * np.log2(times[many] / 64))
    return level.astype(np.uint8)


def _placed(runs: Hashes, level: NDArray[np.uint8]) -> Hashes:
    """Each run as a number that stands for it and sorts it: the rarer, the smaller."""
    often = level[runs >> np.uint64(65 - level.size.bit_length())].astype(np.uint64)
    placed: Hashes = (often << np.uint64(HASH_BITS)) | (runs >> np.uint64(64 - HASH_BITS))
    return placed


def _near_sets(
    sets: _Sets, share: float, told_apart: NDArray[np.bool_] | Rows
) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of sets whose Jaccard share is at least ``share``, chunk by chunk.

    ``told_apart`` leaves out pairs that say nothing new: (n, 2) which sides each set is on, of
    which a pair must hold both; or (n,) labels, which a pair must not share. They may change.
    """
    least = share * (1 - 1e-12)
    for one, other in _meeting(sets, least):
        if told_apart.ndim == 2:
            wanted = (told_apart[one] & told_apart[other][:, ::-1]).any(1)
        else:
            wanted = told_apart[one] != told_apart[other]
        one, other = one[wanted], other[wanted]
        common = _common(sets, one, other)
        near = common >= least * (sets.size[one] + sets.size[other] - common)
        if near.any():
            yield one[near], other[near]


def _members(sets: _Sets, some: Rows) -> tuple[Rows, Rows]:
    """Places in ``runs`` of the members of some sets, and which of ``some`` each is of."""
    size = sets.size[some]
    owner = np.repeat(np.arange(some.size), size)
    within = np.arange(owner.size) - np.repeat(np.cumsum(size) - size, size)
    return sets.start[some][owner] + within, owner


def _common(sets: _Sets, one: Rows, other: Rows) -> Rows:
    """How many runs each pair has in common."""
    if one.size == 0:
        return one
    rows, owner = _members(sets, one)
    more, whose = _members(sets, other)
    key = np.concatenate([sets.runs[rows], sets.runs[more]])
    pair = np.concatenate([owner, whose])
    order = np.lexsort((key, pair))
    key, pair = key[order], pair[order]
    twice = (key[1:] == key[:-1]) & (pair[1:] == pair[:-1])
    return np.bincount(pair[1:][twice], minlength=one.size)


def _meeting(sets: _Sets, least: float) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of sets that have one of their first runs in common, each at least once.

    Near sets of n runs together differ in no more than ``(1 - least) / (1 + least) n``: they differ
    in at least as many as their bitmaps do, and as their sizes do.
    """
    bits = np.uint64(int(sets.size.size).bit_length())
    packed = np.sort((sets.first << bits) | sets.whose.astype(np.uint64))
    run, whose = packed >> bits, (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    _check_pairs(run)
    bitmap, size = sets.bitmap[whose], sets.size[whose]
    most = (1 - least) / (1 + least) + 1e-12
    at = np.arange(run.size)
    for step in range(1, run.size):
        at = at[: np.searchsorted(at, run.size - step)]
        at = at[run[at] == run[at + step]]
        if at.size == 0:
            return
        for part in range(0, at.size, PAIRS):
            one = at[part : part + PAIRS]
            other = one + step
            apart = np.bitwise_count(bitmap[one] ^ bitmap[other])
            sizes = size[one], size[other]
            near = np.maximum(apart, np.abs(sizes[0] - sizes[1])) <= most * (sizes[0] + sizes[1])
            yield whose[one[near]], whose[other[near]]


def _check_pairs(run: Hashes) -> None:
    """Raise DataError where comparing all that meet would take too long."""
    ends = np.flatnonzero(np.r_[run[1:] != run[:-1], True]) if run.size else np.zeros(0, np.int64)
    times = np.diff(np.r_[-1, ends]).astype(float)
    pairs = float((times * (times - 1) / 2).sum())
    if pairs > MOST_PAIRS:
        raise DataError(
            f"the texts are too alike to compare: {pairs:,.0f} pairs have rare words in common",
            why="texts that are made from one template are all near one another",
            next="ask for a greater share, or tie them by the column that the template is of",
        )
