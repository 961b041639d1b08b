"""What a pipeline would show by chance: on labels that mean nothing, and from run to run."""

from __future__ import annotations

from itertools import combinations

import numpy as np

MOST_CLASSES = 12


def beyond_chance(predicted: np.ndarray, truth: np.ndarray) -> float:
    """How well predictions tell the truth, 0.5 where they tell nothing.

    The area for one number a row – of a truth of more than two values, of its upper half; the mean
    area of each class against the rest, by their shares, for (n, classes) numbers; else, for
    predicted classes, half of 1 + kappa.
    """
    from trackrecord.data.leakage.scores import area_of

    classes, codes = np.unique(truth, return_inverse=True)
    if predicted.ndim == 2:
        if predicted.shape[1] == classes.size:
            weights = np.bincount(codes) / codes.size
            areas = [
                area_of(predicted[:, one], (codes == one).astype(np.int8)).value
                for one in range(classes.size)
            ]
            return float(np.dot(weights, areas))
        predicted = predicted.argmax(1).astype(str)
    if predicted.dtype.kind != "f":
        return _agreement(predicted, truth.astype(str))
    named = truth.dtype.kind not in "biuf"
    if classes.size == 2 or named:
        return area_of(predicted, (codes == classes.size - 1).astype(np.int8)).value
    if classes.size <= MOST_CLASSES and np.isin(predicted, classes).all():
        return _agreement(predicted, truth.astype(float))
    middle = np.median(truth)
    above = truth > middle if (truth > middle).any() else truth >= middle
    return area_of(predicted, above.astype(np.int8)).value


def _agreement(predicted: np.ndarray, truth: np.ndarray) -> float:
    values = np.unique(np.concatenate([predicted, truth]))
    by_chance = sum(float((predicted == one).mean() * (truth == one).mean()) for one in values)
    if by_chance >= 1:
        return 0.5
    kappa = (float((predicted == truth).mean()) - by_chance) / (1 - by_chance)
    return (1 + kappa) / 2


def interval(scores: np.ndarray) -> tuple[float, float, float, float]:
    """The mean, its 99 % interval, and p for "no more than one half"; Student's t."""
    from scipy.special import stdtr, stdtrit

    df = scores.size - 1
    mean, error = float(scores.mean()), float(scores.std(ddof=1) / np.sqrt(scores.size))
    half = float(stdtrit(df, 0.995)) * error
    p = float(stdtr(df, -(mean - 0.5) / error)) if error > 0 else float(mean <= 0.5)
    return mean, mean - half, mean + half, p


def runs_differ(one: list[np.ndarray], two: list[np.ndarray]) -> float:
    """p that the runs of two lists of equal length differ no more than by chance.

    Energy distance (Székely & Rizzo 2013) of the runs' predictions, twice the mean distance
    between the lists less those within, against all ways to part the runs in two equal lists.
    """
    runs = [*one, *two]
    n, half = len(runs), len(one)
    apart = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        differ = np.abs(runs[i] - runs[j]) if runs[i].dtype.kind == "f" else runs[i] != runs[j]
        apart[i, j] = apart[j, i] = float(np.mean(differ))
    seen = 0.0
    extreme = total = 0
    for chosen in combinations(range(1, n), half - 1):
        left = np.array([0, *chosen])
        right = np.setdiff1d(np.arange(n), left)
        energy = (
            2 * apart[np.ix_(left, right)].mean()
            - apart[np.ix_(left, left)].mean()
            - apart[np.ix_(right, right)].mean()
        )
        if total == 0:
            seen = energy
        total += 1
        extreme += energy >= seen * (1 - 1e-12)
    return extreme / total


__all__ = ["beyond_chance", "interval", "runs_differ"]
