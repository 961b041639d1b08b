"""What is assumed of a model before there is one: its effect, and each metric's spread.

The reference model is calibrated and binormal: with prevalence p its log odds are logit(p) + L,
where L is normal with variance d^2 and mean +d^2 / 2 for positive rows, -d^2 / 2 for negative ones
- the one binormal family whose likelihood ratio is its own score - so AUC = Phi(d / sqrt(2)).
Expectations are sums over Gauss-Hermite nodes. ``spread`` is sqrt(n) times a standard error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.special import expit, ndtri

from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REFERENCE_AUC = 0.75
CORRELATION = 0.5
NODES = 64
# the effect hoped for where the case names none: (a metric's distance from its limit, a difference)
MARGINS = {
    "roc_auc": (0.03, 0.02),
    "average_precision": (0.03, 0.02),
    "accuracy": (0.02, 0.01),
    "brier": (0.01, 0.005),
    "log_loss": (0.02, 0.01),
    "calibration_intercept": (0.1, 0.1),
    "calibration_slope": (0.1, 0.1),
    "bias": (0.01, 0.01),
}


def effect_assumed(
    metric: str, low: float, high: float, paired: bool, expect: float | None
) -> tuple[float, str]:
    """The effect to plan for, and how it was come by."""
    what = "difference" if paired else metric
    if expect is not None:
        return expect, f"the {what} is {expect:g}, as the case expects"
    if math.isfinite(low) and math.isfinite(high):
        best = {"zero": 0.0, "one": 1.0}.get(get_metric(metric).direction)
        if best is None or paired or not low < best < high:
            best = (low + high) / 2
        return best, f"the {what} is {best:.4g}, well inside the range"
    margin = MARGINS.get(metric, (0.02, 0.02))[paired]
    limit, effect = (low, low + margin) if math.isfinite(low) else (high, high - margin)
    if not paired and get_metric(metric).scale == "logit":
        effect = min(max(effect, limit / 2), (1 + limit) / 2)
    if not paired and get_metric(metric).scale == "log":
        effect = max(effect, limit / 2)
    return effect, f"the {what} is {effect:.4g}, {abs(effect - limit):.4g} beyond the limit"


def spread_assumed(
    metric: str, effect: float, prevalence: float, rows: int, paired: bool
) -> tuple[float, str]:
    """sqrt(n) times the standard error of the metric, or of a paired difference of it."""
    rate = min(max(prevalence, 0.5 / (rows + 1)), 1 - 0.5 / (rows + 1))
    auc = REFERENCE_AUC
    if metric == "roc_auc" and not paired and 0.5 < effect < 1:
        auc = effect
    spread = _spread(metric, effect if not paired else None, rate, auc)
    said = f"a calibrated model with AUC {auc:.3g} at a rate of {rate:.3g}"
    if paired:
        spread *= math.sqrt(2 * (1 - CORRELATION))
        said += f", the two models' errors correlated {CORRELATION:g}"
    return spread, said


class Reference(msgspec.Struct, frozen=True):
    """The reference model's rows: ``weight`` (k,), ``truth`` (k,), ``odds`` (k,) and ``score``."""

    weight: Floats
    truth: Floats
    odds: Floats
    score: Floats


def reference(rate: float, auc: float) -> Reference:
    """The reference population as weighted rows, by Gauss-Hermite quadrature in each class."""
    d = math.sqrt(2) * float(ndtri(auc))
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    middle = math.log(rate / (1 - rate))
    odds = np.concatenate([middle + d * d / 2 + d * node, middle - d * d / 2 + d * node])
    truth = np.repeat([1.0, 0.0], NODES)
    return Reference(np.concatenate([rate * weight, (1 - rate) * weight]), truth, odds, expit(odds))


def _spread(metric: str, value: float | None, rate: float, auc: float) -> float:
    if metric == "roc_auc":
        # Hanley & McNeil 1982: the exponential model's variance, for many rows
        q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
        return math.sqrt((q1 - auc**2) / rate + (q2 - auc**2) / (1 - rate))
    model = reference(rate, auc)

    def deviation(values: Floats) -> float:
        mean = float(model.weight @ values)
        return math.sqrt(float(model.weight @ (values - mean) ** 2))

    if metric == "accuracy":
        right = ((model.score > 0.5) == (model.truth == 1)).astype(np.float64)
        share = float(model.weight @ right) if value is None else value
        return math.sqrt(max(share * (1 - share), 1e-6))
    if metric == "average_precision":
        # Boyd, Eng & Page 2013: over positive rows as a proportion is
        share = 0.5 if value is None else value
        return math.sqrt(max(share * (1 - share), 1e-6) / rate)
    if metric == "brier":
        return deviation((model.score - model.truth) ** 2)
    if metric == "log_loss":
        return deviation(-np.log(np.where(model.truth == 1, model.score, 1 - model.score)))
    if metric == "bias":
        return deviation(model.score - model.truth)
    information = model.weight * model.score * (1 - model.score)
    if metric == "calibration_intercept":
        return math.sqrt(1 / float(information.sum()))
    if metric == "calibration_slope":
        middle = float(information @ model.odds) / float(information.sum())
        return math.sqrt(1 / float(information @ (model.odds - middle) ** 2))
    raise KeyError(metric)
