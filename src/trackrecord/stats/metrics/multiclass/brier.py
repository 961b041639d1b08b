"""Brier score of several classes: the mean of sum_k (probability_k - 1{class k came true})^2.

Brier's own definition (1950), from 0 to 2, as scikit-learn's ``brier_score_loss`` has it for
three classes or more. Of two classes it is twice the binary score, which counts one of them.
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
    title="Brier score, sum of classes",
    direction="lower",
    scale="log",
    needs="probabilities",
)
def brier(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean squared distance of the probabilities from what came true."""
    off = probability.copy()
    off[np.arange(truth.size), truth] -= 1
    return mean_of(np.einsum("ij,ij->i", off, off), weight)
