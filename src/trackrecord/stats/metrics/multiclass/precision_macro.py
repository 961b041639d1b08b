"""Macro-averaged precision: the mean, over classes, of the share of a class's calls that is right.

The mean of hits_k / calls_k over the classes that have a row or are called. A class that is never
called counts as 0, as in scikit-learn (``average="macro"``, ``zero_division=0``): the value is
lower for it, no row moves that 0, and the interval allows for one half of a few calls.
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
    title="precision, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
    skew=2.0,
)
def precision_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (ratio(hits, calls) / classes.number,)

    return from_classes(classes, parts)
