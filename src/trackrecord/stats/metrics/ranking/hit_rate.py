"""Hit rate: the share of queries that have a relevant document among the first k.

``hit_rate@k``; ``hit_rate`` alone is ``hit_rate@10``. Trec_eval's ``success``. A mean of ones and
zeros; for independent queries the interval is Wilson's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import CUT
from trackrecord.stats.retrieval import hits_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists


@metric(
    task="ranking",
    title="hit rate",
    direction="higher",
    scale="logit",
    needs="ranked",
    share=True,
    parameter=CUT,
)
def hit_rate(
    truth: Lists, score: Lists, weight: NDArray[np.float64] | None = None, *, k: int
) -> Influence:
    """Share of queries with a hit."""
    return mean_of((hits_of(truth, score).count(k) > 0).astype(np.float64), weight)
