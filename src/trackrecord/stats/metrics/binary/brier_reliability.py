"""Reliability, of the Brier score's three parts: the squared miss of the bins; 0 is best.

``brier_reliability@k`` has k bins of equal width, 10 unless it is said. With p_k, f_k, o_k a bin's
share of rows, mean probability and rate, sum p_k (f_k - o_k)^2 (Murphy 1973). The estimate is too
large, by sum p_k Var(f_k - o_k): the interval is centred without that (Ferro & Fricker 2012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.bins import bins_of, least_error, weighed
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import BINS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="Brier reliability",
    direction="lower",
    scale="positive",
    needs="probability",
    parameter=BINS,
)
def brier_reliability(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    bins: int,
) -> Influence:
    """Mean squared difference of bins' probabilities and rates."""
    found = bins_of(truth, score, bins, weight)
    value = float(found.share @ found.miss**2)
    miss = found.miss[found.code]
    influence = 2 * miss * (score - truth) - miss * miss - value
    least = least_error(found, found.miss)
    return Influence(
        value,
        weighed(influence, weight),
        centre=max(value - float(found.share @ found.miss_error), least),
        least=least,
    )
