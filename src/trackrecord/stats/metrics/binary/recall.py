"""Recall, or sensitivity: of the positive rows, the share called positive.

Called are scores above 0.5, or above t in ``recall@t``. TP / (TP + FN) (Altman & Bland 1994); the
interval is that of a share among the positive rows.
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
    title="recall",
    direction="higher",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def recall(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where no row is positive."""
    if not truth.any():
        raise Undefined("no row is positive")
    cells = cells_of(truth, score, threshold, weight)
    return from_cells(cells, lambda tn, fp, fn, tp: tp / (tp + fn), of=(2, 3))
