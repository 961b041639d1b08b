"""Brier score: the mean of (probability - what happened)^2 (Brier 1950, for one of two outcomes).

A mean: a row's influence is its own squared error minus the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(title="Brier score", direction="lower", scale="log", needs="probability")
def brier(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Mean squared error of probabilities."""
    return mean_of((score - truth) ** 2, weight)
