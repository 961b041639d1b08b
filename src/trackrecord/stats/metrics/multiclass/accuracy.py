"""Accuracy: the share of rows whose class is the one that is named.

Of probabilities, the class named is the likeliest, the first of equals. Micro-averaged precision,
recall and F1, and recall weighted by rows, are this same number and have no names of their own. For
independent rows the interval is Wilson's.
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
    title="accuracy",
    direction="higher",
    scale="logit",
    needs="label",
    share=True,
)
def accuracy(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Share of rows that are called what they are."""
    return mean_of((truth == label).astype(np.float64), weight)
