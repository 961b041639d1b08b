"""Logistic regression by Newton's method, with each row's influence on the coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.special import expit, logit

from trackrecord.stats.influence import Undefined
from trackrecord.stats.ranking import both_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = 100
HALVINGS = 40
TOLERANCE = 1e-12


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


def fit(truth: NDArray[np.int8], design: Floats, offset: Floats | float = 0.0) -> Fit:
    """Maximum likelihood for P(truth = 1) = sigmoid(design @ coefficients + offset).

    ``design`` is (n, p). Newton's steps, halved while they lower the likelihood, which is concave:
    so this ends at its maximum where there is one (the caller excludes separated classes).
    """
    n, width = design.shape
    coefficients = np.zeros(width)
    line = np.zeros(n) + offset
    likelihood = _log_likelihood(truth, line)
    for _ in range(STEPS):
        chance = expit(line)
        information = design.T @ ((chance * (1 - chance))[:, None] * design)
        gradient = design.T @ (truth - chance)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            raise Undefined("the logistic fit is singular: the scores hardly differ") from None
        for _ in range(HALVINGS):
            moved = design @ (coefficients + step) + offset
            reached = _log_likelihood(truth, moved)
            if reached >= likelihood - 1e-9 * abs(likelihood):
                break
            step = step / 2
        coefficients, line, likelihood = coefficients + step, moved, reached
        if np.all(np.abs(step) <= TOLERANCE * (1 + np.abs(coefficients))):
            break
    else:
        raise Undefined(f"the logistic fit did not settle in {STEPS} steps")
    chance = expit(line)
    information = design.T @ ((chance * (1 - chance))[:, None] * design) / n
    score_rows = design * (truth - chance)[:, None]
    return Fit(coefficients, np.linalg.solve(information, score_rows.T).T)


def _log_likelihood(truth: NDArray[np.int8], line: Floats) -> float:
    return float(np.sum(truth * line - np.logaddexp(0.0, line)))
