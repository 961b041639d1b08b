"""Root mean squared scaled error: the M5 competition's measure, series by series.

The mean over series of sqrt(mean((f - y)^2) / mean squared change in the series' past)
(Makridakis, Spiliotis & Assimakopoulos 2022, eq. 1); with weights of series, its WRMSSE. With r a
series' value, a row's influence on it is (scaled square - r^2) / (2 r); see ``by_series.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.by_series import mean_over_series
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Scaled

    Floats = NDArray[np.float64]


@metric(
    task="regression",
    title="RMSSE",
    direction="lower",
    scale="log",
    needs="scaled",
    skew=4.0,
)
def rmsse(
    truth: NDArray[np.float64], score: Scaled, weight: NDArray[np.float64] | None = None
) -> Influence:
    """Mean over series. Undefined where a series' mean squared change is not known or 0."""
    unknown = int(np.count_nonzero(~(score.square > 0)))
    if unknown:
        raise Undefined(f"{unknown} of {truth.size} rows lack their series' mean squared change")
    square = squares(score.point - truth) / score.square
    return mean_over_series(square, score.series, weight, curve=np.sqrt, slope=_slope)


def _slope(root: Floats) -> Floats:
    """Of a square root; a series without any error has none, and its rows no pull of their own."""
    return np.divide(0.5, root, out=np.zeros_like(root), where=root > 0)
