"""Weighted absolute percentage error: all absolute errors over the sum of all absolute truths.

Also called WMAPE, or MAD / mean (Kolassa & Schütz 2007). A ratio of means: with v its value, a
row's influence is (|f - y| - v |y|) / mean(|y|).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import ratio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="WAPE",
    direction="lower",
    scale="log",
    needs="value",
    skew=3.0,
)
def wape(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """0.1 is ten percent. Undefined where every truth is 0."""
    if not truth.any():
        raise Undefined("every truth is 0, so there is nothing to take a percentage of")
    return ratio(abs(score - truth), abs(truth), weight)
