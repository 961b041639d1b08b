"""Log loss: the mean of -ln(probability given to the class that came true) (Good 1952).

Probabilities are clipped to [eps, 1 - eps] with eps = 2.2e-16, as scikit-learn does. Those of a row
are taken as they are, also where rounding makes their sum a little off 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="log loss",
    direction="lower",
    scale="log",
    needs="probabilities",
)
def log_loss(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean negative log likelihood, in nats."""
    eps = np.finfo(np.float64).eps
    given = np.take_along_axis(probability, truth[:, None], axis=1)[:, 0]
    return mean_of(-np.log(np.clip(given, eps, 1 - eps)), weight)
