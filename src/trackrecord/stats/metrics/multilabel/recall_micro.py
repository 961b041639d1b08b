"""Recall, micro-averaged: all labels' counts are added up first.

The sum over labels of hits_k over that of rows_k: the share that is found of all labels that rows
have. Labels with more rows count for more. As scikit-learn's ``average="micro"``. Recall weighted
by a label's rows is this same number and has no name of its own.
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
    title="recall, all labels as one",
    direction="higher",
    scale="logit",
    needs="labels",
)
def recall_micro(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where no row has a label."""
    labels = labels_of(truth, label, weight)
    if not labels.margins.rows.any():
        raise Undefined("no row has a label")

    def parts(hits: Any, rows: Any, calls: Any, n: float) -> tuple[Any, Any]:
        return hits, rows

    return from_labels(labels, parts, quotient)
