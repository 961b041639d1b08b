"""Coverage: the share of truths within the central interval, its ends included.

``coverage@c`` takes the quantiles (1 - c) / 2 and (1 + c) / 2; best is c itself, 0.9 unless it is
said. A mean of ones and zeros; for independent rows the interval is Wilson's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.pinball import HELD, central

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles


@metric(
    task="regression",
    title="coverage",
    direction="level",
    scale="logit",
    needs="quantiles",
    share=True,
    skew=2.0,
    parameter=HELD,
)
def coverage(
    truth: NDArray[np.float64],
    score: Quantiles,
    weight: NDArray[np.float64] | None = None,
    *,
    held: float,
) -> Influence:
    """Undefined without one of the two quantiles."""
    low, high = central(score, held)
    return mean_of(((low <= truth) & (truth <= high)).astype(np.float64), weight)
