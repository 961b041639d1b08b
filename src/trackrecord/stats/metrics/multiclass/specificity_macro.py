"""Macro-averaged specificity: the mean, over classes, of the share of other rows not called so.

The mean of (n - rows_k - calls_k + hits_k) / (n - rows_k) over the classes that have a row or are
called: imbalanced-learn's ``specificity_score(average="macro")``.
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
    title="specificity, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
)
def specificity_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        others = n - rows
        return (ratio(others - calls + hits, others) / classes.number,)

    return from_classes(classes, parts)
