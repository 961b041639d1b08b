"""Precision: the share of the first k documents that are relevant (mean of queries).

``precision@k``; ``precision`` alone is ``precision@10``. It divides by k also where fewer were
retrieved, as trec_eval's ``P``.
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
    title="precision",
    direction="higher",
    scale="logit",
    needs="ranked",
    parameter=CUT,
)
def precision(
    truth: Lists, score: Lists, weight: NDArray[np.float64] | None = None, *, k: int
) -> Influence:
    """Mean over queries of relevant documents in the first k / k."""
    return mean_of(hits_of(truth, score).count(k) / k, weight)
