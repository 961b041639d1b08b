"""F1 of the first k documents: twice the hits over k + the relevant documents (mean of queries).

The harmonic mean of a query's ``precision@k`` and ``recall@k``; ``f1`` alone is ``f1@10``.
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
    task="ranking", title="F1", direction="higher", scale="logit", needs="ranked", parameter=CUT
)
def f1(
    truth: Lists, score: Lists, weight: NDArray[np.float64] | None = None, *, k: int
) -> Influence:
    """Mean over queries of F1."""
    hits = hits_of(truth, score)
    return mean_of(2 * hits.count(k) / (k + hits.relevant), weight)
