"""Interval score: the central interval's width, and 2 / (1 - c) times how far a truth lies outside.

``interval_score@c`` takes the quantiles (1 - c) / 2 and (1 + c) / 2, c being 0.9 unless it is said
(Gneiting & Raftery 2007, eq. 43, with alpha = 1 - c). A mean, least for the true quantiles: it
weighs narrowness against coverage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import bounded, mean_loss
from trackrecord.stats.pinball import HELD, central

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles


@metric(
    task="regression",
    title="interval score",
    direction="lower",
    scale="log",
    needs="quantiles",
    skew=4.0,
    rows_needed=70.0,
    parameter=HELD,
)
def interval_score(
    truth: NDArray[np.float64],
    score: Quantiles,
    weight: NDArray[np.float64] | None = None,
    *,
    held: float,
) -> Influence:
    """In the truth's unit. Undefined without one of the two quantiles."""
    low, high = central(score, held)
    outside = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    return mean_loss(high - low + 2 / (1 - held) * bounded(outside), weight)
