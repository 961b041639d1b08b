"""F1: the harmonic mean of precision and recall.

Called are scores above 0.5, or above t in ``f1@t``. 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="F1",
    direction="higher",
    scale="logit",
    needs="probability",
    parameter=THRESHOLD,
)
def f1(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where no row is positive or called so."""
    cells = cells_of(truth, score, threshold, weight)
    if cells.positives + cells.called == 0:
        raise Undefined("no row is positive, nor called so")
    return from_cells(cells, lambda tn, fp, fn, tp: 2 * tp / (2 * tp + fp + fn))
