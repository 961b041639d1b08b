"""F1, weighted by rows: each label counts by how many rows have it.

The mean, so weighted, of 2 hits_k / (rows_k + calls_k), the harmonic mean of a label's precision
and recall. A label that has neither row nor call counts as 0, as in scikit-learn
(``average="weighted"``, ``zero_division=0``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import from_labels, labels_of, quotient, ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="F1, labels weighted by rows",
    direction="higher",
    scale="logit",
    needs="labels",
    skew=2.0,
)
def f1_weighted(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no row has a label."""
    labels = labels_of(truth, label, weight)
    if not labels.margins.rows.any():
        raise Undefined("no row has a label")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any, Any]:
        return rows * ratio(2 * hits, rows + calls), rows

    return from_labels(labels, parts, quotient)
