"""Net benefit at a threshold: true positives a row, less false ones at the odds of the threshold.

Who acts at a risk of p holds a false alarm to cost p / (1 - p) of what a hit is worth;
``net_benefit@p`` is TP / n - FP / n * p / (1 - p) (Vickers & Elkin 2006). Called are scores above
p, which is 0.5 unless it is said. A mean; see ``cells.py`` for few wrong calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="net benefit",
    direction="higher",
    scale="identity",
    needs="probability",
    clusters_needed=30.0,
    parameter=THRESHOLD,
)
def net_benefit(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """In true positives a row: treating nobody is worth 0."""
    odds = threshold / (1 - threshold)
    cells = cells_of(truth, score, threshold, weight)
    return from_cells(cells, lambda tn, fp, fn, tp: (tp - odds * fp) / (tn + fp + fn + tp))
