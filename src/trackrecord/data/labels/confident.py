"""Confident learning: which labels are probably wrong, and how many (Northcutt et al. 2021).

Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Doubt(msgspec.Struct, frozen=True):
    """``rows`` in doubt, the worst first, each with the ``likely`` class and its ``margin``.

    ``margin`` is the given label's probability less the highest other one. ``joint`` (K, K) is the
    estimated share of rows with a label (row) and a true class (column). ``share`` of all labels
    is estimated to be wrong; ``lo`` to ``hi`` says how sure that is from the number of rows alone:
    a poor model doubts too much, and no interval shows that.
    """

    rows: NDArray[np.int64]
    likely: NDArray[np.int64]
    margin: NDArray[np.float64]
    joint: NDArray[np.float64]
    share: float
    lo: float
    hi: float


def confident_doubt(
    label: NDArray[np.int64], probability: NDArray[np.float64], level: float = 0.95
) -> Doubt:
    """From labels (n,) as codes 0 … K - 1, and cross-fitted probabilities (n, K).

    A class's threshold is the mean probability that its own rows are given (eq. 2); a row counts
    as the likeliest of the classes whose threshold it reaches (eq. 1); the counts, scaled to how
    often each label occurs, are the joint (eq. 3). Doubted are, of each label, as many rows as the
    joint says are of another class, the likeliest first ("prune by noise rate"), as far as their
    label is not their likeliest class. Raises BadInput where a class has no row or the
    probabilities are none.
    """
    n, kinds = probability.shape
    if label.shape != (n,) or n == 0 or label.min() < 0 or label.max() >= kinds:
        raise BadInput("labels and probabilities are not of the same rows and classes")
    if not np.isfinite(probability).all() or probability.min() < 0 or probability.max() > 1:
        raise BadInput("probabilities must lie in [0, 1]")
    rows = np.bincount(label, minlength=kinds)
    if (rows == 0).any():
        raise BadInput("a class has no row with its label")
    own = probability[np.arange(n), label]
    threshold = np.bincount(label, weights=own, minlength=kinds) / rows
    reached = np.where(probability >= threshold, probability, -1.0)
    counted = reached.argmax(axis=1)
    sure = reached.max(axis=1) >= 0
    counts = np.zeros((kinds, kinds))
    np.add.at(counts, (label[sure], counted[sure]), 1)
    confident = counts.sum(axis=1)
    empty = confident == 0
    counts[empty, empty] = confident[empty] = 1
    joint = counts / confident[:, None] * (rows / n)[:, None]
    wrong = 1 - np.diag(counts) / confident
    share = float(wrong @ rows / n)
    variance = float(((rows / n) ** 2 * wrong * (1 - wrong) / confident).sum())
    worth = share * (1 - share) / variance if variance > 0 else float(confident.sum())
    lo, hi = proportion(share * worth, worth, level)
    best = probability.copy()
    best[np.arange(n), label] = -1.0
    margin = own - best.max(axis=1)
    doubted = np.flatnonzero(_pruned(label, probability, own, joint) & (margin < 0))
    order = doubted[np.argsort(margin[doubted], kind="stable")]
    return Doubt(order, best[order].argmax(axis=1), margin[order], joint, share, lo, hi)


def _pruned(
    label: NDArray[np.int64],
    probability: NDArray[np.float64],
    own: NDArray[np.float64],
    joint: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Of each label as many rows as the joint says are of each other class: the likeliest ones."""
    picked = np.zeros(label.size, dtype=bool)
    wanted = np.rint(joint * label.size).astype(np.int64)
    for one, other in np.argwhere(wanted > 0):
        if one != other:
            rows = np.flatnonzero(label == one)
            gap = own[rows] - probability[rows, other]
            picked[rows[np.argsort(gap, kind="stable")[: wanted[one, other]]]] = True
    return picked
