"""F1, macro-averaged: the mean of all labels.

The mean of 2 hits_k / (rows_k + calls_k), the harmonic mean of a label's precision and recall. A
label that has neither row nor call counts as 0, as in scikit-learn (``average="macro"``,
``zero_division=0``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import from_labels, labels_of, ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="F1, mean of labels",
    direction="higher",
    scale="logit",
    needs="labels",
)
def f1_macro(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no row has a label, nor is called one."""
    labels = labels_of(truth, label, weight)
    if not (labels.margins.rows.any() or labels.margins.calls.any()):
        raise Undefined("no row has a label, nor is called one")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (ratio(2 * hits, rows + calls) / truth.shape[1],)

    return from_labels(labels, parts)
