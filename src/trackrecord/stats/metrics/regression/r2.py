"""R²: one minus the squared error over that of always saying the truths' mean; best is one.

1 - mean((f - y)^2) / mean((y - mean y)^2). With v the ratio of the two means, a row's influence is
((y - mean y)^2 v - (f - y)^2) / mean((y - mean y)^2); that of the mean itself is nothing to the
first order. Below 0 where the mean of these very truths would have been the better prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean, ratio, squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="R²",
    direction="higher",
    scale="complement",
    needs="value",
    skew=4.0,
    rows_needed=50.0,
)
def r2(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """The share of the truths' variance that is explained. Undefined where they are all equal."""
    if truth.min() == truth.max():
        raise Undefined("the truth is the same on every row, so there is no variance to explain")
    left = ratio(squares(score - truth), squares(truth - mean(truth, weight)), weight)
    return Influence(1 - left.value, -left.influence)
