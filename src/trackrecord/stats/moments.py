"""Means of rows that weigh, and the ratio of two of them, with influences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, Undefined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def mean(values: Floats, weight: Floats | None) -> float:
    """The mean of ``values`` (n,), each counted as often as it weighs."""
    if weight is None:
        return float(values.mean())
    return float(weight @ values) / float(weight.sum())


def weighed(influence: Floats, weight: Floats | None) -> Floats:
    """Influences (n,) of rows that stand for as many as they weigh."""
    return influence if weight is None else weight * influence


def ratio(above: Floats, below: Floats, weight: Floats | None) -> Influence:
    """mean(above) / mean(below): with v its value, a row's is (above - v below) / mean(below).

    The mean of ``below`` must not be 0. Where the two hold squares around a mean, that mean's own
    error adds nothing to the first order.
    """
    under = mean(below, weight)
    value = mean(above, weight) / under
    return Influence(value, weighed((above - value * below) / under, weight))


def standardized(values: Floats, weight: Floats | None, what: str) -> Floats:
    """``values`` (n,) less their mean, over their deviation. Undefined where all are equal."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise Undefined(f"the {what} is the same on every row, so nothing correlates with it")
    # by the range first, so that no square overflows or vanishes
    apart = (values - low) / (high - low)
    apart = apart - mean(apart, weight)
    unit: Floats = apart / math.sqrt(mean(apart * apart, weight))
    return unit
