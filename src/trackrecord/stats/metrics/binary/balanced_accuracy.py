"""Balanced accuracy: the mean of recall and specificity.

Called positive are scores above 0.5, or above t in ``balanced_accuracy@t``. (TP / P + TN / N) / 2
(Brodersen et al. 2010); one half is chance, whatever the rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD
from trackrecord.stats.ranking import both_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="balanced accuracy",
    direction="higher",
    scale="logit",
    needs="probability",
    parameter=THRESHOLD,
)
def balanced_accuracy(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined unless both classes are there."""
    both_classes(truth)
    cells = cells_of(truth, score, threshold, weight)

    def formula(tn: complex, fp: complex, fn: complex, tp: complex) -> complex:
        return (tp / (tp + fn) + tn / (tn + fp)) / 2

    return from_cells(cells, formula)
