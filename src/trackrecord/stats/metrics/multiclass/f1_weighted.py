"""F1 weighted by rows: each class's F1, by how many rows it has.

The sum of rows_k 2 hits_k / (rows_k + calls_k) over n, as scikit-learn's ``average="weighted"``.
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
    title="F1, weighted by rows",
    direction="higher",
    scale="logit",
    needs="label",
    skew=2.0,
)
def f1_weighted(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (2 * rows * ratio(hits, rows + calls) / n,)

    return from_classes(classes, parts)
