"""Precision: of the rows called positive, the share that are.

Called are scores above 0.5, or above t in ``precision@t``. TP / (TP + FP); the interval is that of
a share among the rows called (van Rijsbergen 1979).
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
    title="precision",
    direction="higher",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def precision(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where no row is called positive."""
    cells = cells_of(truth, score, threshold, weight)
    if cells.called == 0:
        raise Undefined(f"no score is above {threshold:g}")
    return from_cells(cells, lambda tn, fp, fn, tp: tp / (tp + fp), of=(1, 3))
