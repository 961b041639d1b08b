"""The mean, over labels, of the area under a label's ROC curve.

A label's area is the chance that a row with it is given a greater probability of it than a row
without, ties counting half; every label counts the same. As scikit-learn's ``average="macro"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.averages import Average
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.roc_auc import roc_auc
from trackrecord.stats.rarest import all_mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="ROC AUC, mean of labels",
    direction="higher",
    scale="logit",
    needs="probabilities",
    skew=2.0,
)
def roc_auc_macro(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where some label is on no row, or on every row."""
    all_mixed(truth)
    n, labels = truth.shape
    mean = Average(n, labels, few=0.0, skewed=0.1)
    for k in range(labels):
        mine, score = truth[:, k], np.ascontiguousarray(probability[:, k])
        mean.add(roc_auc(mine, score, weight), mine, weight, 1 / labels)
    return mean.influences()
