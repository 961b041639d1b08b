"""Macro-averaged Jaccard index: the mean, over classes, of the share that is both.

The mean of hits_k / (rows_k + calls_k - hits_k) over the classes that have a row or are called, as
scikit-learn's ``average="macro"``.
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
    title="Jaccard index, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
)
def jaccard_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (ratio(hits, rows + calls - hits) / classes.number,)

    return from_classes(classes, parts)
