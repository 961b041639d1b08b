"""Top-k accuracy: the share of rows whose class is among the k likeliest.

``top_accuracy@k``; k is 2 unless it is said, as in scikit-learn's ``top_k_accuracy_score``. Of
equal probabilities the first class is ahead, so that ``top_accuracy@1`` is the accuracy, ties
included. (scikit-learn has the last ahead; with the columns in reverse the two agree.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIKELIEST = Parameter(
    keyword="most",
    means="how many of the likeliest classes count",
    default=(2.0,),
    low=0.0,
    high=1001.0,
    whole=True,
)


@metric(
    task="multiclass",
    title="top-k accuracy",
    direction="higher",
    scale="logit",
    needs="probabilities",
    share=True,
    parameter=LIKELIEST,
)
def top_accuracy(
    truth: NDArray[np.int64],
    probability: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    most: int,
) -> Influence:
    """Undefined where there are no more than k classes: every row would count."""
    classes = probability.shape[1]
    if most >= classes:
        raise Undefined(f"there are {classes} classes, and every one is among the {most} likeliest")
    own = np.take_along_axis(probability, truth[:, None], axis=1)
    ahead = (probability > own).sum(axis=1)
    before = np.arange(classes) < truth[:, None]
    ahead += ((probability == own) & before).sum(axis=1)
    return mean_of((ahead < most).astype(np.float64), weight)
