"""G-mean: the geometric mean of the classes' recalls, which one class that is missed draws down.

The K-th root of the product of hits_k / rows_k over the K classes that have a row (Kubat & Matwin
1997; for several classes, Sun, Kamel & Wang 2006): imbalanced-learn's ``geometric_mean_score``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import classes_of, from_classes, ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_ROWS = 15


@metric(
    task="multiclass",
    title="geometric mean of recalls",
    direction="higher",
    scale="logit",
    needs="label",
)
def g_mean(
    truth: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all rows are of one class, or a class has fewer than LEAST_ROWS, or none that
    is found: how far its share is from 0 is then not known, and all of the product hangs on it."""
    classes = classes_of(truth, label, weight)
    if classes.present < 2:
        raise Undefined("every row is of one class")
    known = classes.margins.rows > 0
    counts = np.bincount(classes.truth, minlength=classes.number)
    few, lost = known & (counts < LEAST_ROWS), known & (classes.margins.hits == 0)
    if few.any():
        raise Undefined(f"{_have(few)} fewer than {LEAST_ROWS} rows, and the product hangs on each")
    if lost.any():
        raise Undefined(f"{_have(lost)} no row that is found, so that the product is 0")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        share = np.where(known, ratio(hits, rows), 1.0)
        return (np.log(share) / classes.present,)

    return from_classes(classes, parts, np.exp)


def _have(which: NDArray[np.bool_]) -> str:
    many = int(which.sum())
    return "1 class has" if many == 1 else f"{many} classes have"
