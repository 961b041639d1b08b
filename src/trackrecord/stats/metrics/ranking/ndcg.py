"""NDCG: the gain of a list, discounted by place, as a share of the best list's (mean of queries).

DCG = sum of relevance / log2(1 + place) (Jarvelin & Kekalainen 2002, with base 2), as trec_eval's
``ndcg`` and ``ndcg_cut``. ``ndcg`` is of the whole list, ``ndcg@10`` of its first ten. The best
list has all relevant documents, retrieved or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import WHOLE
from trackrecord.stats.retrieval import discounted, hits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists


@metric(
    task="ranking",
    title="NDCG",
    direction="higher",
    scale="logit",
    needs="ranked",
    floor_few=0.05,
    floor_skewed=0.02,
    parameter=WHOLE,
)
def ndcg(
    truth: Lists,
    score: Lists,
    weight: NDArray[np.float64] | None = None,
    *,
    k: int | None = None,
) -> Influence:
    """Mean normalised discounted gain, linear in relevance."""
    hits = hits_of(truth, score)
    return discounted(hits, hits.gain, k, weight)
