"""Means of rows that weigh, and the ratio of two of them, with influences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, Undefined, mean_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


# losses beyond this have squares that are no numbers, so their spread is none
MOST = 1e140


def mean_loss(losses: Floats, weight: Floats | None) -> Influence:
    """The mean of ``losses`` (n,). Undefined where one is too great for its square."""
    return mean_of(bounded(losses), weight)


def bounded(losses: Floats) -> Floats:
    """``losses`` as they are. Undefined where one is too great for its square."""
    if not float(abs(losses).max()) < MOST:
        raise Undefined("some errors are too great to be squared")
    return losses


def squares(errors: Floats) -> Floats:
    """The squares of ``errors`` (n,). Undefined where they, or theirs, are too great."""
    if not float(abs(errors).max()) < MOST**0.5:
        raise Undefined("some errors are too great to be squared")
    return errors * errors


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

    The mean of ``below`` must not be 0. Undefined where one is too great for its square. Where the
    two hold squares around a mean, that mean's own error adds nothing to the first order.
    """
    under = mean(bounded(below), weight)
    value = mean(bounded(above), weight) / under
    return Influence(value, weighed((above - value * below) / under, weight))


def standardized(values: Floats, weight: Floats | None, what: str) -> Floats:
    """``values`` (n,) less their mean, over their deviation. Undefined where all are equal."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise Undefined(f"the {what} is the same on every row, so nothing correlates with it")
    if not math.isfinite(high - low):
        raise Undefined(f"the {what} differs by too much for a number")
    # by the range first, so that no square overflows or vanishes
    apart = (values - low) / (high - low)
    apart = apart - mean(apart, weight)
    unit: Floats = apart / math.sqrt(mean(apart * apart, weight))
    return unit
