"""Mean absolute scaled error: absolute errors over the series' own mean change in its past.

The mean over series of mean(|f - y|) / scale (Hyndman & Koehler 2006, section 3), below one where
the forecasts err less than the naive forecast did one step (or season) ahead in the past. Series
are the units; see ``by_series.py`` for influences and weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.by_series import mean_over_series
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Scaled


@metric(
    task="regression",
    title="MASE",
    direction="lower",
    scale="log",
    needs="scaled",
    skew=4.0,
)
def mase(
    truth: NDArray[np.float64], score: Scaled, weight: NDArray[np.float64] | None = None
) -> Influence:
    """Mean over series, each counting alike however many rows it has."""
    return mean_over_series(abs(score.point - truth) / score.scale, score.series, weight)
