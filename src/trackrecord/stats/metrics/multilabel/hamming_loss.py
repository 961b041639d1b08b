"""Hamming loss: the share of labels that are wrong, in the mean of rows; 0 is best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="labels that are wrong",
    direction="lower",
    scale="logit",
    needs="labels",
)
def hamming_loss(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean, over rows, of the share of labels called wrong."""
    return mean_of((truth != label).mean(axis=1), weight)
