"""ROC AUC of all labels as one.

The chance that, of two cells of the table of rows and labels, the one that is true has the greater
probability, ties counting half. A row has a cell for each label, and its influence is the mean of
theirs. As scikit-learn's ``average="micro"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.averages import pooled
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.roc_auc import roc_auc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="ROC AUC, all labels as one",
    direction="higher",
    scale="logit",
    needs="probabilities",
)
def roc_auc_micro(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where nothing is true, or everything."""
    return pooled(roc_auc, truth, probability, weight, few=0.0)
