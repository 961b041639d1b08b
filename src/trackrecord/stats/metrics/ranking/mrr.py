"""Mean reciprocal rank: one over the place of the first relevant document; 0 without one.

Voorhees 1999. ``mrr`` looks through the whole list, ``mrr@10`` at its first ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import WHOLE
from trackrecord.stats.retrieval import hits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists


@metric(
    task="ranking",
    title="mean reciprocal rank",
    direction="higher",
    scale="logit",
    needs="ranked",
    floor_few=0.15,
    floor_skewed=0.08,
    parameter=WHOLE,
)
def mrr(
    truth: Lists,
    score: Lists,
    weight: NDArray[np.float64] | None = None,
    *,
    k: int | None = None,
) -> Influence:
    """Mean over queries of 1 / place."""
    hits = hits_of(truth, score)
    return mean_of(hits.total(1.0 / hits.place, hits.within(k) & (hits.nth == 1)), weight)
