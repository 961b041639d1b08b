"""What is assumed of models before there are any: the effect hoped for, and a metric's spread.

The reference model is calibrated and binormal. With prevalence p, its log odds are logit(p) + L,
L being normal with variance d^2 and mean d^2 / 2 for positive rows, -d^2 / 2 for negative ones: the
one such family whose score is its own likelihood ratio; so AUC = Phi(d / sqrt(2)). A metric's
spread, sqrt(n) times its standard error, is the root mean square of its influences over rows laid
at that population's quantiles: any metric that is registered can be planned for.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.special import expit, logit, ndtri

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REFERENCE_AUC = 0.75
CORRELATION = 0.7
LEAST_AUC, MOST_AUC = 0.505, 0.999
ROWS, LEAST_RARE, MOST_ROWS = 20_000, 200, 100_000
# how far beyond the limit the effect is hoped to lie, where the case does not say
MARGIN = {False: 0.03, True: 0.02}
SHARE = {False: 0.1, True: 0.02}
CALIBRATION_MARGIN = 0.05


def effect_assumed(
    metric: str, low: float, high: float, rate: float, paired: bool, expect: float | None
) -> tuple[float, str]:
    """The effect to plan for within [low, high], and in words how it was come by."""
    asked = get_metric(metric)
    what = f"{asked.title} difference" if paired else asked.title
    if expect is not None:
        return expect, f"{what} {expect:g} as the case expects"
    best = {"zero": 0.0, "one": 1.0}.get(asked.direction)
    if best is not None and not paired and low < best < high:
        return best, f"{what} {best:g}, its best value"
    if math.isfinite(low) == math.isfinite(high):
        middle = (low + high) / 2 if math.isfinite(low) else 0.0
        return middle, f"{what} {middle:.4g}, the middle of the range"
    limit, inward = (low, 1) if math.isfinite(low) else (high, -1)
    if asked.scale == "logit":
        margin = MARGIN[paired]
    elif asked.scale == "log":
        size = _value(metric, REFERENCE_AUC, _rounded(rate)) if paired else abs(limit)
        margin = SHARE[paired] * size
    else:
        margin = CALIBRATION_MARGIN
    effect = limit + inward * margin
    if asked.scale == "logit" and not paired:
        effect = min(max(effect, limit / 2), (1 + limit) / 2)
    return effect, f"{what} {effect:.4g}, {abs(effect - limit):.2g} beyond the limit"


def spread_assumed(metric: str, effect: float, rate: float, paired: bool) -> tuple[float, str]:
    """sqrt(n) times the standard error of a metric or of a paired difference, and the model."""
    asked, rounded = get_metric(metric), _rounded(rate)
    auc = REFERENCE_AUC if paired else _auc_with(asked, effect, rounded)
    if paired:
        said = (
            f"two calibrated models with ROC AUC {auc:.3g} whose log odds correlate "
            f"{CORRELATION:g} within each class"
        )
    else:
        said = f"a calibrated model with ROC AUC {auc:.3g}"
    said += f"; {rate:.3g} of rows positive"
    if measured_for(metric, rounded, auc).shifted:
        said += ", and shifted to call as many so"
    return _spread(metric, auc, rounded, paired), said


def _rounded(rate: float) -> float:
    """Three digits of the rarer class's rate, so that near rates share their reckoning."""
    rare = float(f"{min(rate, 1 - rate):.3g}")
    return rare if rate <= 0.5 else 1 - rare


def _auc_with(asked: Metric, effect: float, rate: float) -> float:
    """The reference model whose metric is the effect; the usual one where there is none."""
    if asked.direction not in ("higher", "lower"):
        return REFERENCE_AUC
    low, high = LEAST_AUC, MOST_AUC
    rising = 1 if asked.direction == "higher" else -1
    worst, best = rising * _value(asked.name, low, rate), rising * _value(asked.name, high, rate)
    if not worst < rising * effect < best:
        return REFERENCE_AUC
    for _ in range(9):
        middle = (low + high) / 2
        if rising * _value(asked.name, middle, rate) < rising * effect:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=1024)
def _value(metric: str, auc: float, rate: float) -> float:
    return measured_for(metric, rate, auc).score.value


@lru_cache(maxsize=256)
def _spread(metric: str, auc: float, rate: float, paired: bool) -> float:
    laid = measured_for(metric, rate, auc)
    truth, influence, hidden = laid.truth, laid.score.influence, _hidden(laid.score)
    if paired:
        influence, hidden = influence - laid.other.influence, hidden + _hidden(laid.other)
    actual = float(truth.mean())
    # rarer than the rows laid out: an influence of the rarer class grows as 1 / rate
    rarer = min(actual, 1 - actual) / min(rate, 1 - rate)
    # what less than one of the rows laid out would carry is not seen: never taken for none
    seen = max(float(influence @ influence), 1.0) / truth.size + hidden
    return math.sqrt(seen * max(1.0, rarer))


def _hidden(found: Influence) -> float:
    """What a metric's least error adds to the mean square of its influences."""
    n = found.influence.size
    return max(0.0, n * found.least**2 - float(found.influence @ found.influence) / n)


class Measured(msgspec.Struct, frozen=True):
    """A metric of both reference models, measured on their ``truth`` (n,); ``shifted`` says whether
    their scores were, too."""

    truth: NDArray[np.int8]
    score: Influence
    other: Influence
    shifted: bool


@lru_cache(maxsize=4)
def measured_for(metric: str, rate: float, auc: float) -> Measured:
    """The metric on ``reference_rows``, shifted where it is undefined on them.

    A calibrated model of rare positives may call no row positive; the same ranking, moved until as
    many are called as are positive, does.
    """
    asked, (truth, score, other) = get_metric(metric), reference_rows(rate, auc)
    compute, positive = asked.compute, float(truth.mean())
    try:
        return Measured(truth, compute(truth, score), compute(truth, other), False)
    except Undefined:
        threshold = asked.at[0] if asked.parameter == THRESHOLD else 0.5
        score, other = (_shifted(column, positive, threshold) for column in (score, other))
    try:
        return Measured(truth, compute(truth, score), compute(truth, other), True)
    except Undefined as undefined:  # of another package, and not for this model
        said = f"{metric} cannot be planned for: {undefined.reason}"
        raise ValueError(said) from undefined


def _shifted(score: Floats, rate: float, threshold: float) -> Floats:
    """Scores moved in log odds until the share ``rate`` of them is above the threshold."""
    odds = logit(score)
    moved: Floats = expit(odds - np.quantile(odds, 1 - rate) + logit(threshold))
    return moved


@lru_cache(maxsize=8)
def reference_rows(
    rate: float, auc: float, correlation: float = CORRELATION
) -> tuple[NDArray[np.int8], Floats, Floats]:
    """Truth, and the scores of two reference models, for rows at the population's quantiles.

    ``correlation`` is that of the two models' log odds within each class.
    """
    rare = min(rate, 1 - rate)
    rows = int(min(max(ROWS, LEAST_RARE / rare), MOST_ROWS))
    fewer = max(round(rows * rare), LEAST_RARE)
    positives = fewer if rate <= 0.5 else rows - fewer
    d = math.sqrt(2) * float(ndtri(auc))
    middle = math.log(positives / (rows - positives))
    rng = np.random.default_rng(0)
    first: list[Floats] = []
    second: list[Floats] = []
    for count, sign in ((positives, 1), (rows - positives, -1)):
        seen = ndtri((np.arange(count) + 0.5) / count)
        mixed = correlation * seen + math.sqrt(1 - correlation**2) * rng.permutation(seen)
        for scores, normal in ((first, seen), (second, mixed)):
            scores.append(expit(middle + sign * d * d / 2 + d * normal))
    truth = np.repeat(np.array([1, 0], dtype=np.int8), [positives, rows - positives])
    return truth, np.concatenate(first), np.concatenate(second)
