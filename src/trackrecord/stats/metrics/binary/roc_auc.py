"""ROC AUC: the chance that a positive row scores above a negative one, ties counting half.

With P positives and N negatives, a positive row's placement V10 is the share of negatives below
it, a negative row's V01 the share of positives above it (equal scores count half); the area is
the mean of either (Mann & Whitney 1947; Bamber 1975). The influences are the centred placements,
(V10 - AUC) n / P and (V01 - AUC) n / N (DeLong, DeLong & Clarke-Pearson 1988, eqs. 4-6), from one
sort rather than P x N comparisons (Sun & Xu 2014). With weights, counts are sums of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.ranking import class_weights, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(title="ROC AUC", direction="higher", scale="logit", needs="score", floor_skewed=0.1)
def roc_auc(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Area and centred placements. Undefined unless both classes are there."""
    positives, negatives = class_weights(truth, weight)
    ranking = rank(truth, score, weight)
    # twice the counts, so that halves stay whole numbers and the area is exact
    below = 2 * np.cumsum(ranking.negatives) - ranking.negatives
    above = 2 * positives - (2 * np.cumsum(ranking.positives) - ranking.positives)
    area = (ranking.positives @ below).item() / (2 * positives * negatives)
    n = truth.size
    return Influence(
        area,
        ranking.spread(
            positive=(below / (2 * negatives) - area) * (n / positives),
            negative=(above / (2 * positives) - area) * (n / negatives),
        ),
    )
