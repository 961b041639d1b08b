"""Resolution, of the Brier score's three parts: how much the bins' rates differ; high is best.

``brier_resolution@k`` has k bins of equal width, 10 unless it is said. With p_k, o_k a bin's share
of rows and rate, and o the rate of all, sum p_k (o_k - o)^2 (Murphy 1973). The estimate is too
large by sum p_k Var(o_k) - Var(o): the interval is centred without that (Ferro & Fricker 2012).
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
    title="Brier resolution",
    direction="higher",
    scale="positive",
    needs="probability",
    rows_needed=40.0,
    clusters_needed=float("inf"),
    parameter=BINS,
)
def brier_resolution(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    bins: int,
) -> Influence:
    """Variance of the bins' rates."""
    found = bins_of(truth, score, bins, weight)
    value = float(found.share @ (found.rate - found.base) ** 2)
    apart = (found.rate - found.base)[found.code]
    influence = 2 * apart * (truth - found.base) - apart * apart - value
    whole = float(found.share**2 @ found.rate_error)
    return Influence(
        value,
        weighed(influence, weight),
        centre=value - float(found.share @ found.rate_error) + whole,
        least=least_error(found, found.rate - found.base),
    )
