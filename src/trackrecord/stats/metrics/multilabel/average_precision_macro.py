"""The mean, over labels, of a label's average precision.

Of one label: the mean, over rows with it, of the precision at that row's probability, by steps, as
in the binary metric ``average_precision``. As scikit-learn's ``average="macro"``, but for a label
without rows, which has no value here and 0 there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.averages import Average
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.average_precision import average_precision
from trackrecord.stats.rarest import all_mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="average precision, mean of labels",
    direction="higher",
    scale="logit",
    needs="probabilities",
)
def average_precision_macro(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where some label is on no row, or on every row."""
    all_mixed(truth)
    n, labels = truth.shape
    mean = Average(n, labels, few=1.0, skewed=0.1)
    for k in range(labels):
        mine, score = truth[:, k], np.ascontiguousarray(probability[:, k])
        mean.add(average_precision(mine, score, weight), mine, weight, 1 / labels)
    return mean.influences()
