"""Calibration intercept: how far, in log odds, predictions are off on the whole; best is zero.

Calibration in the large: the constant a in P(y = 1) = sigmoid(a + logit(score)), the slope held at
one by an offset (Cox 1958; Steyerberg 2019, section 15.3; Van Calster et al. 2019). Not the joint
fit's constant, which depends on where the slope turns. It solves mean(y - p) = 0 with
p = sigmoid(a + logit(score)); a row's influence is (y - p) / mean(p (1 - p)) (Huber 1967).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.logistic import fit, log_odds
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(title="calibration intercept", direction="zero", scale="identity", needs="probability")
def calibration_intercept(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """The constant with slope one. Undefined for one class, or scores of exactly 0 or 1."""
    offset = log_odds(truth, score)
    fitted = fit(truth, np.ones((truth.size, 1)), [0.0], offset, weight)
    return Influence(float(fitted.coefficients[0]), fitted.influence[:, 0])
