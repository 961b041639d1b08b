"""Mean average precision: the precision at each relevant document's place, over all of them.

AP = sum over retrieved relevant documents of precision at their place / relevant documents,
averaged over queries (Buckley & Voorhees 2000). ``map`` is of the whole list, as trec_eval's;
``map@10`` leaves out what stands below and still divides by all, as trec_eval's ``map_cut``.
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
    title="mean average precision",
    direction="higher",
    scale="logit",
    needs="ranked",
    floor_few=0.15,
    floor_skewed=0.08,
    parameter=WHOLE,
)
def map(
    truth: Lists,
    score: Lists,
    weight: NDArray[np.float64] | None = None,
    *,
    k: int | None = None,
) -> Influence:
    """Mean over queries of the average precision."""
    hits = hits_of(truth, score)
    return mean_of(hits.total(hits.nth / hits.place, hits.within(k)) / hits.relevant, weight)
