"""Log loss: the mean, over rows and labels, of -ln(probability given to what came true).

Each label is a yes or no of its own (Good 1952); probabilities are clipped as in the binary metric
of this name, of which this is the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="log loss, mean of labels",
    direction="lower",
    scale="log",
    needs="probabilities",
)
def log_loss(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean negative log likelihood of a label, in nats."""
    eps = np.finfo(np.float64).eps
    clipped = np.clip(probability, eps, 1 - eps)
    loss = -np.log(np.where(truth == 1, clipped, 1 - clipped))
    return mean_of(loss.mean(axis=1), weight)
