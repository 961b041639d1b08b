"""One against the rest, weighted by rows: each class's ROC area, by its share of the rows.

The sum of share_k area_k (Provost & Domingos 2000). A row moves it through the areas, and through
the share of its own class: by area_k - value.
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
    title="ROC AUC, each class against the rest, weighted by rows",
    direction="higher",
    scale="logit",
    needs="probabilities",
    skew=2.0,
)
def roc_auc_ovr_weighted(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where some class has no row."""
    n, classes = probability.shape
    all_present(truth, classes)
    share = np.bincount(truth, weights=weight, minlength=classes) / n
    mean, areas = Average(n, classes, few=0.0, skewed=0.1), np.empty(classes)
    for k in range(classes):
        mine = (truth == k).astype(np.int8)
        one = roc_auc(mine, probability[:, k], weight)
        areas[k] = one.value
        mean.add(one, mine, weight, float(share[k]))
    moved = areas[truth] - mean.value
    mean.move(moved if weight is None else weight * moved)
    return mean.influences()
