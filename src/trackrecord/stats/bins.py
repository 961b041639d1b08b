"""Probabilities in bins of equal width, and how far each bin is off.

With p_k the share of rows in bin k, f_k their mean probability and o_k their rate of positives,
the miss is d_k = f_k - o_k. A square d_k^2 is too large by the variance of d_k, and its own error
is not seen by the first order where d_k is near 0; so what is made of squares here is centred
without that bias, and its error is not let below sqrt(sum p_k^2 (4 d_k^2 v_k + 2 v_k^2)), v_k being
the variance of d_k (of a quadratic form in normal variables; Ferro & Fricker 2012 for the bias).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Bins(msgspec.Struct, frozen=True):
    """For each bin that has rows: ``share``, mean ``forecast``, ``rate`` (k,), and the variances
    of ``rate`` and of forecast minus rate, ``rate_error`` and ``miss_error`` (k,).

    ``code`` (n,) is each row's bin; bins of one row have no variance to show, so 0.
    ``worth`` is how many rows of equal weight the sample is worth.
    """

    code: NDArray[np.intp]
    share: Floats
    forecast: Floats
    rate: Floats
    rate_error: Floats
    miss_error: Floats
    worth: float

    @property
    def base(self) -> float:
        """The rate of positives."""
        return float(self.share @ self.rate)

    @property
    def miss(self) -> Floats:
        """Mean probability minus rate (k,)."""
        return self.forecast - self.rate


def bins_of(truth: NDArray[np.int8], score: Floats, bins: int, weight: Floats | None) -> Bins:
    """``bins`` of equal width from 0 to 1; a probability on an edge is in the upper bin."""
    drawer = np.minimum((score * bins).astype(np.intp), bins - 1)
    _, code = np.unique(drawer, return_inverse=True)
    mass = _sums(code, None, weight)
    squared = mass if weight is None else _sums(code, weight, weight)
    # what rows of these weights are worth, less one for the mean
    worth = squared / mass**2
    spare = np.where(worth < 1, worth / np.where(worth < 1, 1 - worth, 1.0), 0.0)
    forecast = _sums(code, score, weight) / mass
    rate = _sums(code, truth.astype(np.float64), weight) / mass
    off = (score - truth) - (forecast - rate)[code]
    return Bins(
        code,
        mass / mass.sum(),
        forecast,
        rate,
        rate * (1 - rate) * spare,
        _sums(code, off * off, weight) / mass * spare,
        float(mass.sum()) ** 2 / float(squared.sum()),
    )


def _sums(code: NDArray[np.intp], values: Floats | None, weight: Floats | None) -> Floats:
    if values is not None and weight is not None:
        values = values * weight
    return np.bincount(code, weights=weight if values is None else values).astype(np.float64)


def least_error(bins: Bins, distance: Floats) -> float:
    """The error of sum p_k distance_k^2 from the rates' errors, to the second order.

    Rates are taken with two more rows as forecast: a bin without positives is not certain.
    """
    rows = bins.share * bins.worth
    rate = (bins.rate * rows + 2 * bins.forecast) / (rows + 2)
    error = rate * (1 - rate) / (rows + 2)
    return math.sqrt(float(bins.share**2 @ (4 * distance**2 * error + 2 * error**2)))


def weighed(influence: Floats, weight: Floats | None) -> Floats:
    """Influences of rows that stand for as many as they weigh."""
    return influence if weight is None else influence * weight
