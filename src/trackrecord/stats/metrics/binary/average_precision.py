"""Average precision: the mean, over positive rows, of the precision at that row's score.

AP = sum over scores t of (R(t) - R(t+)) prec(t), with prec(t) = TP(t) / n(t) over the n(t) rows
that score at least t: steps, not trapezia (Davis & Goadrich 2006), as scikit-learn's
``average_precision_score``. As a functional, AP = E[y T(s)/S(s)] / p with p = E[y],
S(t) = P(s >= t), T(t) = P(y = 1, s >= t); its derivative towards a row (y, s) is

    psi = (y (prec(s) - AP) + E'[1{y' = 1, s' <= s} (y - prec(s')) / S(s')]) / p ,

the first term that row's own precision, the second its part in the precision at every positive
row at or below it (the Hajek projection; compare Boyd, Eng & Page 2013, section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.ranking import class_weights, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    title="average precision",
    direction="higher",
    scale="logit",
    needs="score",
    floor_few=1.0,
    floor_skewed=0.1,
)
def average_precision(
    truth: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Influence:
    """Area under the precision-recall steps. Undefined unless both classes are there."""
    positives, _ = class_weights(truth, weight)
    ranking = rank(truth, score, weight)
    here = ranking.positives.astype(np.float64)
    hits = np.cumsum(here[::-1])[::-1]
    rows = np.cumsum((ranking.positives + ranking.negatives)[::-1])[::-1].astype(np.float64)
    precision = hits / rows
    value = float(here @ precision) / positives
    share = np.cumsum(here / rows)
    spoilt = np.cumsum(here * precision / rows)
    scale = truth.size / positives
    return Influence(
        value,
        ranking.spread(
            positive=scale * (precision - value + share - spoilt), negative=-scale * spoilt
        ),
    )
