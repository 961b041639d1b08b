"""Log loss: the mean of -ln(probability given to what happened) (Good 1952).

Scores are clipped to [eps, 1 - eps] with eps = 2.2e-16, a double's precision, as scikit-learn
does: a certainty that proves wrong costs 36.04, not infinity. A mean: a row's influence is its own
loss minus the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(title="log loss", direction="lower", scale="log", needs="probability")
def log_loss(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Mean negative log likelihood, in nats."""
    eps = np.finfo(np.float64).eps
    clipped = np.clip(score, eps, 1 - eps)
    return mean_of(-np.log(np.where(truth == 1, clipped, 1 - clipped)), weight)
