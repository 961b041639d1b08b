"""Average precision of all labels as one.

The mean, over all that is true in the table of rows and labels, of the precision at its
probability, by steps. A row has a cell for each label, and its influence is the mean of theirs. As
scikit-learn's ``average="micro"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.averages import pooled
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.average_precision import average_precision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="average precision, all labels as one",
    direction="higher",
    scale="logit",
    needs="probabilities",
)
def average_precision_micro(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where nothing is true, or everything."""
    return pooled(average_precision, truth, probability, weight, few=1.0)
