"""A value and each row's influence on it: what every interval here is made from.

A metric is a function of the rows' distribution. The influence of a row is the derivative of the
metric when that row gets a little more weight (Hampel 1974); it has mean zero, and the metric's
sampling error is, to first order, the mean of the influences. So their spread is the standard
error, their sums within clusters the cluster-robust one, and the difference of two models'
influences the paired comparison's.

Rows with sampling weights w of mean one stand for a population: the value is that of the weighted
rows, and a row's influence is w times its derivative, so that the error is still the plain mean of
the influences, and nothing downstream need know of weights (Horvitz & Thompson 1952; Binder 1983).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Influence(msgspec.Struct, frozen=True):
    """A metric's ``value``, and each row's ``influence`` (n,) on it, with mean zero.

    ``columns`` are the truth and prediction, n rows each, that it was measured from, ``weight``
    (n,) the rows' weights with mean one, or None; a metric's ``compute`` leaves them out.

    What the first order does not see, a metric may add. ``of`` (n,) marks the rows that a share is
    a share of. ``centre`` is where the interval is centred, where that is not the value: the value
    without its bias, or drawn away from an edge. ``least`` is an error that the estimated one is
    not let below, for independent rows. ``width`` is what the value is divided by to be on its
    metric's scale.
    """

    value: float
    influence: Floats
    columns: tuple[Any, Any] | None = None
    weight: Floats | None = None
    of: NDArray[np.bool_] | None = None
    centre: float | None = None
    least: float = 0.0
    width: float = 1.0


class Undefined(Exception):
    """This sample has no such value; ``reason`` says why. Becomes an ``Absence``, never a zero."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def mean_of(values: Floats, weight: Floats | None = None) -> Influence:
    """The mean of ``values`` (n,): a row's influence is its distance from it."""
    if weight is None:
        mean = float(values.mean())
        return Influence(mean, values - mean)
    mean = float(weight @ values) / float(weight.sum())
    return Influence(mean, weight * (values - mean))
