"""Quantile loss of the single prediction: ``quantile_loss@q`` is least where it is the q-quantile.

The mean of q (y - f) where the truth is above the prediction, (1 - q) (f - y) where it is below
(Koenker & Bassett 1978); q is 0.5 unless it is said, which gives half of ``mae``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss
from trackrecord.stats.parameter import Parameter
from trackrecord.stats.pinball import pinball

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUANTILE = Parameter(
    keyword="level",
    means="the level of the quantile that is predicted",
    default=(0.5,),
    low=0.0,
    high=1.0,
)


@metric(
    task="regression",
    title="quantile loss",
    direction="lower",
    scale="log",
    needs="value",
    skew=3.0,
    parameter=QUANTILE,
)
def quantile_loss(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    level: float,
) -> Influence:
    """Mean pinball loss, in the truth's unit."""
    return mean_loss(pinball(truth, score, level), weight)
