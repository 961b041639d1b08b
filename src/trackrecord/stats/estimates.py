"""From columns to estimates: measure a metric, then put an interval around it, or say why not.

The mathematics is in ``docs/explanation/intervals.md``, with the coverage that was measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.area import area_and_spread
from trackrecord.stats.columns import check_scores, clusters_of, columns_of, weights_of
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.intervals import (
    CARRIERS,
    LEAST_UNITS,
    ROUNDING,
    around,
    paired_estimate,
    plain_estimate,
    too_few,
    unit_of,
)
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.proportions import exact_proportion, proportion
from trackrecord.stats.ranking import same_ranking
from trackrecord.stats.reduced import given, reduced
from trackrecord.stats.retrieval import same_order
from trackrecord.stats.samples import identical
from trackrecord.stats.shares import share_difference
from trackrecord.stats.skewness import cautious
from trackrecord.stats.spread import Spread, effective_clusters, spread_of
from trackrecord.stats.timed import over_time

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]

Leveled = Callable[[float], Estimate | Absence]

__all__ = ["difference_of", "estimate", "estimate_of", "measure", "proportion"]


def estimate(
    metric: str,
    truth: ArrayLike,
    score: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    cluster: Codes | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """The metric with its interval, where nothing else is wanted of the rows.

    What ``estimate_of`` makes of ``measure``; the area of independent rows comes without any row's
    influence, in less than half the time.
    """
    if metric == "roc_auc" and weight is None and cluster is None:
        labels, scores = columns_of(truth, score)
        _check_level(level)
        asked = get_metric(metric)
        try:
            check_scores(asked, scores)
            quick = area_and_spread(labels, scores)
        except Undefined as undefined:
            return Absence(metric=metric, reason=undefined.reason, n=labels.size)
        if quick is not None:
            value, spread = quick
            if (reason := too_few(asked, spread, labels, None)) is not None:
                return Absence(metric=metric, reason=reason, n=labels.size)
            return around(asked, value, spread, n=labels.size, units=spread.units, level=level)
    return estimate_of(metric, measure(metric, truth, score, weight), cluster=cluster, level=level)


def measure(
    metric: str | Metric, truth: Any, score: Any, weight: ArrayLike | None = None
) -> Influence | Absence:
    """The metric of ``score`` against ``truth``, n rows each, with influences.

    By its name, a metric of ``truth`` (n,) of zeros and ones and ``score`` (n,); of another task,
    the ``Metric`` itself, and what its task takes (``stats.samples``). ``weight`` (n,) says how
    many rows of the population each stands for; only ratios matter. The value is that of rows
    repeated as often, the error that of as many rows as were drawn.

    An Absence where the sample has no such value. Raises BadInput for an unknown metric, columns
    of unequal length or the wrong kind, or weights below 0 or all 0.
    """
    asked = named(metric)
    labels, scores = given(asked, truth, score)
    rows = len(labels)
    weights = None if weight is None else weights_of(weight, rows)
    try:
        if weights is None:
            scores = reduced(asked, labels, scores)
            found = asked.compute(labels, scores)
        else:
            scores, found = _weighted(asked, labels, scores, weights)
    except Undefined as undefined:
        return Absence(metric=asked.name, reason=undefined.reason, n=rows)
    # of numpy's kinds of numbers, evidence knows none
    return msgspec.structs.replace(
        found,
        value=float(found.value),
        centre=None if found.centre is None else float(found.centre),
        least=float(found.least),
        columns=(labels, scores),
        weight=weights,
    )


def named(metric: str | Metric) -> Metric:
    """The metric itself; by its name alone, that of a yes or no."""
    return get_metric(metric) if isinstance(metric, str) else metric


def _weighted(asked: Metric, labels: Any, scores: Any, weights: Floats) -> tuple[Any, Influence]:
    """Computed from the rows that have a weight; the others have no influence."""
    there = weights > 0
    share = np.count_nonzero(there) / there.size
    if share == 1:  # what a column keeps, such as the order of its lists, is kept
        return scores, asked.compute(labels, reduced(asked, labels, scores), weights)
    held = reduced(asked, labels[there], scores[there])
    found = asked.compute(labels[there], held, weights[there] * share)
    influence, of = np.zeros(there.size), found.of
    influence[there] = found.influence / share
    if of is not None:
        of = np.zeros(there.size, dtype=bool)
        of[there] = found.of
    return scores, msgspec.structs.replace(found, influence=influence, of=of)


def estimate_of(
    metric: str | Metric,
    measured: Influence | Absence,
    *,
    cluster: Codes | None = None,
    period: Codes | None = None,
    level: float = 0.95,
    exact: bool = False,
) -> Estimate | Absence:
    """The measured value with its interval at ``level``.

    ``cluster`` (n,) holds each row's cluster as a whole number; rows of one cluster may depend on
    each other in any way, clusters not. ``period`` (n,) likewise holds when a row was, in order:
    rows of one period, and of periods near each other, may depend in any way. Without both, rows
    are independent; a share of independent rows has Wilson's interval, or, where it is to be
    ``exact``, Clopper & Pearson's.
    """
    _check_level(level)
    found = estimates_of(metric, measured, cluster=cluster, period=period, exact=exact)
    return found(level)


def estimates_of(
    metric: str | Metric,
    measured: Influence | Absence,
    *,
    cluster: Codes | None = None,
    period: Codes | None = None,
    exact: bool = False,
) -> Leveled:
    """``estimate_of`` at any level, what all levels share being reckoned once."""
    if isinstance(measured, Absence):
        return _always(measured)
    asked = named(metric)
    codes = clusters_of(cluster, measured.influence.size)
    when = clusters_of(period, measured.influence.size)
    truth, weight = _strata(asked, measured), measured.weight
    value, n = measured.value, _rows(measured)
    influence, centre, least = measured.influence, measured.centre, measured.least
    if asked.share:
        centre, least, of = None, 0.0, measured.of
        if codes is None and weight is None and when is None:
            m = influence.size if of is None else int(np.count_nonzero(of))
            return partial(_of_share, asked, value, m, n, exact)
        if of is not None:
            influence, truth, codes, weight = _within(asked, of, measured, codes)
            when = None if when is None else when[of]
    spread = _spread(asked, influence, truth, codes, weight, when)
    if isinstance(spread, str):
        return _always(Absence(metric=asked.name, reason=spread, n=n))
    if (reason := too_few(asked, spread, truth, weight)) is not None:
        return _always(Absence(metric=asked.name, reason=reason, n=n))
    units = effective_clusters(codes, influence.size, weight) if asked.share else spread.units
    if spread.periods is not None:
        units = min(units, spread.periods)
    width = measured.width
    return lambda level: around(
        asked,
        value,
        spread,
        n=n,
        units=units,
        level=level,
        centre=centre,
        least=least,
        width=width,
    )


def difference_of(
    metric: str | Metric,
    measured_a: Influence | Absence,
    measured_b: Influence | Absence,
    *,
    cluster: Codes | None = None,
    period: Codes | None = None,
    level: float = 0.95,
) -> Estimate | Absence:
    """a minus b, measured on the same rows in the same order, with a paired interval.

    From the difference of the influences, on the value's own scale. Raises BadInput where the two
    were not measured on the same rows.
    """
    _check_level(level)
    return differences_of(metric, measured_a, measured_b, cluster=cluster, period=period)(level)


def differences_of(
    metric: str | Metric,
    measured_a: Influence | Absence,
    measured_b: Influence | Absence,
    *,
    cluster: Codes | None = None,
    period: Codes | None = None,
) -> Leveled:
    """``difference_of`` at any level, what all levels share being reckoned once."""
    if isinstance(measured_a, Absence):
        return _always(measured_a)
    if isinstance(measured_b, Absence):
        return _always(measured_b)
    asked = named(metric)
    codes = clusters_of(cluster, measured_a.influence.size)
    when = clusters_of(period, measured_a.influence.size)
    truth, weight = _strata(asked, measured_a), measured_a.weight
    if not identical(_columns(measured_a)[0], _columns(measured_b)[0]):
        raise BadInput("a paired difference needs the same rows, in the same order, on both sides")
    if not identical(weight, measured_b.weight):
        raise BadInput("a paired difference needs the same weights on both sides")
    n, value = _rows(measured_a), measured_a.value - measured_b.value
    if (alike := _alike(asked, measured_a, measured_b)) is not None:
        groups = None if codes is None else int(np.unique(codes).size)
        return lambda level: plain_estimate(asked, 0.0, 0.0, 0.0, level, n, groups, alike)
    influence = measured_a.influence - measured_b.influence
    plain = asked.share and identical(measured_a.of, measured_b.of)
    if plain and measured_a.of is not None:
        first, truth, within, weight = _within(asked, measured_a.of, measured_a, codes)
        influence = first - _within(asked, measured_a.of, measured_b, codes)[0]
        codes, when = within, None if when is None else when[measured_a.of]
    spread = _spread(asked, influence, truth, codes, weight, when)
    if isinstance(spread, str):
        return _always(Absence(metric=asked.name, reason=spread, n=n))
    plain = plain and when is None
    if plain and codes is None and weight is None:
        return lambda level: share_difference(
            asked, influence, value, spread, codes, weight, level, n
        )
    if (reason := too_few(asked, spread, truth, weight)) is not None:
        return _always(Absence(metric=asked.name, reason=reason, n=n))
    if plain:
        return lambda level: share_difference(
            asked, influence, value, spread, codes, weight, level, n
        )
    more = _unseen(measured_a) + _unseen(measured_b)
    # what an irregular metric's least error covers cancels, unless a few rows carry the spread
    if asked.irregular and spread.carriers >= CARRIERS:
        more = 0.0
    se = math.hypot(spread.se, math.sqrt(more / spread.worth)) if more else spread.se
    if se <= ROUNDING * (1 + abs(measured_a.value)):
        return lambda level: _undiffering(asked, measured_a, measured_b, spread, level)
    return partial(paired_estimate, asked, value, _centre(measured_a, measured_b), se, spread, n)


def _of_share(asked: Metric, value: float, m: int, n: int, exact: bool, level: float) -> Estimate:
    lo, hi = (exact_proportion if exact else proportion)(round(value * m), m, level)
    method = "Clopper-Pearson" if exact else "Wilson score"
    method = method if m == n else f"{method}, {m} of the rows"
    return plain_estimate(asked, value, lo, hi, level, n, None, method)


def _always(absence: Absence) -> Leveled:
    return lambda level: absence


def _within(
    asked: Metric, of: NDArray[np.bool_], measured: Influence, codes: Codes | None
) -> tuple[Floats, NDArray[np.int8], Codes | None, Floats | None]:
    """Influences, truth, clusters and weights of the rows that a share is of, as a sample alone."""
    weight, part = measured.weight, np.count_nonzero(of) / of.size
    if weight is not None:
        kept = weight[of]
        weight = kept * (kept.size / float(kept.sum()))
    return (
        measured.influence[of] * part,
        _strata(asked, measured)[of],
        None if codes is None else codes[of],
        weight,
    )


def _unseen(measured: Influence) -> float:
    """The variance that ``least`` has and the influences do not."""
    if measured.least == 0:
        return 0.0
    seen = float(measured.influence @ measured.influence) / measured.influence.size**2
    return max(0.0, measured.least**2 - seen)


def _centre(a: Influence, b: Influence) -> float:
    first = a.value if a.centre is None else a.centre
    second = b.value if b.centre is None else b.centre
    return first - second


def _spread(
    asked: Metric,
    influence: Floats,
    truth: NDArray[np.int8],
    codes: Codes | None,
    weight: Floats | None,
    when: Codes | None,
) -> Spread | str:
    """The spread, or why there is none; a share rests on all rows where one class is too sparse."""
    spread = spread_of(influence, truth, codes, weight)
    if asked.share and spread.units < LEAST_UNITS:
        spread = spread_of(influence, np.zeros_like(truth), codes, weight)
    if asked.skew > 1:
        spread = cautious(spread, influence, codes, asked.skew)
    if when is None or spread.se == 0:
        return spread
    found = over_time(spread, influence, when, metric=asked.name)
    return found.reason if isinstance(found, Absence) else found


def _alike(asked: Metric, a: Influence, b: Influence) -> str | None:
    """Why the difference is zero on any sample; None where it need not be."""
    if a.value != b.value or a.columns is None or b.columns is None:
        return None
    if asked.needs == "truth":
        return "the same truth"
    if identical(a.columns[1], b.columns[1]):
        return "the same scores" if asked.task == "binary" else "the same predictions"
    if asked.needs == "score" and same_ranking(a.columns[1], b.columns[1]):
        return "the same ranking"
    if asked.needs == "ranked" and same_order(a.columns[1], b.columns[1]):
        return "the same ranking"
    return None


def _undiffering(
    asked: Metric, a: Influence, b: Influence, spread: Spread, level: float
) -> Estimate | Absence:
    """Two different columns of scores whose influences agree on every row."""
    n, (unit, width) = _rows(a), unit_of(asked, a.value)
    if asked.scale in ("logit", "fisher") and a.value == b.value and unit in (0.0, 1.0):
        half = width * proportion(0, spread.units, level)[1]
        method = f"Wilson bound, both perfect, {spread.units:.4g} units"
        return plain_estimate(asked, 0.0, -half, half, level, n, spread.clusters, method)
    reason = "the two differ by the same on every row, so nothing shows how much rows differ"
    return Absence(metric=asked.name, reason=reason, n=n)


def _strata(asked: Metric, measured: Influence) -> NDArray[np.int8]:
    """Which rows are of which kind, where a sparse kind decides what is known: yes or no."""
    truth = _columns(measured)[0]
    return truth if asked.task == "binary" else np.zeros(len(truth), dtype=np.int8)


def _columns(measured: Influence) -> tuple[Any, Any]:
    if measured.columns is None:
        raise BadInput("this value was not made by `measure`, so it has no rows")
    return measured.columns


def _rows(measured: Influence) -> int:
    """How many rows there are that count."""
    weight = measured.weight
    return measured.influence.size if weight is None else int(np.count_nonzero(weight))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise BadInput(f"a level of {level:g} is not between 0 and 1", next="write 0.95")
