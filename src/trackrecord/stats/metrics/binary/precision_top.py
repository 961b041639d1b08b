"""Precision at the top: of the best-scored share of rows, how many are positive.

``precision_top@q`` takes the share q of rows, a tenth unless it is said; equal scores at the edge
are taken in part (see ``top.py``). E[y A] / q, known as precision at k where k = q n.
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
    title="precision at the top",
    direction="higher",
    scale="logit",
    needs="score",
    irregular=SMOOTHED,
    clusters_needed=30.0,
    parameter=TOP,
)
def precision_top(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    top: float,
) -> Influence:
    """Undefined unless both classes are there."""
    value, influence, centre, least = taken(truth, score, top, weight).precision()
    return Influence(value, influence, centre=centre, least=least)
