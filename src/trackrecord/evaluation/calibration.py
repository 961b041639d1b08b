"""Reliability curves: what was predicted, against what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.evaluation.result import Calibration, CalibrationBin
from trackrecord.stats.estimates import proportion
from trackrecord.stats.ranking import rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

INDEPENDENT = "wilson"
WEIGHTED = "wilson on the effective number of rows, from the weighted variance between clusters"
CLUSTERED = "wilson on the effective number of rows, from the variance between clusters"


def calibration_of(
    model: str,
    truth: NDArray[np.int8],
    score: Floats,
    *,
    cluster: Ints | None,
    level: float,
    bins: int,
    weight: Floats | None = None,
) -> Calibration | None:
    """The curve of one model over up to ``bins`` bins of equal numbers of rows.

    ``cluster`` (n,) holds codes from 0; None takes rows as independent. With ``weight`` (n,), means
    and rates are weighted; bins still hold equal numbers of rows. None is returned where the
    scores are not probabilities. Rows with the same score are never parted, since nothing but
    their order in the file would say which bin a row belongs to.
    """
    if score.size == 0 or score.min() < 0 or score.max() > 1:
        return None
    order = _order(truth, score)
    ranked = score[order]
    came_true = truth[order]
    found = []
    for start, end in _bounds(ranked, bins):
        if weight is not None:
            places = order[start:end]
            found += _weighted_bin(truth, score, places, cluster, weight[places], level)
            continue
        true = int(came_true[start:end].sum(dtype=np.int64))
        codes = None if cluster is None else cluster[order[start:end]]
        rows = end - start
        effective = float(rows)
        if codes is not None:
            effective = effective_rows(came_true[start:end], codes)
        lo, hi = proportion(true / rows * effective, effective, level)
        found.append(
            CalibrationBin(
                low=float(ranked[start]),
                high=float(ranked[end - 1]),
                rows=rows,
                predicted=float(ranked[start:end].mean()),
                rate=true / rows,
                lo=lo,
                hi=hi,
            )
        )
    method = INDEPENDENT if cluster is None else CLUSTERED
    return Calibration(model=model, bins=found, method=WEIGHTED if weight is not None else method)


def _order(truth: NDArray[np.int8], score: Floats) -> Ints:
    """Rows by score, equal scores in the rows' own order: sums are then the same on any machine."""
    ranking = rank(truth, score)
    return ranking.order if ranking.group is None else np.argsort(score, kind="stable")


def _weighted_bin(
    truth: NDArray[np.int8],
    score: Floats,
    places: Ints,
    cluster: Ints | None,
    weight: Floats,
    level: float,
) -> list[CalibrationBin]:
    """The bin of some rows; none where no row of it has a weight."""
    total = float(weight.sum())
    if total == 0:
        return []
    here = truth[places]
    rate = float(weight @ here) / total
    codes = np.arange(places.size) if cluster is None else cluster[places]
    labels = np.unique(codes, return_inverse=True)[1]
    groups = int(np.unique(labels[weight > 0]).size)
    effective = total**2 / float((np.bincount(labels, weights=weight) ** 2).sum())
    if groups > 1 and 0 < rate < 1:
        sums = np.bincount(labels, weights=weight * (here - rate))
        variance = groups / (groups - 1) * float((sums**2).sum()) / total**2
        if variance > 0:
            effective = min(float(places.size), rate * (1 - rate) / variance)
    lo, hi = proportion(rate * effective, effective, level)
    return [
        CalibrationBin(
            low=float(score[places[0]]),
            high=float(score[places[-1]]),
            rows=int(places.size),
            predicted=float(weight @ score[places]) / total,
            rate=rate,
            lo=lo,
            hi=hi,
        )
    ]


def effective_rows(truth: NDArray[np.int8], codes: Ints) -> float:
    """How many independent rows would pin the rate down as well as these clusters do.

    rate (1 - rate) / v, where v is the linearised variance of a ratio of cluster totals, with
    G / (G - 1) for G clusters (Korn & Graubard 1998). At most the number of rows; at a rate of 0
    or 1, where clusters show no variance, the number of clusters.
    """
    rows = truth.size
    labels = np.unique(codes, return_inverse=True)[1]
    groups = int(labels.max()) + 1
    rate = float(truth.mean())
    if groups == 1 or rate in (0.0, 1.0):
        return float(groups)
    totals = np.bincount(labels, weights=truth - rate, minlength=groups)
    variance = groups / (groups - 1) * float((totals**2).sum()) / rows**2
    if variance == 0.0:
        return float(rows)
    return min(float(rows), rate * (1 - rate) / variance)


def _bounds(ranked: Floats, bins: int) -> list[tuple[int, int]]:
    """Start and end of each bin; an end moves past the rows that have the same score."""
    rows = ranked.size
    found: list[tuple[int, int]] = []
    start = 0
    for number in range(1, bins + 1):
        end = rows * number // bins
        if end <= start:
            continue
        end = int(np.searchsorted(ranked, ranked[end - 1], side="right"))
        found.append((start, end))
        start = end
    return found
