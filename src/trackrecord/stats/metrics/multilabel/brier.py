"""Brier score: the mean, over rows and labels, of (probability - what happened)^2.

Each label is a yes or no of its own; from 0 to 1, the mean of the binary metric of this name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="Brier score, mean of labels",
    direction="lower",
    scale="log",
    needs="probabilities",
)
def brier(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean squared error of a label's probability."""
    return mean_of(((probability - truth) ** 2).mean(axis=1), weight)
