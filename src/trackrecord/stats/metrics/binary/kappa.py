"""Cohen's kappa: agreement of truth and call beyond what chance would give.

Called are scores above 0.5, or above t in ``kappa@t``. With o the accuracy and e the agreement of
independent columns with these shares, (o - e) / (1 - e) (Cohen 1960), which is
2 (TP TN - FP FN) / ((TP + FP) (FP + TN) + (TP + FN) (FN + TN)).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="Cohen's kappa",
    direction="higher",
    scale="fisher",
    needs="probability",
    parameter=THRESHOLD,
)
def kappa(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where truth and calls are all of one and the same class."""
    cells = cells_of(truth, score, threshold, weight)
    if cells.positives + cells.called in (0, 2 * math.fsum(cells.counts)):
        raise Undefined("every row is of one class, and called so")

    def formula(tn: complex, fp: complex, fn: complex, tp: complex) -> complex:
        return 2 * (tp * tn - fp * fn) / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn))

    return from_cells(cells, formula)
