"""Macro-averaged F-beta: the mean, over classes, of precision and recall in one.

``f_beta_macro@b`` has beta = b: recall weighs b times as much. The mean of (1 + b2) hits_k /
(b2 rows_k + calls_k), b2 = beta^2 (van Rijsbergen 1979), over the classes that have a row or are
called, as scikit-learn's ``fbeta_score(average="macro")``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes, ratio
from trackrecord.stats.metrics import metric
from trackrecord.stats.metrics.binary.f_beta import BETA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multiclass",
    title="F-beta, mean of classes",
    direction="higher",
    scale="logit",
    needs="label",
    parameter=BETA,
)
def f_beta_macro(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
    *,
    beta: float,
) -> Influence:
    """Undefined where all rows are of one class."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")
    square = beta * beta

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return ((1 + square) * ratio(hits, square * rows + calls) / classes.number,)

    return from_classes(classes, parts)
