"""Jaccard index, macro-averaged: the mean of all labels.

The mean of hits_k / (rows_k + calls_k - hits_k), the share that is both of the rows that have a
label or are called it. A label that has neither row nor call counts as 0, as in scikit-learn
(``average="macro"``, ``zero_division=0``).
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
    title="Jaccard index, mean of labels",
    direction="higher",
    scale="logit",
    needs="labels",
)
def jaccard_macro(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no row has a label, nor is called one."""
    labels = labels_of(truth, label, weight)
    if not (labels.margins.rows.any() or labels.margins.calls.any()):
        raise Undefined("no row has a label, nor is called one")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (ratio(hits, rows + calls - hits) / truth.shape[1],)

    return from_labels(labels, parts)
