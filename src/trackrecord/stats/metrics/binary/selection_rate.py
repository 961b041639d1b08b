"""Selection rate: the share of rows called positive, whatever came true.

Neither high nor low is good in itself; between groups it is what demographic parity compares. The
threshold is 0.5, or t in ``selection_rate@t``; for independent rows the interval is Wilson's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    title="selection rate",
    direction="neither",
    scale="logit",
    needs="probability",
    share=True,
    parameter=THRESHOLD,
)
def selection_rate(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    threshold: float,
) -> Influence:
    """Share of rows above the threshold."""
    return mean_of((score > threshold).astype(np.float64), weight)
