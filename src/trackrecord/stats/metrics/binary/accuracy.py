"""Accuracy: the share of rows called right when a score above a threshold is called positive.

The threshold is 0.5, or t in ``accuracy@t``. A score equal to it is called negative: at 0.5, the
first of two equal classes, as an argmax over both probabilities would. A mean of ones and zeros;
for independent rows the interval is Wilson's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    title="accuracy",
    direction="higher",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def accuracy(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Share of rows on the right side of the threshold."""
    return mean_of(((score > threshold) == (truth == 1)).astype(np.float64), weight)
