"""Bias: mean prediction minus mean truth; zero is best, above it predictions are too high.

A mean: a row's influence is its own (prediction - truth) minus the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="bias",
    direction="zero",
    scale="identity",
    needs="value",
    skew=3.0,
)
def bias(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean of prediction minus truth, in the truth's unit."""
    return mean_loss(score - truth, weight)
