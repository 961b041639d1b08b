"""Symmetric mean absolute percentage error: the mean of 2 |f - y| / (|f| + |y|), from 0 to 2.

A mean, as the M4 competition has it, as a share (Makridakis, Spiliotis & Assimakopoulos 2020,
eq. 1, after Makridakis 1993). A row whose prediction and truth are both 0 is right, and counts 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import bounded, mean_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="sMAPE",
    direction="lower",
    scale="log",
    needs="value",
    skew=3.0,
)
def smape(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Every row where the prediction or the truth, but not both, is 0 counts 2."""
    size = abs(bounded(truth)) + abs(bounded(score))
    return mean_loss(2 * abs(score - truth) / np.where(size > 0, size, 1.0), weight)
