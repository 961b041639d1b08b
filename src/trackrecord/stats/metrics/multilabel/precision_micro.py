"""Precision, micro-averaged: all labels' counts are added up first.

The sum over labels of hits_k over that of calls_k: the share of all calls that is right. Labels
with more rows count for more. As scikit-learn's ``average="micro"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.margins import from_labels, labels_of, quotient
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="precision, all labels as one",
    direction="higher",
    scale="logit",
    needs="labels",
)
def precision_micro(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no label is called."""
    labels = labels_of(truth, label, weight)
    if not labels.margins.calls.any():
        raise Undefined("no label is called")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any, Any]:
        return hits, calls

    return from_labels(labels, parts, quotient)
