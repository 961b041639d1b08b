"""CRPS from quantiles: how far the predicted distribution is from the truth, in its unit.

The continuous ranked probability score is 2 times the integral of the pinball loss over all levels
(Laio & Tamea 2007, eq. 11; Gneiting & Ranjan 2011, eq. 8). Of Q levels it is approximated by a sum:
each level stands for the part of [0, 1] that is nearer to it than to any other, so that uneven
levels count for as much as they cover, and levels (k - ½) / Q alike. What lies beyond the outermost
levels is judged by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss
from trackrecord.stats.pinball import pinball

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles

LEAST = 3


@metric(
    task="regression",
    title="CRPS from quantiles",
    direction="lower",
    scale="log",
    needs="quantiles",
    skew=4.0,
    rows_needed=60.0,
)
def crps(
    truth: NDArray[np.float64], score: Quantiles, weight: NDArray[np.float64] | None = None
) -> Influence:
    """Undefined for fewer than three levels, which say too little of a distribution."""
    levels = np.array(score.levels)
    if levels.size < LEAST:
        raise Undefined(
            f"{levels.size} quantiles say too little of a distribution: it takes {LEAST}"
        )
    between = (levels[1:] + levels[:-1]) / 2
    part = np.diff(between, prepend=0.0, append=1.0)
    loss = np.zeros(truth.size)
    for at, level in enumerate(score.levels):
        loss += 2 * part[at] * pinball(truth, score.values[:, at], level)
    return mean_loss(loss, weight)
