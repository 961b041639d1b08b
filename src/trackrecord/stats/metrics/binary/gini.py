"""Gini coefficient, or Somers' D of the score: 2 AUC - 1, from -1 to 1; zero ranks by chance.

The area's influences, doubled (Somers 1962; see ``roc_auc``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.roc_auc import roc_auc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="Gini coefficient", direction="higher", scale="fisher", needs="score", floor_skewed=0.1
)
def gini(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Undefined unless both classes are there."""
    area = roc_auc(truth, score, weight)
    return Influence(2 * area.value - 1, 2 * area.influence)
