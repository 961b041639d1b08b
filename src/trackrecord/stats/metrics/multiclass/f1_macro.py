"""Macro-averaged F1: the mean, over classes, of the harmonic mean of precision and recall.

The mean of 2 hits_k / (rows_k + calls_k) over the classes that have a row or are called: not the
F1 of the mean precision and recall (Opitz & Burst 2019). As scikit-learn's ``average="macro"``.
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
    title="F1, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
)
def f1_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (2 * ratio(hits, rows + calls) / classes.number,)

    return from_classes(classes, parts)
