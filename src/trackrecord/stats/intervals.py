"""The interval around a value, from the spread of its influences; or why there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.metrics import Metric
from trackrecord.stats.proportions import normal_quantile, proportion, t_quantile
from trackrecord.stats.scales import interval_on
from trackrecord.stats.spread import Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# below these, simulation says that an error estimated from influences alone is too small
FEW = 200
CARRIERS = 30
# least number of effective units of the sparser class: the t distribution needs one degree
LEAST_UNITS = 2.0
ROUNDING = 1e-13


def around(
    asked: Metric,
    value: float,
    spread: Spread,
    *,
    n: int,
    units: float,
    level: float,
    centre: float | None = None,
    least: float = 0.0,
    width: float = 1.0,
) -> Estimate | Absence:
    """The estimate of ``value`` with ``n`` rows, made of ``units`` where nothing spreads.

    ``centre``, ``least`` and ``width`` are an ``Influence``'s.
    """
    if least == 0 and spread.se <= ROUNDING * (1 + abs(value)):
        return _without_spread(asked, value, n, spread.clusters, units, level)
    se, what = spread.se, "influence"
    for floor, said in (
        (_floor(asked, value, spread), "floor on the influence error"),
        (least / math.sqrt(spread.worth), "second-order error"),
    ):
        if floor > se:
            se, what = floor, said
    half = t_quantile(level, spread.degrees) * se
    # what the centre is drawn by falls with the rows, and clusters make them fewer
    middle = value if centre is None else value + (centre - value) / spread.worth
    try:
        lo, hi = interval_on(asked.scale, middle / width, half / width)
    except ValueError:
        reason = "the value lies on the edge of its scale"
        return Absence(metric=asked.name, reason=reason, n=n)
    return Estimate(
        metric=asked.name,
        value=value,
        lo=min(lo * width, value),
        hi=max(hi * width, value),
        level=level,
        se=se,
        n=n,
        clusters=spread.clusters,
        method=", ".join([what, f"{asked.scale} scale", *units_of(spread)]),
    )


def units_of(spread: Spread) -> list[str]:
    """Clusters, periods and degrees of freedom, as an estimate's method says them."""
    clusters = [] if spread.clusters is None else [f"{spread.clusters} clusters"]
    periods = [] if spread.periods is None else [f"{spread.periods} periods"]
    return [*clusters, *periods, f"t({spread.degrees:.4g})"]


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
    if not share:
        return 0.0
    unit, width = unit_of(asked, value)
    return width * math.sqrt(share * max(unit * (1 - unit), 0.0) / spread.sparse)


def unit_of(asked: Metric, value: float) -> tuple[float, float]:
    """The value on a scale from 0 to 1, and how wide its own is."""
    return ((value + 1) / 2, 2.0) if asked.scale == "fisher" else (value, 1.0)


def too_few(
    asked: Metric, spread: Spread, truth: NDArray[np.int8], weight: Floats | None
) -> str | None:
    """Why there is too little of one class to know how it spreads; None where there is enough."""
    if spread.clusters is not None and spread.clusters < 2:
        return "one cluster cannot show how much clusters differ"
    if weight is not None:
        truth = truth[weight > 0]
    if asked.task != "binary":
        return _too_few_rows(asked, spread, truth.size)
    positives = int(np.count_nonzero(truth))
    rarer = "positive" if 2 * positives <= truth.size else "negative"
    rows = min(positives, truth.size - positives)
    if not asked.share and rows < LEAST_UNITS:
        said = "no row is" if rows == 0 else "only one row is"
        return f"{said} {rarer}, which cannot show how much such rows differ"
    if (few := _too_few_clusters(asked, spread)) is not None:
        return few
    if spread.sparse < asked.rows_needed:
        return (
            f"the {rarer} rows count as {spread.sparse:.3g} independent ones; "
            f"an interval takes {asked.rows_needed:g}"
        )
    if spread.units < LEAST_UNITS:
        whose = "rows" if asked.share else f"{rarer} rows"
        if spread.clusters is None:
            return (
                f"the weights of the {whose} are so unequal that they count as "
                f"{spread.units:.2g} equal ones: too few to show how much rows differ"
            )
        return (
            f"the {whose} lie in clusters so unequal that they count as {spread.units:.2g} "
            "equal ones: too few to show how much clusters differ"
        )
    return None


def _too_few_clusters(asked: Metric, spread: Spread) -> str | None:
    if spread.clusters is None or spread.clusters >= asked.clusters_needed:
        return None
    if math.isinf(asked.clusters_needed):
        return "how much clusters add to its bias is not known, so it has no interval in clusters"
    return (
        f"{spread.clusters} clusters are few for so skewed a value; "
        f"an interval takes {asked.clusters_needed:g}"
    )


def _too_few_rows(asked: Metric, spread: Spread, rows: int) -> str | None:
    """The same where rows are of one kind."""
    unit = "query" if asked.task == "ranking" else "row"
    units = "queries" if asked.task == "ranking" else "rows"
    if rows < LEAST_UNITS:
        return f"one {unit} cannot show how much {units} differ"
    if (few := _too_few_clusters(asked, spread)) is not None:
        return few
    if spread.sparse < asked.rows_needed:
        return (
            f"the {units} count as {spread.sparse:.3g} independent ones; "
            f"an interval takes {asked.rows_needed:g}"
        )
    if spread.units < LEAST_UNITS:
        what = "weights" if spread.clusters is None else "sizes of the clusters"
        return (
            f"the {what} of the {units} are so unequal that they count as {spread.units:.2g} equal "
            f"ones: too few to show how much they differ"
        )
    return None


def _without_spread(
    asked: Metric, value: float, n: int, clusters: int | None, units: float, level: float
) -> Estimate | Absence:
    """An interval for a value whose influences are all zero: perfect, or nothing to learn from."""
    unit, width = unit_of(asked, value)
    if asked.scale not in ("logit", "fisher") or unit not in (0.0, 1.0):
        reason = "every row counts the same, so nothing shows how much rows differ"
        if asked.task == "binary" and asked.name in ("roc_auc", "gini") and unit == 0.5:
            reason = "all scores are equal, so the area is one half by definition: no interval"
        return Absence(metric=asked.name, reason=reason, n=n)
    # the score test with the greatest variance there can be, value (1 - value) / units, is Wilson's
    lo, hi = proportion(unit * units, units, level)
    if width != 1:
        lo, hi = width * lo - 1, width * hi - 1
    kind = "rows of the rarer class" if asked.task == "binary" else "rows"
    kind = "effective clusters" if clusters is not None else kind
    method = f"Wilson bound, {units:.4g} {kind}"
    return plain_estimate(asked, value, lo, hi, level, n, clusters, method)


def plain_estimate(
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


def paired_estimate(
    asked: Metric, value: float, middle: float, se: float, spread: Spread, n: int, level: float
) -> Estimate:
    """A difference of ``value``, its interval centred on ``middle``, from the influences' error."""
    half = t_quantile(level, spread.degrees) * se
    return Estimate(
        metric=asked.name,
        value=value,
        lo=min(middle - half, value),
        hi=max(middle + half, value),
        level=level,
        se=se,
        n=n,
        clusters=spread.clusters,
        method=", ".join(["paired influence", *units_of(spread)]),
    )
