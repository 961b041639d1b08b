"""From columns to estimates: measure a metric, then put an interval around it, or say why not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import Metric, Scale, get_metric
from trackrecord.stats.proportions import normal_quantile, proportion
from trackrecord.stats.scales import interval_on

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["difference_of", "estimate_of", "measure", "proportion"]


def measure(metric: str, truth: ArrayLike, score: ArrayLike) -> Influence | Absence:
    """The metric of ``score`` (n,) against ``truth`` (n,) of zeros and ones, with influences.

    An Absence where the sample has no such value. Raises BadInput for an unknown metric, columns
    of unequal length, or a truth that is not zeros and ones.
    """
    asked = get_metric(metric)
    labels, scores = _columns(truth, score)
    try:
        _check_scores(asked, scores)
        found = asked.compute(labels, scores)
    except Undefined as undefined:
        return Absence(metric=metric, reason=undefined.reason, n=labels.size)
    return Influence(found.value, found.influence, (labels, scores))


def estimate_of(
    metric: str,
    measured: Influence | Absence,
    *,
    cluster: NDArray[np.integer] | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """The measured value with its interval at ``level``.

    ``cluster`` (n,) holds each row's cluster as a whole number; rows of one cluster may depend on
    each other in any way, clusters not. None takes rows as independent.
    """
    if isinstance(measured, Absence):
        return measured
    asked = get_metric(metric)
    if asked.share and cluster is None:
        return _wilson(asked, measured, level)
    return _interval(metric, asked, measured, cluster, level, asked.scale)


def difference_of(
    metric: str,
    measured_a: Influence | Absence,
    measured_b: Influence | Absence,
    *,
    cluster: NDArray[np.integer] | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """a minus b, measured on the same rows in the same order, with a paired interval."""
    if isinstance(measured_a, Absence):
        return measured_a
    if isinstance(measured_b, Absence):
        return measured_b
    if measured_a.influence.size != measured_b.influence.size:
        raise BadInput("a paired difference needs the same rows on both sides")
    difference = Influence(
        measured_a.value - measured_b.value, measured_a.influence - measured_b.influence
    )
    return _interval(metric, get_metric(metric), difference, cluster, level, "identity")


def _interval(
    metric: str,
    asked: Metric,
    measured: Influence,
    cluster: NDArray[np.integer] | None,
    level: float,
    scale: Scale,
) -> Estimate | Absence:
    n = measured.influence.size
    if n < 2:
        return Absence(metric=metric, reason="one row cannot show how much rows differ", n=n)
    sums = measured.influence
    groups = None
    if cluster is not None:
        sums = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=sums)
        groups = sums.size
        if groups < 2:
            return Absence(
                metric=metric, reason="one cluster cannot show how much clusters differ", n=n
            )
    units = sums.size
    se = math.sqrt(float(sums @ sums) * units / (units - 1)) / n
    from scipy.special import stdtrit

    half = float(stdtrit(units - 1, (1 + level) / 2)) * se
    if se == 0:
        return Absence(metric=metric, reason="no spread", n=n)
    lo, hi = interval_on(scale, measured.value, half)
    method = f"influence, {scale} scale" + (
        f", {groups} clusters, t({groups - 1})" if groups else ""
    )
    return Estimate(
        metric=metric,
        value=measured.value,
        lo=lo,
        hi=hi,
        level=level,
        se=se,
        n=n,
        clusters=groups,
        method=method,
    )


def _wilson(asked: Metric, measured: Influence, level: float) -> Estimate:
    n = measured.influence.size
    lo, hi = proportion(round(measured.value * n), n, level)
    z = normal_quantile(level)
    return Estimate(
        metric=asked.name,
        value=measured.value,
        lo=lo,
        hi=hi,
        level=level,
        se=(hi - lo) / (2 * z),
        n=n,
        clusters=None,
        method="Wilson score",
    )


def _columns(truth: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.int8], Floats]:
    labels = np.asarray(truth)
    scores = np.ascontiguousarray(score, dtype=np.float64)
    if labels.ndim != 1 or scores.ndim != 1 or labels.size != scores.size:
        raise BadInput(
            "truth and score must be columns of one length",
            why=f"truth has shape {labels.shape}, score {scores.shape}",
        )
    if labels.size and not np.all((labels == 0) | (labels == 1)):
        raise BadInput("the truth must be zeros and ones")
    return np.ascontiguousarray(labels, dtype=np.int8), scores


def _check_scores(asked: Metric, scores: Floats) -> None:
    if scores.size == 0:
        raise Undefined("there are no rows")
    bad = int(scores.size - np.count_nonzero(np.isfinite(scores)))
    if bad:
        raise Undefined(f"{bad} of {scores.size} scores are not finite numbers")
    if asked.needs == "probability":
        outside = int(np.count_nonzero((scores < 0) | (scores > 1)))
        if outside:
            raise Undefined(
                f"{outside} of {scores.size} scores lie outside [0, 1], so they are "
                "no probabilities"
            )
