"""Width: how wide the central interval is on average, in the truth's unit.

``width@c`` takes the quantiles (1 - c) / 2 and (1 + c) / 2, c being 0.9 unless it is said. A mean;
intervals all of one width leave nothing to estimate. Narrow is good only where ``coverage`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss
from trackrecord.stats.pinball import HELD, central

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles


@metric(
    task="regression",
    title="interval width",
    direction="lower",
    scale="log",
    needs="quantiles",
    skew=2.0,
    parameter=HELD,
)
def width(
    truth: NDArray[np.float64],
    score: Quantiles,
    weight: NDArray[np.float64] | None = None,
    *,
    held: float,
) -> Influence:
    """Undefined without one of the two quantiles."""
    low, high = central(score, held)
    return mean_loss(high - low, weight)
