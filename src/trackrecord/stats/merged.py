"""Estimates from what parts of the rows leave behind, where the rows are never all in memory.

A mean leaves sums of powers, class by class (``powers.py``). A metric of the four cells leaves
their counts: four kinds of rows, each as often as it was counted, have all that the rows had, and
the metric's own file computes value and influence of each kind. The estimates are those that
``estimates.py`` makes of the rows, for rows that are independent and count alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.stats.cells import Tally, cells_of, from_cells
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.intervals import (
    LEAST_UNITS,
    ROUNDING,
    around,
    paired_estimate,
    plain_estimate,
    too_few,
    unit_of,
)
from trackrecord.stats.powers import (
    clustered_spread,
    mean_of_classes,
    spread_of_powers,
    spread_of_sums,
)
from trackrecord.stats.proportions import normal_quantile, paired_error, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.metrics import Metric
    from trackrecord.stats.powers import Powers
    from trackrecord.stats.spread import Spread

    Classes = tuple[Powers, Powers]
    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

# The means of something that each row has, and the metrics that count cells.
MEANS = frozenset({"bias", "brier", "log_loss"})
CELLS = frozenset(
    {
        *("accuracy", "balanced_accuracy", "expected_cost", "f1", "f_beta", "jaccard", "kappa"),
        *("mcc", "net_benefit", "npv", "precision", "recall", "specificity"),
    }
)
RANKED = frozenset({"average_precision", "gini", "roc_auc"})
# the truth of each kind of row: called negative and positive, of either class
TRUTH = np.array([0, 0, 1, 1], dtype=np.int8)
# kinds for two models: truth, called by a, called by b, the last changing fastest
OF_A = np.array([0, 0, 1, 1, 2, 2, 3, 3])
OF_B = np.array([0, 1, 0, 1, 2, 3, 2, 3])
ENOUGH = 1000


def family_of(asked: Metric) -> str:
    """The metric's name without its parameter."""
    return asked.name.partition("@")[0]


def around_mean(
    asked: Metric, value: float, spread: Spread, rows: tuple[int, int], level: float
) -> Estimate | Absence:
    """The estimate of a value of ``rows`` (negative, positive) whose spread is known."""
    n = rows[0] + rows[1]
    if (reason := _few(asked, spread, rows)) is not None:
        return Absence(metric=asked.name, reason=reason, n=n)
    return around(asked, value, spread, n=n, units=spread.units, level=level)


def mean_of_parts(asked: Metric, classes: Classes, level: float) -> Estimate | Absence:
    """The mean of what the rows of both classes have, each class by its powers."""
    value = mean_of_classes(classes)
    spread = spread_of_powers(classes, (value, value))
    return around_mean(asked, value, spread, (classes[0].n, classes[1].n), level)


def clustered_mean_of_parts(
    asked: Metric, classes: Classes, rows: Floats, losses: Floats, level: float
) -> Estimate | Absence:
    """The mean where rows share clusters: ``rows`` (G, 2) of each in either class, and the sums
    (G, 2) of what they have."""
    value = mean_of_classes(classes)
    spread = clustered_spread(classes, value, rows, losses - rows * value)
    return around_mean(asked, value, spread, (classes[0].n, classes[1].n), level)


def clustered_gap_of_parts(
    asked: Metric,
    values: tuple[float, float],
    gap: Classes,
    rows: Floats,
    losses: Floats,
    level: float,
) -> Estimate | Absence:
    """The paired difference of two means in clusters; ``losses`` are the sums of differences."""
    counts, middle = (gap[0].n, gap[1].n), mean_of_classes(gap)
    spread = clustered_spread(gap, middle, rows, losses - rows * middle)
    if (reason := _few(asked, spread, counts)) is not None:
        return Absence(metric=asked.name, reason=reason, n=sum(counts))
    if spread.se <= ROUNDING * (1 + abs(values[0])):
        return _undiffering(asked, sum(counts))
    value = values[0] - values[1]
    return paired_estimate(asked, value, value, spread.se, spread, sum(counts), level)


def mean_gap_of_parts(
    asked: Metric, a: Classes, b: Classes, gap: Classes, level: float, *, same: bool
) -> Estimate | Absence:
    """The mean of a minus that of b, paired; ``gap`` are the powers of the rows' differences.

    ``same`` says that both have the same score on every row.
    """
    rows = (gap[0].n, gap[1].n)
    n, value = sum(rows), mean_of_classes(a) - mean_of_classes(b)
    if same:
        return plain_estimate(asked, 0.0, 0.0, 0.0, level, n, None, "the same scores")
    middle = mean_of_classes(gap)
    spread = spread_of_powers(gap, (middle, middle))
    if (reason := _few(asked, spread, rows)) is not None:
        return Absence(metric=asked.name, reason=reason, n=n)
    if spread.se <= ROUNDING * (1 + abs(mean_of_classes(a))):
        return _undiffering(asked, n)
    return paired_estimate(asked, value, value, spread.se, spread, n, level)


def thresholds_of(asked: Metric) -> list[float]:
    """The thresholds whose cells the metric counts."""
    noted: list[float] = []

    class Noting(dict[float, tuple[float, float, float, float]]):
        def __missing__(self, threshold: float) -> tuple[float, float, float, float]:
            noted.append(threshold)
            return (1.0, 1.0, 1.0, 1.0)

    _influence(asked, Tally(Noting()))
    return noted


def cells_of_parts(asked: Metric, tally: Tally, level: float) -> Estimate | Absence:
    """A metric of the four cells, from their counts."""
    counts = np.array(tally.counts[thresholds_of(asked)[0]])
    n = int(counts.sum())
    found = influence_of_tally(asked, tally)
    if isinstance(found, Absence):
        return found
    if asked.share:
        m = n if found.of is None else int(counts[found.of].sum())
        lo, hi = proportion(round(found.value * m), m, level)
        method = "Wilson score" if m == n else f"Wilson score, {m} of the rows"
        return plain_estimate(asked, found.value, lo, hi, level, n, None, method)
    spread = _spread(found.influence, TRUTH, counts)
    if (reason := _few(asked, spread, _classes(counts, TRUTH))) is not None:
        return Absence(metric=asked.name, reason=reason, n=n)
    return around(
        asked,
        found.value,
        spread,
        n=n,
        units=spread.units,
        level=level,
        centre=found.centre,
        least=found.least,
        width=found.width,
    )


def cells_gap_of_parts(
    asked: Metric, a: Tally, b: Tally, joint: Counts, level: float, *, same: bool
) -> Estimate | Absence:
    """a minus b, paired; ``joint`` (8,) counts the rows by truth, a's call and b's call."""
    first, second = influence_of_tally(asked, a), influence_of_tally(asked, b)
    if isinstance(first, Absence):
        return first
    if isinstance(second, Absence):
        return second
    n, value = int(joint.sum()), first.value - second.value
    if first.value == second.value and same:
        return plain_estimate(asked, 0.0, 0.0, 0.0, level, n, None, "the same scores")
    truth, there = TRUTH[OF_A], joint > 0
    psi = first.influence[OF_A] - second.influence[OF_B]
    ours = None if first.of is None else first.of[OF_A]
    theirs = None if second.of is None else second.of[OF_B]
    alike = ours is None or theirs is None or np.array_equal(ours[there], theirs[there])
    if asked.share and alike:
        return _share_gap(asked, psi, joint, ours, value, level)
    spread = _spread(psi, truth, joint)
    if asked.share and spread.units < LEAST_UNITS:
        spread = _spread(psi, np.zeros_like(truth), joint)
    if (reason := _few(asked, spread, _classes(joint, truth))) is not None:
        return Absence(metric=asked.name, reason=reason, n=n)
    more = _unseen(first, joint, OF_A) + _unseen(second, joint, OF_B)
    se = math.hypot(spread.se, math.sqrt(more)) if more else spread.se
    if se <= ROUNDING * (1 + abs(first.value)):
        unit, width = unit_of(asked, first.value)
        if asked.scale in ("logit", "fisher") and value == 0 and unit in (0.0, 1.0):
            half = width * proportion(0, spread.units, level)[1]
            method = f"Wilson bound, both perfect, {spread.units:.4g} units"
            return plain_estimate(asked, 0.0, -half, half, level, n, None, method)
        return _undiffering(asked, n)
    return paired_estimate(asked, value, _centre(first) - _centre(second), se, spread, n, level)


def influence_of_tally(asked: Metric, tally: Tally) -> Influence | Absence:
    """Value and influence of each kind of row (4,), or why there is none."""
    counts = tally.counts[thresholds_of(asked)[0]]
    try:
        return _influence(asked, tally)
    except Undefined as undefined:
        return Absence(metric=asked.name, reason=undefined.reason, n=int(sum(counts)))


def _influence(asked: Metric, tally: Tally) -> Influence:
    given: Any = tally
    if family_of(asked) != "accuracy":
        return asked.compute(TRUTH, given)
    cells = cells_of(TRUTH, tally, asked.at[0], None)
    return from_cells(cells, lambda tn, fp, fn, tp: (tn + tp) / (tn + fp + fn + tp))


def _share_gap(
    asked: Metric,
    psi: NDArray[np.float64],
    joint: Counts,
    of: NDArray[np.bool_] | None,
    value: float,
    level: float,
) -> Estimate:
    """Two shares of the same rows: Bonett & Price (2012), as ``shares.share_difference``."""
    held = joint if of is None else np.where(of, joint, 0)
    m, n = int(held.sum()), int(joint.sum())
    gap = np.rint(psi * (m / n) + value)
    se = paired_error(float(held @ np.abs(gap)), float(held @ gap), m)
    half = normal_quantile(level) * se
    return Estimate(
        metric=asked.name,
        value=value,
        lo=max(-1.0, value - half),
        hi=min(1.0, value + half),
        level=level,
        se=se,
        n=n,
        clusters=None,
        method="paired proportions, Bonett-Price",
    )


def _undiffering(asked: Metric, n: int) -> Absence:
    reason = "the two differ by the same on every row, so nothing shows how much rows differ"
    return Absence(metric=asked.name, reason=reason, n=n)


def _centre(found: Influence) -> float:
    return found.value if found.centre is None else found.centre


def _unseen(found: Influence, joint: Counts, kinds: NDArray[np.intp]) -> float:
    """The variance that ``least`` has and the influences do not."""
    seen = float(joint @ found.influence[kinds] ** 2) / float(joint.sum()) ** 2
    return max(0.0, found.least**2 - seen) if found.least else 0.0


def _spread(psi: NDArray[np.float64], truth: NDArray[np.int8], counts: Counts) -> Spread:
    """The spread of influences that kinds of rows have, each as often as it was counted."""
    square = psi * psi
    kinds = (truth == 0, truth == 1)
    return spread_of_sums(
        _classes(counts, truth),
        tuple(float(counts[kind] @ square[kind]) for kind in kinds),
        tuple(float(counts[kind] @ square[kind] ** 2) for kind in kinds),
    )


def _classes(counts: Counts, truth: NDArray[np.int8]) -> tuple[int, int]:
    return int(counts[truth == 0].sum()), int(counts[truth == 1].sum())


def _few(asked: Metric, spread: Spread, rows: tuple[int, int]) -> str | None:
    """Why there are too few rows of a class; more than ENOUGH of one tell nothing more."""
    small = [min(many, ENOUGH) for many in rows]
    return too_few(asked, spread, np.repeat(np.array([0, 1], dtype=np.int8), small), None)
