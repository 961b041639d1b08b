"""Precision, macro-averaged: the mean of all labels.

The mean of hits_k / calls_k, the share of a label's calls that is right. A label that is never
called counts as 0, as in scikit-learn (``average="macro"``, ``zero_division=0``): the value is
lower for it, no row moves that 0, and the interval allows for one half of a few calls.
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
    title="precision, mean of labels",
    direction="higher",
    scale="logit",
    needs="labels",
    skew=2.0,
)
def precision_macro(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no label is called."""
    labels = labels_of(truth, label, weight)
    if not labels.margins.calls.any():
        raise Undefined("no label is called")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any]:
        return (ratio(hits, calls) / truth.shape[1],)

    return from_labels(labels, parts)
