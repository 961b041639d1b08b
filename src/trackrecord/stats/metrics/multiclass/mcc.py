"""The correlation of truth and call over all classes, -1 to 1: R_K; Matthews' for two.

(n sum hits_k - sum rows_k calls_k) / sqrt((n^2 - sum rows_k^2) (n^2 - sum calls_k^2))
(Gorodkin 2004).
"""

from __future__ import annotations

from cmath import sqrt
from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="Matthews correlation",
    direction="higher",
    scale="fisher",
    needs="label",
)
def mcc(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class, or called so."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")
    if classes.called < 2:
        raise Undefined("every row is called the same class")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any, Any, Any]:
        return n * hits - rows * calls, rows * (n - rows), calls * (n - calls)

    def whole(agree: complex, truths: complex, called: complex) -> complex:
        # a root of each: their product could overflow
        return agree / sqrt(truths) / sqrt(called)

    return from_classes(classes, parts, whole)
