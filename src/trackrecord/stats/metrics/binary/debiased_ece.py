"""Calibration error of the bins, freed of most of its bias: root mean square, 0 is best.

``debiased_ece@k`` has k bins of equal width, 10 unless it is said. With p_k, f_k, o_k, n_k a bin's
share, mean probability, rate and rows, the root of
sum p_k ((f_k - o_k)^2 - o_k (1 - o_k) / (n_k - 1)), or 0 where that is below 0 (Kumar, Liang & Ma
2019, definition 5.1). What is off in both directions within a bin cancels, so it is at most the
true calibration error (their proposition 3.3), and another number of bins gives another value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.bins import bins_of, least_error, weighed
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import BINS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="debiased calibration error",
    direction="lower",
    scale="root",
    needs="probability",
    counts=True,
    parameter=BINS,
)
def debiased_ece(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    bins: int,
) -> Influence:
    """In probability; bins of one row are taken as they are."""
    found = bins_of(truth, score, bins, weight)
    square = float(found.share @ found.miss**2)
    value = max(0.0, square - float(found.share @ found.rate_error)) ** 0.5
    miss = found.miss[found.code]
    influence = 2 * miss * (score - truth) - miss * miss - square
    least = least_error(found, found.miss)
    centre = max(square - float(found.share @ found.miss_error), least) ** 0.5
    if centre == 0:
        raise Undefined("every bin has one row, or is exact, so nothing shows how far it is off")
    return Influence(
        value,
        weighed(influence, weight) / (2 * centre),
        centre=centre,
        least=least / (2 * centre),
    )
