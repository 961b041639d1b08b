"""Pearson's correlation of prediction and truth: how near their points lie to a rising line.

With a and b the two in standard units, the mean of a b; a row's influence is
a b - r (a^2 + b^2) / 2 (Devlin, Gnanadesikan & Kettenring 1975). It does not see a bias or a wrong
scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean, standardized, weighed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="Pearson correlation",
    direction="higher",
    scale="fisher",
    needs="value",
    skew=4.0,
    rows_needed=80.0,
)
def pearson(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all truths or all predictions are equal."""
    a = standardized(score, weight, "prediction")
    b = standardized(truth, weight, "truth")
    value = min(max(mean(a * b, weight), -1.0), 1.0)
    return Influence(value, weighed(a * b - value * (a * a + b * b) / 2, weight))
