"""KS: the greatest distance between the scores' distributions in the two classes.

max over t of |P(s > t | y = 1) - P(s > t | y = 0)| (Kolmogorov 1933; Smirnov 1948). The influence
is that of the two shares at the t where they are farthest apart. The greatest of many noisy
distances is too large on average, and the first order does not see it: an interval's error is
therefore that at one t times 1.386, the ratio of Kolmogorov's quantile for all t to the normal one
for the median alone, 1.358 / (1.96 / 2), with one more row of each class on either side of t.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.ranking import class_weights, rank
from trackrecord.stats.spread import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPREMUM = 1.386


@metric(
    title="KS distance",
    direction="higher",
    scale="logit",
    needs="score",
    rows_needed=20.0,
    irregular="the greatest of many distances is not smooth",
)
def ks(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined unless both classes are there."""
    positives, negatives = class_weights(truth, weight)
    ranking = rank(truth, score, weight)
    hits = np.cumsum(ranking.positives / positives)
    alarms = np.cumsum(ranking.negatives / negatives)
    gap = alarms - hits
    at = int(np.argmax(np.abs(gap)))
    sign = 1.0 if gap[at] >= 0 else -1.0
    below = np.arange(gap.size) <= at
    n = positives + negatives
    influence = ranking.spread(
        positive=sign * (hits[at] - below) * (n / positives),
        negative=sign * (below - alarms[at]) * (n / negatives),
    )
    worth = truth.size if weight is None else worth_of(weight)
    shares = [
        (share * rows * worth / n + 1, rows * worth / n + 2)
        for share, rows in ((hits[at], positives), (alarms[at], negatives))
    ]
    centre = abs(shares[0][0] / shares[0][1] - shares[1][0] / shares[1][1])
    error = sum(part * (rows - part) / rows**3 for part, rows in shares) ** 0.5
    plain = float(influence @ influence) ** 0.5 / truth.size
    return Influence(
        float(abs(gap[at])), influence, centre=centre, least=SUPREMUM * max(plain, error)
    )
