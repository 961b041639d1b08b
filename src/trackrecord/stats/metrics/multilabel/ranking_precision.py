"""Label ranking average precision: for each label of a row, how much of what is ranked no lower is
the row's own; the mean of a row's labels, then of rows.

Ranks are by probability, and equal ones share the lower place (Schapire & Singer 2000; Tsoumakas,
Katakis & Vlahavas 2010). A row with no label, or with all, counts as 1, as in scikit-learn's
``label_ranking_average_precision_score``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="label ranking average precision",
    direction="higher",
    scale="logit",
    needs="probabilities",
)
def ranking_precision(
    truth: NDArray[np.int8],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean, over rows, of the mean precision at a row's labels."""
    own = truth.sum(axis=1, dtype=np.int64)
    total = np.zeros(own.size)
    for k in range(truth.shape[1]):
        mine = np.flatnonzero(truth[:, k])
        above = probability[mine] >= probability[mine, k][:, None]
        total[mine] += (above & (truth[mine] == 1)).sum(axis=1) / above.sum(axis=1)
    settled = (own == 0) | (own == truth.shape[1])
    return mean_of(np.where(settled, 1.0, total / np.maximum(own, 1)), weight)
