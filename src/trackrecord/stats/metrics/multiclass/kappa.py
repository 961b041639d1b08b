"""Cohen's kappa: agreement of truth and call beyond what chance would give, over all classes.

With o the accuracy and e = sum rows_k calls_k / n^2, the agreement of independent columns with
these shares, (o - e) / (1 - e) (Cohen 1960).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes, quotient
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="Cohen's kappa",
    direction="higher",
    scale="fisher",
    needs="label",
)
def kappa(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where truth and calls are all of one and the same class."""
    classes = classes_of(truth, label, weight)
    if classes.number < 2:
        raise Undefined("every row is of one class, and called so")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any, Any]:
        return n * hits - rows * calls, rows * (n - calls)

    return from_classes(classes, parts, quotient)
