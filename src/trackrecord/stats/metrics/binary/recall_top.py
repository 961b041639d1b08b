"""Recall at the top: the share of all positive rows that the best-scored rows hold.

``recall_top@q`` takes the share q of rows, a tenth unless it is said; equal scores at the edge are
taken in part (see ``top.py``). E[y A] / E[y], also called capture rate or cumulative gain.
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
    title="recall at the top",
    direction="higher",
    scale="logit",
    needs="score",
    irregular=SMOOTHED,
    clusters_needed=100.0,
    parameter=TOP,
)
def recall_top(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    top: float,
) -> Influence:
    """Undefined unless both classes are there."""
    value, influence, centre, least = taken(truth, score, top, weight).recall()
    return Influence(value, influence, centre=centre, least=least)
