"""A value and each row's influence on it: what every interval here is made from.

A metric is a function of the rows' distribution. The influence of a row is the derivative of the
metric when that row gets a little more weight (Hampel 1974); it has mean zero, and the metric's
sampling error is, to first order, the mean of the influences. So their spread is the standard
error, their sums within clusters the cluster-robust one, and the difference of two models'
influences the paired comparison's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Columns = tuple[NDArray[np.int8], NDArray[np.float64]]


class Influence(msgspec.Struct, frozen=True):
    """A metric's ``value``, and each row's ``influence`` (n,) on it, with mean zero.

    ``columns`` are the truth (n,) and score (n,) it was measured from: how sparse a class is, and
    whether two models say the same, shows only there. A metric's ``compute`` leaves them out.
    """

    value: float
    influence: Floats
    columns: Columns | None = None


class Undefined(Exception):
    """This sample has no such value; ``reason`` says why. Becomes an ``Absence``, never a zero."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def mean_of(values: Floats) -> Influence:
    """The mean of ``values`` (n,): a row's influence is its distance from it."""
    mean = float(values.mean())
    return Influence(mean, values - mean)
