"""Precision row by row: the mean of rows.

The mean of hits / calls, the share of a row's calls that is right. A row that is called nothing
counts as 0, as in scikit-learn (``average="samples"``, ``zero_division=0``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.margins import ratio
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric(
    task="multilabel",
    title="precision, mean of rows",
    direction="higher",
    scale="logit",
    needs="labels",
)
def precision_samples(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean, over rows, of a row's own precision."""
    hits = (truth & label).sum(axis=1, dtype=np.int64)
    calls = label.sum(axis=1, dtype=np.int64)
    return mean_of(ratio(hits, calls), weight)
