"""Macro-averaged negative predictive value: the mean of each class's share of right refusals.

The mean, over the classes that have a row or are called, of (n - rows_k - calls_k + hits_k) /
(n - calls_k): of the rows not called k, those that are not k. A class that every row is called
counts as 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes, ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="negative predictive value, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
)
def npv_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        passed = n - calls
        return (ratio(passed - rows + hits, passed) / classes.number,)

    return from_classes(classes, parts)
