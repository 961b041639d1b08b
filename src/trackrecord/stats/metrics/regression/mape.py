"""Mean absolute percentage error, as a share: the mean of |prediction - truth| / |truth|.

A mean. A truth of 0 has no percentage, and one near 0 outweighs all others: it is then undefined,
where other programs divide by the smallest number that there is, and ``wape`` is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="MAPE",
    direction="lower",
    scale="log",
    needs="value",
    skew=3.0,
)
def mape(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """0.1 is ten percent. Undefined where a truth is 0."""
    zeros = int(truth.size - np.count_nonzero(truth))
    if zeros:
        raise Undefined(
            f"the truth is 0 in {zeros} of {truth.size} rows, of which no error is a percentage; "
            "wape divides by the sum of all truths instead"
        )
    return mean_loss(abs((score - truth) / truth), weight)
