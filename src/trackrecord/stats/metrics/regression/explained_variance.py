"""Explained variance: one minus the errors' variance over the truths'; best is one.

R² with the bias forgiven. With v the ratio of the two variances, a row's influence is
((y - mean y)^2 v - (e - mean e)^2) / var(y), e = y - f.
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
    title="explained variance",
    direction="higher",
    scale="complement",
    needs="value",
    skew=4.0,
    rows_needed=50.0,
)
def explained_variance(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all truths are equal."""
    if truth.min() == truth.max():
        raise Undefined("the truth is the same on every row, so there is no variance to explain")
    error = truth - score
    left = ratio(squares(error - mean(error, weight)), squares(truth - mean(truth, weight)), weight)
    return Influence(1 - left.value, -left.influence)
