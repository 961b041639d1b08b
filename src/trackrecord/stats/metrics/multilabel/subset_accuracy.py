"""Subset accuracy: the share of rows whose labels are all right.

What scikit-learn's ``accuracy_score`` is of many labels. For independent rows the interval is
Wilson's.
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
    title="all labels right",
    direction="higher",
    scale="logit",
    needs="labels",
    share=True,
)
def subset_accuracy(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Share of rows without a wrong label."""
    return mean_of((truth == label).all(axis=1).astype(np.float64), weight)
