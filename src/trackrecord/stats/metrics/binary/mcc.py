"""Matthews correlation coefficient: the correlation of truth and call, -1 to 1.

Called are scores above 0.5, or above t in ``mcc@t``.
(TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)) (Matthews 1975).
"""

from __future__ import annotations

from cmath import sqrt
from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD
from trackrecord.stats.ranking import both_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="Matthews correlation",
    direction="higher",
    scale="fisher",
    needs="probability",
    parameter=THRESHOLD,
)
def mcc(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined unless both classes are there, and both called."""
    both_classes(truth)
    cells = cells_of(truth, score, threshold, weight)
    if cells.called == 0 or cells.passed == 0:
        raise Undefined(f"every score is on one side of {threshold:g}")

    def formula(tn: complex, fp: complex, fn: complex, tp: complex) -> complex:
        # one root for each factor: their product could overflow
        called, passed = sqrt(tp + fp) * sqrt(tp + fn), sqrt(tn + fp) * sqrt(tn + fn)
        return (tp / called) * (tn / passed) - (fp / called) * (fn / passed)

    return from_cells(cells, formula)
