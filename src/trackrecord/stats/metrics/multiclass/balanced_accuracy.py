"""Balanced accuracy: the mean of each class's recall; 1 / K is chance, whatever the rates.

The mean of hits_k / rows_k over the K classes that have a row (Brodersen et al. 2010, for two),
as scikit-learn's ``balanced_accuracy_score``: a class that is only called by mistake
is not one of them. ``recall_macro`` counts it, with a recall of 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes, ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="balanced accuracy",
    direction="higher",
    scale="logit",
    needs="label",
)
def balanced_accuracy(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")
    known = classes.margins.rows > 0

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (np.where(known, ratio(hits, rows), 0.0) / classes.present,)

    return from_classes(classes, parts)
