"""Mean squared error: the mean of (prediction - truth)^2, in the square of the truth's unit.

A mean: a row's influence is its own squared error minus the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss, squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="MSE",
    direction="lower",
    scale="log",
    needs="value",
    skew=4.0,
    rows_needed=80.0,
)
def mse(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean squared error; least for the mean."""
    return mean_loss(squares(score - truth), weight)
