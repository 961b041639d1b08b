"""The median of rows that weigh, with an influence that stands on two order statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.moments import bounded, weighed
from trackrecord.stats.proportions import normal_quantile
from trackrecord.stats.spread import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# cumulated weights are equal to half within this share of them
EQUAL = 1e-12
LEVEL = 0.95


def median_of(values: Floats, weight: Floats | None) -> Influence:
    """The median of ``values`` (n,): where half the weight is exactly reached, the mean of two.

    With F the distribution and f its density there, a row's influence is
    (F(m) - 1{below} - ½ 1{equal}) / f(m). The density is 2 h / (b - a), a and b being the values at
    ½ - h and ½ + h, h = 1.96 · ½ / √n: so the standard error is (b - a) / 3.92, that of the
    interval between two order statistics (Woodruff 1952; Francisco & Fuller 1991), or between the
    two nearest on either side (Hettmansperger & Sheather 1986). Where ties make
    a or b the median itself, the next different value takes its place, so that no error is 0 unless
    all values are equal. The rows' own count of halves can be too even where many tie, so the error
    is not let below that of a fair coin.
    """
    order = np.argsort(bounded(values))
    ranked = values[order]
    mass = np.ones(values.size) if weight is None else weight[order]
    reached = np.cumsum(mass) / float(mass.sum())
    last = values.size - 1

    def at(share: float) -> int:
        return min(int(np.searchsorted(reached, share - EQUAL)), last)

    middle = at(0.5)
    value = float(ranked[middle])
    if abs(reached[middle] - 0.5) <= EQUAL and middle < last:
        value = (value + float(ranked[middle + 1])) / 2
    worth = values.size if weight is None else worth_of(weight)
    z = normal_quantile(LEVEL)
    h = z / 2 / math.sqrt(worth)
    halfway = reached - mass / (2 * float(mass.sum()))
    low, high = map(float, np.interp([0.5 - h, 0.5 + h], halfway, ranked))
    if low >= value:
        low = float(ranked[max(int(np.searchsorted(ranked, value)) - 1, 0)])
    if high <= value:
        high = float(ranked[min(int(np.searchsorted(ranked, value, "right")), last)])
    below = (values < value) + 0.5 * (values == value)
    share = float(below.mean()) if weight is None else float(weight @ below / weight.sum())
    inverse = (high - low) / (2 * h)
    return Influence(
        value, weighed((share - below) * inverse, weight), least=max(high - low, 0.0) / (2 * z)
    )
