"""F1 row by row: the mean of rows.

The mean of 2 hits / (labels + calls) of a row. A row without labels that is called nothing counts
as 0, as in scikit-learn (``average="samples"``, ``zero_division=0``).
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
    title="F1, mean of rows",
    direction="higher",
    scale="logit",
    needs="labels",
)
def f1_samples(
    truth: NDArray[np.int8],
    label: NDArray[np.int8],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Mean, over rows, of a row's own F1."""
    hits = (truth & label).sum(axis=1, dtype=np.int64)
    own = truth.sum(axis=1, dtype=np.int64)
    calls = label.sum(axis=1, dtype=np.int64)
    return mean_of(ratio(2 * hits, own + calls), weight)
