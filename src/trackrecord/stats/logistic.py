"""Logistic regression by Newton's method, with each row's influence on the coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.special import logit

from trackrecord.stats.influence import Undefined
from trackrecord.stats.ranking import both_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = 100
HALVINGS = 40
HUGE = 1e15
TOLERANCE = 1e-12
ROUNDING = 1e-9


class Fit(msgspec.Struct, frozen=True):
    """``coefficients`` (p,), and each row's ``influence`` (n, p) on them."""

    coefficients: Floats
    influence: Floats


def log_odds(truth: NDArray[np.int8], score: Floats) -> Floats:
    """logit(score) (n,). Undefined for one class, or where a score is exactly 0 or 1."""
    both_classes(truth)
    certain = int(np.count_nonzero((score == 0) | (score == 1)))
    if certain:
        word = "score is" if certain == 1 else "scores are"
        raise Undefined(f"{certain} {word} exactly 0 or 1, whose log odds are infinite")
    odds: Floats = logit(score)
    return odds


def fit(
    truth: NDArray[np.int8],
    design: Floats,
    start: list[float],
    offset: Floats | float = 0.0,
    weight: Floats | None = None,
) -> Fit:
    """Maximum likelihood for P(truth = 1) = sigmoid(design @ coefficients + offset).

    ``design`` is (n, p), ``start`` has p numbers. Newton's steps, halved while they lower the
    likelihood, which is concave: so this ends at its maximum where there is one (the caller
    excludes separated classes). ``weight`` (n,) multiplies each row's part, and has mean one.
    """
    coefficients = np.array(start)
    line = design @ coefficients + offset
    likelihood, chance = _likelihood(truth, line, weight)
    for _ in range(STEPS):
        information = design.T @ (_weighed(chance * (1 - chance), weight)[:, None] * design)
        gradient = design.T @ _weighed(truth - chance, weight)
        step = _solved(information, gradient)
        for _ in range(HALVINGS):
            line = design @ (coefficients + step) + offset
            reached, chance = _likelihood(truth, line, weight)
            if reached >= likelihood - ROUNDING * abs(likelihood):
                break
            step = step / 2
        coefficients, likelihood = coefficients + step, reached
        if np.all(np.abs(step) <= TOLERANCE * (1 + np.abs(coefficients))):
            return _fitted(truth, design, coefficients, chance, weight)
    raise Undefined(f"the logistic fit did not settle in {STEPS} steps")


def _fitted(
    truth: NDArray[np.int8],
    design: Floats,
    coefficients: Floats,
    chance: Floats,
    weight: Floats | None,
) -> Fit:
    curve = _weighed(chance * (1 - chance), weight)
    information = design.T @ (curve[:, None] * design) / truth.size
    bread = _solved(information, np.eye(coefficients.size))
    return Fit(coefficients, (design @ bread) * _weighed(truth - chance, weight)[:, None])


def _weighed(values: Floats, weight: Floats | None) -> Floats:
    return values if weight is None else values * weight


def _solved(information: Floats, right: Floats) -> Floats:
    try:
        found = np.linalg.solve(information, right).astype(np.float64)
    except np.linalg.LinAlgError:
        found = np.full_like(right, np.inf)
    if not np.all(np.abs(found) < HUGE):
        raise Undefined("the logistic fit is singular: no finite coefficients are the best")
    return found


def _likelihood(
    truth: NDArray[np.int8], line: Floats, weight: Floats | None
) -> tuple[float, Floats]:
    """The log likelihood, and sigmoid(line) (n,), from one exponential that cannot overflow."""
    small = np.exp(-np.abs(line))
    chance = np.where(line >= 0, 1.0, small) / (1 + small)
    softplus = np.maximum(line, 0.0) + np.log1p(small)
    if weight is not None:
        return float((weight * truth) @ line - weight @ softplus), chance
    return float(truth @ line - softplus.sum()), chance
