"""One against the rest: the mean, over classes, of the area under a class's ROC curve.

A class's area is the chance that one of its rows is given a greater probability of it than a row of
another class, ties counting half; every class counts the same (Fawcett 2006, without weights).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.averages import Average
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.roc_auc import roc_auc
from trackrecord.stats.rarest import all_present

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="ROC AUC, mean of each class against the rest",
    direction="higher",
    scale="logit",
    needs="probabilities",
    skew=2.0,
)
def roc_auc_ovr(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where some class has no row."""
    n, classes = probability.shape
    all_present(truth, classes)
    mean = Average(n, classes, few=0.0, skewed=0.1)
    for k in range(classes):
        mine = (truth == k).astype(np.int8)
        mean.add(roc_auc(mine, probability[:, k], weight), mine, weight, 1 / classes)
    return mean.influences()
