"""Rows in the order of their scores, equal scores together: one sort for every ranking metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.influence import Undefined
from trackrecord.stats.remembering import remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Ranking(msgspec.Struct, frozen=True):
    """Groups of equal scores, ascending.

    ``order`` (n,) sorts the rows; ``truth`` (n,) is the sorted truth; ``group`` (n,) is each
    sorted row's group, None where each is its own; ``positives`` and ``negatives`` (k,) count each
    group's rows, or are their weights' sums; ``weight`` (n,) is each row's, unsorted, or None.
    """

    order: Ints
    truth: NDArray[np.int8]
    group: Ints | None
    positives: Ints | Floats
    negatives: Ints | Floats
    weight: Floats | None = None

    def spread(self, positive: Floats, negative: Floats) -> Floats:
        """Values (k,) for each group's positive and negative rows, laid out as the rows were."""
        values = np.empty(self.order.size)
        if self.group is None:
            values[self.order] = np.where(self.truth, positive, negative)
        else:
            both = np.concatenate([negative, positive])
            values[self.order] = both[self.group + self.truth * np.int64(positive.size)]
        return values if self.weight is None else values * self.weight


def rank(truth: NDArray[np.int8], score: Floats, weight: Floats | None = None) -> Ranking:
    """Sort rows by score (n,). One sort, no loop; the order within ties does not matter.

    Where columns are remembered, they are ranked once for all the metrics that ask.
    """
    if weight is not None:
        return _rank(truth, score, weight)
    return remembered("rank", (truth, score), lambda: _rank(truth, score, None))


def _rank(truth: NDArray[np.int8], score: Floats, weight: Floats | None) -> Ranking:
    # weights of equal scores are summed, and their sum depends on the order that they come in
    order = order_of(score) if weight is None else np.argsort(score)
    ranked = score[order]
    truth = truth[order]
    first = np.empty(score.size, dtype=bool)
    first[0] = True
    np.not_equal(ranked[1:], ranked[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    group = None if starts.size == score.size else np.cumsum(first) - 1
    if weight is not None:
        sorted_weight = weight[order]
        mine = np.where(truth != 0, sorted_weight, 0.0)
        return Ranking(
            order,
            truth,
            group,
            np.add.reduceat(mine, starts),
            np.add.reduceat(sorted_weight - mine, starts),
            weight,
        )
    if group is None:
        positives = truth.astype(np.int64)
        negatives = 1 - positives
    else:
        positives = np.add.reduceat(truth, starts, dtype=np.int64)
        negatives = np.diff(starts, append=score.size) - positives
    return Ranking(order, truth, group, positives, negatives)


def order_of(score: Floats) -> Ints:
    """What sorts the scores (n,), equal ones in any order."""
    return remembered("order", (score,), lambda: np.argsort(score))


def both_classes(truth: NDArray[np.int8]) -> tuple[int, int]:
    """How many rows are positive and negative. Undefined where either is missing."""
    positives = int(np.count_nonzero(truth))
    if positives == 0:
        raise Undefined("no row is positive")
    if positives == truth.size:
        raise Undefined("every row is positive")
    return positives, truth.size - positives


def class_weights(truth: NDArray[np.int8], weight: Floats | None) -> tuple[float, float]:
    """What positive and negative rows weigh: their numbers, where there are no weights."""
    positives, negatives = both_classes(truth)
    if weight is None:
        return positives, negatives
    heavy = float(weight[truth != 0].sum())
    return heavy, float(weight[truth == 0].sum())


def same_ranking(a: Floats, b: Floats) -> bool:
    """Whether two columns of scores (n,) order every pair of rows alike, ties included."""
    order = np.argsort(a)
    first, second = np.diff(a[order]), np.diff(b[order])
    return bool(np.array_equal(first > 0, second > 0) and np.all(second >= 0))
