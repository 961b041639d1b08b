"""Negative predictive value: of the rows called negative, the share that are.

Called negative are scores of at most 0.5, or at most t in ``npv@t``. TN / (TN + FN) (Altman & Bland
1994); the interval is that of a share among those rows.
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
    title="negative predictive value",
    direction="higher",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def npv(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Undefined where every row is called positive."""
    cells = cells_of(truth, score, threshold, weight)
    if cells.passed == 0:
        raise Undefined(f"every score is above {threshold:g}")
    return from_cells(cells, lambda tn, fp, fn, tp: tn / (tn + fn), of=(0, 2))
