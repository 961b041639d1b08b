"""From columns to estimates: measure a metric, then put an interval around it, or say why not.

The mathematics is in ``docs/explanation/intervals.md``, with the coverage that was measured.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.proportions import (
    normal_quantile,
    paired_error,
    proportion,
    t_quantile,
)
from trackrecord.stats.ranking import same_ranking
from trackrecord.stats.scales import interval_on
from trackrecord.stats.spread import Spread, effective_clusters, spread_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]

__all__ = ["difference_of", "estimate_of", "measure", "proportion"]

# below these, simulation says that an error estimated from influences alone is too small
FEW = 200
CARRIERS = 30
# least number of effective units of the sparser class: the t distribution needs one degree
LEAST_UNITS = 2.0
ROUNDING = 1e-13


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
    cluster: Codes | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """The measured value with its interval at ``level``.

    ``cluster`` (n,) holds each row's cluster as a whole number; rows of one cluster may depend on
    each other in any way, clusters not. None takes rows as independent.
    """
    if isinstance(measured, Absence):
        return measured
    asked = get_metric(metric)
    codes = _checked(measured, cluster, level)
    value, n = measured.value, measured.influence.size
    if asked.share and codes is None:
        lo, hi = proportion(round(value * n), n, level)
        return _estimate(asked, value, lo, hi, level, n, None, "Wilson score")
    truth = _truth(measured)
    spread = _spread(asked, measured.influence, truth, codes)
    if (reason := _too_few(asked, spread, truth)) is not None:
        return Absence(metric=metric, reason=reason, n=n)
    if spread.se <= ROUNDING * (1 + abs(value)):
        return _without_spread(asked, measured, spread, codes, level)
    se, floor = spread.se, _floor(asked, value, spread)
    what = "influence"
    if floor > se:
        se, what = floor, "floor on the influence error"
    half = t_quantile(level, spread.degrees) * se
    try:
        lo, hi = interval_on(asked.scale, value, half)
    except ValueError:
        return Absence(metric=metric, reason="the value lies on the edge of its scale", n=n)
    method = ", ".join([what, f"{asked.scale} scale", *_units(spread)])
    return Estimate(
        metric=metric,
        value=value,
        lo=lo,
        hi=hi,
        level=level,
        se=se,
        n=n,
        clusters=spread.clusters,
        method=method,
    )


def difference_of(
    metric: str,
    measured_a: Influence | Absence,
    measured_b: Influence | Absence,
    *,
    cluster: Codes | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """a minus b, measured on the same rows in the same order, with a paired interval.

    From the difference of the influences, on the value's own scale. Raises BadInput where the two
    were not measured on the same rows.
    """
    if isinstance(measured_a, Absence):
        return measured_a
    if isinstance(measured_b, Absence):
        return measured_b
    asked = get_metric(metric)
    codes = _checked(measured_a, cluster, level)
    truth = _truth(measured_a)
    if truth.size != _truth(measured_b).size or not np.array_equal(truth, _truth(measured_b)):
        raise BadInput("a paired difference needs the same rows, in the same order, on both sides")
    n, value = truth.size, measured_a.value - measured_b.value
    if (alike := _alike(asked, measured_a, measured_b)) is not None:
        groups = None if codes is None else int(np.unique(codes).size)
        return _estimate(asked, 0.0, 0.0, 0.0, level, n, groups, alike)
    influence = measured_a.influence - measured_b.influence
    spread = _spread(asked, influence, truth, codes)
    if asked.share and codes is None:
        return _share_difference(asked, influence, value, spread, codes, level)
    if (reason := _too_few(asked, spread, truth)) is not None:
        return Absence(metric=metric, reason=reason, n=n)
    if asked.share:
        return _share_difference(asked, influence, value, spread, codes, level)
    if spread.se <= ROUNDING * (1 + abs(measured_a.value)):
        return _undiffering(asked, measured_a, measured_b, spread, level)
    half = t_quantile(level, spread.degrees) * spread.se
    return Estimate(
        metric=metric,
        value=value,
        lo=value - half,
        hi=value + half,
        level=level,
        se=spread.se,
        n=n,
        clusters=spread.clusters,
        method=", ".join(["paired influence", *_units(spread)]),
    )


def _spread(
    asked: Metric, influence: Floats, truth: NDArray[np.int8], codes: Codes | None
) -> Spread:
    """The spread; a share of rows rests on all of them where one class is too sparse."""
    spread = spread_of(influence, truth, codes)
    if asked.share and spread.units < LEAST_UNITS:
        spread = spread_of(influence, np.zeros_like(truth), codes)
    return spread


def _units(spread: Spread) -> list[str]:
    degrees = f"t({spread.degrees:.4g})"
    return [degrees] if spread.clusters is None else [f"{spread.clusters} clusters", degrees]


def _floor(asked: Metric, value: float, spread: Spread) -> float:
    """The least standard error that is believed: a share of the greatest there can be.

    A mean of m placements or precisions between 0 and 1 varies by at most value (1 - value) / m
    (van Dantzig 1951; Birnbaum & Klose 1957).
    """
    share = 0.0
    if spread.sparse < FEW:
        share = asked.floor_few
    if spread.carriers < CARRIERS:
        share = max(share, asked.floor_skewed)
    return math.sqrt(share * max(value * (1 - value), 0.0) / spread.sparse) if share else 0.0


def _too_few(asked: Metric, spread: Spread, truth: NDArray[np.int8]) -> str | None:
    """Why there is too little of one class to know how it spreads; None where there is enough."""
    if spread.clusters is not None and spread.clusters < 2:
        return "one cluster cannot show how much clusters differ"
    positives = int(np.count_nonzero(truth))
    rarer = "positive" if 2 * positives <= truth.size else "negative"
    rows = min(positives, truth.size - positives)
    if not asked.share and rows < LEAST_UNITS:
        said = "no row is" if rows == 0 else "only one row is"
        return f"{said} {rarer}, which cannot show how much such rows differ"
    if spread.units < LEAST_UNITS:
        whose = "rows" if asked.share else f"{rarer} rows"
        return (
            f"the {whose} lie in clusters so unequal that they count as {spread.units:.2g} "
            "equal ones: too few to show how much clusters differ"
        )
    return None


def _without_spread(
    asked: Metric, measured: Influence, spread: Spread, codes: Codes | None, level: float
) -> Estimate | Absence:
    """An interval for a value whose influences are all zero: perfect, or nothing to learn from."""
    value, n = measured.value, measured.influence.size
    if asked.scale != "logit" or value not in (0.0, 1.0):
        reason = "every row counts the same, so nothing shows how much rows differ"
        return Absence(metric=asked.name, reason=reason, n=n)
    # the score test with the greatest variance there can be, value (1 - value) / units, is Wilson's
    units = effective_clusters(codes, n) if asked.share else spread.units
    lo, hi = proportion(value * units, units, level)
    method = f"Wilson bound, {units:.4g} " + (
        "rows of the rarer class" if spread.clusters is None else "effective clusters"
    )
    return _estimate(asked, value, lo, hi, level, n, spread.clusters, method)


def _share_difference(
    asked: Metric,
    influence: Floats,
    value: float,
    spread: Spread,
    codes: Codes | None,
    level: float,
) -> Estimate | Absence:
    """The difference of two shares, right also where few rows differ."""
    n = influence.size
    gap = np.rint(influence + value)
    differing = float(np.abs(gap).sum())
    if codes is None:
        se = paired_error(differing, float(gap.sum()), n)
        half = normal_quantile(level) * se
        method = "paired proportions, Bonett-Price"
    else:
        clusters = effective_clusters(codes, n)
        if differing == 0:
            _, half = proportion(0, clusters, level)
            se = half / normal_quantile(level)
            method = f"Wilson bound, {clusters:.4g} effective clusters"
        else:
            # Bonett & Price's two more differing rows, weighing what differing rows weigh here
            weight = max(1.0, (spread.se * n) ** 2 / differing)
            se = math.hypot(spread.se, math.sqrt(2 * weight) / n)
            half = t_quantile(level, spread.degrees) * se
            method = ", ".join(["paired influence, Bonett-Price", *_units(spread)])
    return Estimate(
        metric=asked.name,
        value=value,
        lo=max(-1.0, value - half),
        hi=min(1.0, value + half),
        level=level,
        se=se,
        n=n,
        clusters=spread.clusters,
        method=method,
    )


def _alike(asked: Metric, a: Influence, b: Influence) -> str | None:
    """Why the difference is zero on any sample; None where it need not be."""
    if a.value != b.value or a.columns is None or b.columns is None:
        return None
    if np.array_equal(a.columns[1], b.columns[1]):
        return "the same scores"
    if asked.needs == "score" and same_ranking(a.columns[1], b.columns[1]):
        return "the same ranking"
    return None


def _undiffering(
    asked: Metric, a: Influence, b: Influence, spread: Spread, level: float
) -> Estimate | Absence:
    """Two different columns of scores whose influences agree on every row."""
    n = a.influence.size
    if asked.scale == "logit" and a.value == b.value and a.value in (0.0, 1.0):
        _, half = proportion(0, spread.units, level)
        method = f"Wilson bound, both perfect, {spread.units:.4g} units"
        return _estimate(asked, 0.0, -half, half, level, n, spread.clusters, method)
    reason = "the two differ by the same on every row, so nothing shows how much rows differ"
    return Absence(metric=asked.name, reason=reason, n=n)


def _estimate(
    asked: Metric,
    value: float,
    lo: float,
    hi: float,
    level: float,
    n: int,
    clusters: int | None,
    method: str,
) -> Estimate:
    """An estimate whose interval was not made from an error: its width gives the error."""
    se = (hi - lo) / (2 * normal_quantile(level))
    return Estimate(
        metric=asked.name,
        value=value,
        lo=lo,
        hi=hi,
        level=level,
        se=se,
        n=n,
        clusters=clusters,
        method=method,
    )


def _truth(measured: Influence) -> NDArray[np.int8]:
    if measured.columns is None:
        raise BadInput("this value was not made by `measure`, so it has no rows")
    return measured.columns[0]


def _checked(measured: Influence, cluster: Codes | None, level: float) -> Codes | None:
    if not 0 < level < 1:
        raise BadInput(f"a level of {level:g} is not between 0 and 1", next="write 0.95")
    if cluster is None:
        return None
    codes = np.asarray(cluster)
    if codes.shape != measured.influence.shape or codes.dtype.kind not in "iub":
        raise BadInput(
            "clusters must be whole numbers, one for each row",
            why=f"got {codes.dtype} of shape {codes.shape} for {measured.influence.size} rows",
        )
    return codes


def _columns(truth: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.int8], Floats]:
    labels = np.asarray(truth)
    try:
        scores = np.ascontiguousarray(score, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput("the scores must be numbers") from None
    if labels.ndim != 1 or np.ndim(score) != 1 or labels.size != scores.size:
        raise BadInput(
            "truth and score must be columns of one length",
            why=f"truth has shape {labels.shape}, score {np.shape(score)}",
        )
    if labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)):
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
