"""NDCG with exponential gain: 2 ** relevance - 1 instead of relevance (Burges et al. 2005).

So a document of relevance 3 is worth seven of relevance 1. Otherwise as ``ndcg``; of relevance 0
and 1 the two are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import WHOLE
from trackrecord.stats.retrieval import discounted, hits_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists

MOST = 1000.0


@metric(
    task="ranking",
    title="NDCG with exponential gain",
    direction="higher",
    scale="logit",
    needs="ranked",
    floor_few=0.05,
    floor_skewed=0.02,
    parameter=WHOLE,
)
def ndcg_exp(
    truth: Lists,
    score: Lists,
    weight: NDArray[np.float64] | None = None,
    *,
    k: int | None = None,
) -> Influence:
    """Mean normalised discounted gain. Undefined for a relevance that 2 cannot be raised to."""
    hits = hits_of(truth, score)
    if hits.gain.max() > MOST:
        raise Undefined(f"a relevance of {hits.gain.max():g} is too great for 2 to its power")
    return discounted(hits, np.exp2(hits.gain) - 1, k, weight)
