"""Accuracy: the share of rows called right when a score above 0.5 is called positive.

A score of exactly 0.5 is called negative: the first of two equal classes, as an argmax over both
probabilities would. A mean of ones and zeros; for independent rows the interval is Wilson's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.5


@metric(title="accuracy", direction="higher", scale="logit", needs="probability", share=True)
def accuracy(truth: NDArray[np.int8], score: NDArray[np.float64]) -> Influence:
    """Share of rows on the right side of the threshold."""
    return mean_of(((score > THRESHOLD) == (truth == 1)).astype(np.float64))
