"""Partial AUC: the area where few negatives are called, scaled so that chance is one half.

``partial_auc@e`` is the area A under the ROC curve up to a false positive rate of e, a tenth unless
it is said, as (1 + (A - e^2 / 2) / (e - e^2 / 2)) / 2 (McClish 1989), scikit-learn's
``roc_auc_score(max_fpr=e)``. With u the false positive rate at a row's score and R(u) the true one,

    a positive row has influence  ((e - u)+ - A) n / P ,
    a negative one  (1{u < e} (R(u) - R(e)) - A + e R(e)) n / N ,

the second since what it adds above, others must leave at the edge (Dodd & Pepe 2003). Equal scores
are spread evenly along their stretch of the curve, from (u0, r0) to (u1, r1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import Parameter
from trackrecord.stats.ranking import class_weights, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = Parameter(
    keyword="rate",
    means="the false positive rate up to which the curve counts",
    default=(0.1,),
    low=0.0,
    high=1.0,
)


@metric(
    title="partial AUC",
    direction="higher",
    scale="logit",
    needs="score",
    floor_skewed=0.1,
    parameter=RATE,
)
def partial_auc(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    rate: float,
) -> Influence:
    """Undefined unless both classes are there."""
    positives, negatives = class_weights(truth, weight)
    ranking = rank(truth, score, weight)
    hits, alarms = ranking.positives / positives, ranking.negatives / negatives
    u1, r1 = np.cumsum(alarms[::-1])[::-1], np.cumsum(hits[::-1])[::-1]
    u0, r0 = u1 - alarms, r1 - hits
    # how far along its stretch of the curve a group still lies within the rate
    part = np.where(alarms > 0, (rate - u0) / np.where(alarms > 0, alarms, 1.0), u0 < rate)
    part = np.clip(part, 0.0, 1.0)
    room = part * (rate - u0 - part * alarms / 2)
    area = float(hits @ room)
    edge = float(hits @ part)
    below = part * (r0 + part * hits / 2 - edge)
    n, worst = positives + negatives, rate * rate / 2
    scale = n / (2 * (rate - worst))
    return Influence(
        (1 + (area - worst) / (rate - worst)) / 2,
        ranking.spread(
            positive=(room - area) * (scale / positives),
            negative=(below - area + rate * edge) * (scale / negatives),
        ),
    )
