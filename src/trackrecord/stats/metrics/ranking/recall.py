"""Recall: the share of a query's relevant documents that are among the first k (mean of queries).

``recall@k``; ``recall`` alone is ``recall@10``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import CUT
from trackrecord.stats.retrieval import hits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists


@metric(
    task="ranking",
    title="recall",
    direction="higher",
    scale="logit",
    needs="ranked",
    parameter=CUT,
)
def recall(
    truth: Lists, score: Lists, weight: NDArray[np.float64] | None = None, *, k: int
) -> Influence:
    """Mean over queries of relevant documents in the first k / relevant documents."""
    hits = hits_of(truth, score)
    return mean_of(hits.count(k) / hits.relevant, weight)
