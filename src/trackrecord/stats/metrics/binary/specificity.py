"""Specificity: of the negative rows, the share called negative.

Called negative are scores of at most 0.5, or at most t in ``specificity@t``. TN / (TN + FP) (Altman
& Bland 1994); the interval is that of a share among the negative rows.
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
    title="specificity",
    direction="higher",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def specificity(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where no row is negative."""
    if truth.all():
        raise Undefined("every row is positive")
    cells = cells_of(truth, score, threshold, weight)
    return from_cells(cells, lambda tn, fp, fn, tp: tn / (tn + fp), of=(0, 1))
