"""Calibration slope: below one, predictions are too extreme; above one, too timid; best is one.

The coefficient b in P(y = 1) = sigmoid(a + b logit(score)), both fitted by maximum likelihood
(Cox 1958; Miller et al. 1993). With x = (1, logit(score)) and p the fitted probability, a row's
influence on (a, b) is mean(p (1 - p) x x')^-1 x (y - p), the sandwich's parts (Huber 1967).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.logistic import fit, log_odds
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(title="calibration slope", direction="one", scale="identity", needs="probability")
def calibration_slope(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """The slope of the joint fit. Undefined for a constant score or one that separates classes."""
    odds = log_odds(truth, score)
    if odds.min() == odds.max():
        raise Undefined("every row has the same score, so there is no slope")
    high, low = odds[truth == 1], odds[truth == 0]
    if high.min() >= low.max() or high.max() <= low.min():
        raise Undefined("one score separates the classes, so the slope is infinite")
    design = np.column_stack([np.ones(odds.size), odds])
    fitted = fit(truth, design, [0.0, 1.0], weight=weight)
    return Influence(float(fitted.coefficients[1]), fitted.influence[:, 1])
