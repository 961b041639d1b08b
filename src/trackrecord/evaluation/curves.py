"""What a report draws of one model's scores: curves, histograms, thresholds, costs, errors.

Everything follows from one sort of the scores. With weights, counts are sums of weights.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.cases.spec import Thresholds
from trackrecord.errors import BadInput
from trackrecord.evaluation.result import Benefit, DecisionCurve
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.remembering import remembering
from trackrecord.stats.simultaneous import joint_level, unit_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.evaluation.measuring import Columns
    from trackrecord.evaluation.plan import Plan
    from trackrecord.stats.metrics import Metric

    Floats = NDArray[np.float64]
    Truth = NDArray[np.int8]

POINTS = 240
BINS = 25
MOST_THRESHOLDS = 50
ROUND = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
RATIOS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
TABLE = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Sweep(msgspec.Struct, frozen=True):
    """Every threshold at once: (k,) distinct scores, descending; a row is flagged at or above one.

    ``tp`` and ``fp`` (k,) count flagged rows that came true and that did not.
    """

    threshold: Floats
    tp: Floats
    fp: Floats
    positives: float
    negatives: float


class Curve(msgspec.Struct, frozen=True):
    """Points of a line, x not falling."""

    x: list[float]
    y: list[float]


class Histogram(msgspec.Struct, frozen=True):
    """``edges`` (b + 1,), and the share of each class's rows in each bin."""

    edges: list[float]
    positive: list[float]
    negative: list[float]


class Cut(msgspec.Struct, frozen=True):
    """What a threshold does. ``precision`` is None where no row is flagged."""

    threshold: float
    flagged: float
    caught: float
    missed: float
    alarms: float
    precision: float | None
    recall: float
    specificity: float


class Choice(msgspec.Struct, frozen=True):
    """The threshold that costs least where a miss costs ``ratio`` times a false alarm.

    ``cost`` is the mean cost of a row in units of a false alarm; ``nobody`` and ``everyone`` are
    those of flagging no row and all. ``cut`` is None where flagging nobody costs least.
    """

    ratio: float
    cut: Cut | None
    cost: float
    nobody: float
    everyone: float


def sweep(truth: Truth, score: Floats, weight: Floats | None = None) -> Sweep:
    """All thresholds of ``score`` (n,) against ``truth`` (n,), from one sort."""
    counted = np.ones(truth.size) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    true = np.where(truth[order] == 1, counted[order], 0.0)
    false = np.where(truth[order] == 1, 0.0, counted[order])
    tp, fp = np.cumsum(true)[last], np.cumsum(false)[last]
    return Sweep(ranked[last], tp, fp, float(tp[-1]), float(fp[-1]))


def roc_curve(found: Sweep) -> Curve:
    """Share of false alarms against share of positives found; both classes must be there."""
    x = np.concatenate([[0.0], found.fp / found.negatives])
    y = np.concatenate([[0.0], found.tp / found.positives])
    return _thinned(x, y)


def precision_curve(found: Sweep) -> Curve:
    """Recall against precision, one point a threshold."""
    recall = found.tp / found.positives
    precision = found.tp / (found.tp + found.fp)
    keep = found.tp + found.fp > 0
    return _thinned(recall[keep], precision[keep])


def histogram(truth: Truth, score: Floats, weight: Floats | None = None) -> Histogram:
    """Shares of each class by score, over [0, 1] where all scores lie in it."""
    counted = np.ones(truth.size) if weight is None else weight
    low, high = float(score.min()), float(score.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    shares = []
    for label in (1, 0):
        mine = truth == label
        counts, _ = np.histogram(score[mine], bins=edges, weights=counted[mine])
        shares.append((counts / counted[mine].sum()).tolist())
    return Histogram(edges.tolist(), shares[0], shares[1])


def decision_curves(columns: Columns, plan: Plan) -> list[DecisionCurve]:
    """Net benefit over the plan's thresholds of the candidate, the reference, and acting always.

    Where there is a reference, the candidate's paired difference to it comes last. Each point is
    the metric ``net_benefit`` at its threshold; bounds are at the level at which all of a curve
    hold together. Empty where the plan asks for none.
    """
    if plan.decision is None:
        return []
    alone = [plan.candidate, plan.reference] if plan.reference is not None else [plan.candidate]
    pairs: list[tuple[str | None, str | None]] = [(name, None) for name in [*alone, None]]
    if plan.reference is not None:
        pairs.append((plan.candidate, plan.reference))
    with remembering(columns.memory):
        return [_decision_curve(columns, plan, plan.decision, *pair) for pair in pairs]


def thresholds_between(asked: Thresholds) -> list[float]:
    """At most MOST_THRESHOLDS, both ends and the round ones between them."""
    span = asked.highest - asked.lowest
    step = next(s for s in ROUND if span <= s * (MOST_THRESHOLDS - 2))
    first, last = math.floor(asked.lowest / step) + 1, math.ceil(asked.highest / step) - 1
    between = [round(step * k, 6) for k in range(first, last + 1)]
    within = [t for t in between if asked.lowest < t < asked.highest]
    return [asked.lowest, *within, asked.highest]


def reached_thresholds(score: Floats) -> Thresholds:
    """Where nobody has said at which probability to act: up to where few rows are flagged."""
    top = float(np.quantile(score, 0.995))
    return Thresholds(lowest=0.01, highest=min(0.95, max(0.1, math.ceil(20 * top) / 20)))


def check_thresholds(plan: Plan) -> None:
    """Raise BadInput where the plan asks for a decision curve that cannot be."""
    asked = plan.decision
    if asked is None:
        return
    if plan.task != "binary":
        raise BadInput(f"a decision curve is of a yes or no, and the task is {plan.task}")
    if not 0.001 <= asked.lowest < asked.highest <= 0.999:
        raise BadInput(
            f"a decision curve cannot go from {asked.lowest} to {asked.highest}",
            why="0.001 <= lowest < highest <= 0.999",
        )


def _decision_curve(
    columns: Columns, plan: Plan, asked: Thresholds, model: str | None, minus: str | None
) -> DecisionCurve:
    from trackrecord.stats.metrics import get_metric

    ones = np.ones(columns.rows)
    scores = [ones if model is None else columns.scores[model]]
    scores += [columns.scores[minus]] if minus is not None else []
    # all is measured twice, so that only one threshold's influences are in memory
    metrics = {
        t: get_metric(f"net_benefit@{format(Decimal(repr(t)), 'f')}")
        for t in thresholds_between(asked)
    }

    def measured(metric: Metric) -> list[Influence | Absence]:
        return [measure(metric, columns.truth, score, columns.weight) for score in scores]

    for found in measured(metrics[asked.lowest]):
        if isinstance(found, Absence):
            return DecisionCurve(model=model, minus=minus, points=[], reason=found.reason)
    sums = unit_sums(
        ((None, _difference(measured(metric))[1]) for metric in metrics.values()),
        columns.rows,
        columns.cluster,
    )
    each = joint_level(sums, plan.level).each if sums.any() else plan.level
    points, reason = [], None
    for threshold, metric in metrics.items():
        both = measured(metric)
        around = difference_of if len(both) > 1 else estimate_of
        bounded = around(metric, *both, cluster=columns.cluster, level=each)
        lo = hi = None
        if isinstance(bounded, Estimate):
            lo, hi = bounded.lo, bounded.hi
        else:
            reason = bounded.reason
        points.append(Benefit(threshold=threshold, value=_difference(both)[0], lo=lo, hi=hi))
    return DecisionCurve(model=model, minus=minus, points=points, each=each, reason=reason)


def _difference(found: list[Influence | Absence]) -> tuple[float, Floats]:
    """Value and influence of the first, less those of the second where there is one."""
    known = [item for item in found if isinstance(item, Influence)]
    first = known[0]
    if len(known) == 1:
        return first.value, first.influence
    return first.value - known[1].value, first.influence - known[1].influence


def cuts(found: Sweep, *, probabilities: bool) -> list[Cut]:
    """A table of thresholds: round ones for probabilities, else those that flag round shares."""
    if probabilities:
        wanted = [t for t in TABLE if found.threshold[-1] <= t <= found.threshold[0]]
    else:
        share = (found.tp + found.fp) / (found.positives + found.negatives)
        places = [int(np.searchsorted(share, s)) for s in TABLE]
        wanted = [float(found.threshold[min(p, share.size - 1)]) for p in dict.fromkeys(places)]
        wanted.reverse()
    return [cut_at(found, threshold) for threshold in wanted]


def cut_at(found: Sweep, threshold: float) -> Cut:
    """What flagging every row with a score of at least ``threshold`` does."""
    place = int(np.searchsorted(-found.threshold, -threshold, side="right")) - 1
    tp = float(found.tp[place]) if place >= 0 else 0.0
    fp = float(found.fp[place]) if place >= 0 else 0.0
    flagged = tp + fp
    return Cut(
        threshold=threshold,
        flagged=flagged,
        caught=tp,
        missed=found.positives - tp,
        alarms=fp,
        precision=tp / flagged if flagged > 0 else None,
        recall=tp / found.positives,
        specificity=1 - fp / found.negatives,
    )


def choices(found: Sweep, ratios: list[float]) -> list[Choice]:
    """For each ratio of the cost of a miss to that of a false alarm, the cheapest threshold."""
    rows = found.positives + found.negatives
    chosen = []
    for ratio in ratios:
        costs = (ratio * (found.positives - found.tp) + found.fp) / rows
        nobody = ratio * found.positives / rows
        best = int(np.argmin(costs))
        better = costs[best] < nobody
        chosen.append(
            Choice(
                ratio,
                cut_at(found, float(found.threshold[best])) if better else None,
                float(costs[best]) if better else nobody,
                nobody,
                found.negatives / rows,
            )
        )
    return chosen


def worst(truth: Truth, score: Floats, *, most: int = 10) -> tuple[list[int], list[int]]:
    """Rows of the most confident errors: highest scores of 0, and lowest scores of 1."""
    order = np.argsort(score, kind="stable")
    high = [int(row) for row in order[::-1] if truth[row] == 0][:most]
    low = [int(row) for row in order if truth[row] == 1][:most]
    return high, low


def _thinned(x: Floats, y: Floats) -> Curve:
    """At most about POINTS points, spread evenly along the line; the ends stay."""
    if x.size > POINTS:
        steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
        along = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0.0, float(along[-1]), POINTS)
        places = np.unique(np.clip(np.searchsorted(along, wanted), 0, x.size - 1))
        x, y = x[places], y[places]
    return Curve(x.tolist(), y.tolist())
