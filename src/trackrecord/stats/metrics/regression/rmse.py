"""Root mean squared error: the root of the mean of (prediction - truth)^2, in the truth's unit.

With v its value, a row's influence is (squared error - v^2) / (2 v), by the chain rule.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss, squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="RMSE",
    direction="lower",
    scale="log",
    needs="value",
    skew=4.0,
    rows_needed=50.0,
)
def rmse(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Root mean squared error; 0 has no spread to show."""
    square = mean_loss(squares(score - truth), weight)
    value = math.sqrt(square.value)
    return Influence(value, square.influence / (2 * value) if value > 0 else square.influence)
