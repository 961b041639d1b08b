"""Median absolute error: half of all rows are predicted more closely, half less.

See ``medians.py`` for its influence, which stands on the distance between two order statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.medians import median_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="median absolute error",
    direction="lower",
    scale="log",
    needs="value",
    irregular="a median moves from row to row: its influence takes the density from "
    "two order statistics",
    skew=2.0,
)
def median_ae(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """In the truth's unit; a few wild errors do not move it."""
    return median_of(abs(score - truth), weight)
