"""R-precision: precision among the first R documents, R being how many are relevant.

There precision and recall are the same number (trec_eval's ``Rprec``). Mean of queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.retrieval import hits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists


@metric(task="ranking", title="R-precision", direction="higher", scale="logit", needs="ranked")
def r_precision(truth: Lists, score: Lists, weight: NDArray[np.float64] | None = None) -> Influence:
    """Mean over queries of relevant documents in the first R / R."""
    hits = hits_of(truth, score)
    return mean_of(hits.count(hits.relevant) / hits.relevant, weight)
