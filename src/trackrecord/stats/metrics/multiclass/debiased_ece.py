"""Calibration error class by class, freed of most of its bias: root mean square, 0 is best.

``debiased_ece@k`` has k bins of equal width, 10 unless it is said. A class's squared error is that
of the binary metric of this name, its probability against whether it came true; the value is the
root of the mean over classes, or 0 where that is below 0 (the marginal calibration error of Kumar,
Liang & Ma 2019, with their estimator for a squared error, definition 5.1). Being right about the
likeliest class alone does not make it small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.bins import bins_of, least_error, weighed
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="debiased calibration error, class by class",
    direction="lower",
    scale="root",
    needs="probabilities",
    counts=True,
    parameter=BINS,
)
def debiased_ece(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    bins: int,
) -> Influence:
    """In probability; bins of one row are taken as they are."""
    n, classes = probability.shape
    square = bias = noise = least = 0.0
    influence = np.zeros(n)
    for k in range(classes):
        mine, score = (truth == k).astype(np.int8), probability[:, k]
        found = bins_of(mine, score, bins, weight)
        own = float(found.share @ found.miss**2)
        square += own / classes
        bias += float(found.share @ found.rate_error) / classes
        noise += float(found.share @ found.miss_error) / classes
        # a class's errors go with another's, so they are added and not their squares
        least += least_error(found, found.miss) / classes
        miss = found.miss[found.code]
        influence += (2 * miss * (score - mine) - miss * miss - own) / classes
    value, centre = max(0.0, square - bias) ** 0.5, max(square - noise, least) ** 0.5
    if centre == 0:
        raise Undefined("every bin has one row, or is exact, so nothing shows how far it is off")
    moved = weighed(influence, weight) / (2 * centre)
    return Influence(value, moved, centre=centre, least=least / (2 * centre))
