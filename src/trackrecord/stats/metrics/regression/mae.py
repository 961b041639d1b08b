"""Mean absolute error: the mean of |prediction - truth|, in the truth's unit.

A mean: a row's influence is its own absolute error minus the mean.
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
    title="MAE",
    direction="lower",
    scale="log",
    needs="value",
    skew=3.0,
)
def mae(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean absolute error; least for the median."""
    return mean_loss(abs(score - truth), weight)
