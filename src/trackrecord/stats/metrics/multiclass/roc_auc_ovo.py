"""One against one: the mean, over pairs of classes, of how well the two are told apart.

For classes a and b, the area of the probability of a among the rows of both, and that of b, are
averaged; then all pairs are (Hand & Till 2001). Rates of classes do not matter to it.
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
    title="ROC AUC, mean of pairs of classes",
    direction="higher",
    scale="logit",
    needs="probabilities",
    skew=2.0,
)
def roc_auc_ovo(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where some class has no row."""
    n, classes = probability.shape
    all_present(truth, classes)
    rows = [np.flatnonzero(truth == k) for k in range(classes)]
    pairs = classes * (classes - 1)
    mean = Average(n, pairs, few=0.0, skewed=0.1)
    for a in range(classes):
        for b in range(a + 1, classes):
            both = np.concatenate([rows[a], rows[b]])
            mine = (truth[both] == a).astype(np.int8)
            heavy = None if weight is None else weight[both]
            for score, side in ((probability[both, a], mine), (probability[both, b], 1 - mine)):
                mean.add_part(roc_auc(side, score, heavy), side, heavy, 1 / pairs, both)
    return mean.influences()
