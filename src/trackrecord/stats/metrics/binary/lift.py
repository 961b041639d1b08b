"""Lift: how many times as many positives the best-scored rows hold as rows drawn by lot.

``lift@q`` takes the share q of rows, a tenth unless it is said; equal scores at the edge are taken
in part (see ``top.py``). E[y A] / (q E[y]), between 0 and 1 / q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import TOP
from trackrecord.stats.top import SMOOTHED, taken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="lift",
    direction="higher",
    scale="log",
    needs="score",
    irregular=SMOOTHED,
    clusters_needed=100.0,
    parameter=TOP,
)
def lift(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    top: float,
) -> Influence:
    """Undefined unless both classes are there."""
    value, influence, centre, least = taken(truth, score, top, weight).recall()
    return Influence(value / top, influence / top, centre=centre / top, least=least / top)
