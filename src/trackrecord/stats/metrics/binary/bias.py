"""Bias: mean prediction minus the rate that came true; zero is calibration in the mean.

A mean: a row's influence is its own (probability - what happened) minus the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(title="bias", direction="zero", scale="identity", needs="probability")
def bias(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Mean of prediction minus truth: positive where the model promises too much."""
    return mean_of(score - truth, weight)
