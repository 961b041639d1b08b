"""Intervals that may be looked at after every row: confidence sequences for running means.

A 95 % interval read each day and acted upon once misses far more often than one time in twenty. A
confidence sequence holds at all times together with the asked probability, so it can be read, and
a study stopped, whenever one likes (Howard, Ramdas, McAuliffe & Sekhon 2021). ``betting.py`` has
narrower ones for bounded rows that share one mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import alike, finite, level_within, number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

# Howard et al. 2021, theorem 1: epochs grow by ETA, the k-th has a share 1 / (ZETA k^S) of alpha
ETA, S, ZETA = 2.0, 1.4, 3.1055472779775810


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """The running ``mean`` (n,) and bounds ``lo`` (n,), ``hi`` (n,) that all hold at ``level``."""

    mean: Floats
    lo: Floats
    hi: Floats
    level: float


def normal_mixture(rows: ArrayLike, *, sigma: float, best_at: int, level: float = 0.95) -> Sequence:
    """For ``rows`` (n,) whose distance from their mean is sub-Gaussian with scale ``sigma``.

    Normal rows of that standard deviation, or rows between two bounds, ``sigma`` being half their
    distance (Hoeffding 1963). The sum of n errors stays within
    sqrt((v + rho) log((v + rho) / (rho alpha²))), v = n sigma² (Howard et al. 2021,
    the two-sided normal mixture), with
    rho such that it is about narrowest at ``best_at`` rows. What is covered is the running
    mean of the rows' means, which may drift. Raises BadInput for a sigma not above 0 or a
    ``best_at`` below 1.
    """
    table, level = finite(rows, "rows"), level_within(level)
    sigma = number(sigma, "sigma", above=0.0)
    count = np.arange(1.0, table.size + 1)
    reach = mixture_bound(count * sigma**2, best_at * sigma**2, level)
    return _sequence(table, reach, level, -math.inf, math.inf)


def mixture_bound(variance: ArrayLike, best_at: float, level: float) -> Floats:
    """The two-sided normal mixture bound of a sum with these accumulated variances (n,).

    For a difference of two independent streams, add their variances. Raises BadInput for a
    variance below 0 or a ``best_at``, the variance where it is about narrowest, not above 0.
    """
    v, level = finite(variance, "variances"), level_within(level)
    if v.size and v.min() < 0:
        raise BadInput("a variance cannot be below zero")
    best_at = number(best_at, "the variance to be narrowest at", above=0.0)
    two_log = -2 * math.log(1 - level)
    rho = best_at / (two_log + math.log1p(two_log))
    return np.asarray(np.sqrt((v + rho) * (np.log1p(v / rho) + two_log)))


def empirical_bernstein(
    rows: ArrayLike, *, low: float, high: float, level: float = 0.95, from_variance: float = 1.0
) -> Sequence:
    """For ``rows`` (n,) between ``low`` and ``high``, of any variance, which is learnt.

    Each row is predicted by the mean of those before it; v is the sum of the squared distances, of
    rows scaled to [0, 1]. The sum of errors stays within the stitched bound at alpha / 2 a side,
    with scale 1 (Howard et al. 2021, theorems 1 and 4), v being taken as at least
    ``from_variance``. The running mean of the rows' means is covered. Raises BadInput for a row
    outside the bounds.
    """
    table, level = finite(rows, "rows"), level_within(level)
    scaled = within(table, low, high)
    count = np.arange(1.0, table.size + 1)
    before = (0.5 + np.cumsum(scaled) - scaled) / count
    v = np.cumsum((scaled - before) ** 2)
    reach = stitched_bound(v, (1 - level) / 2, from_variance) * (high - low)
    return _sequence(table, reach, level, low, high)


def stitched_bound(v: Floats, alpha: float, least: float) -> Floats:
    """The polynomial stitched bound (n,), one-sided, scale 1 (Howard et al. 2021, theorem 1)."""
    least = number(least, "the least variance", above=0.0)
    v = np.maximum(v, least)
    grown = S * np.log(np.log(ETA * v / least)) + math.log(ZETA / (alpha * math.log(ETA) ** S))
    k1 = (ETA**0.25 + ETA**-0.25) / math.sqrt(2)
    k2 = (math.sqrt(ETA) + 1) / 2
    return np.asarray(np.sqrt(k1**2 * v * grown + k2**2 * grown**2) + k2 * grown)


def difference_of(a: Sequence, b: Sequence) -> Sequence:
    """a's mean minus b's at every step of two streams read together, independent or not.

    Both must be at (1 + level) / 2: the chance that either misses is at most the sum. Raises
    BadInput for unequal lengths or levels.
    """
    alike(a.mean.size, b.mean.size, "steps of a", "steps of b")
    if a.level != b.level:
        raise BadInput(f"a holds at {a.level:g} and b at {b.level:g}; both need the same level")
    return Sequence(mean=a.mean - b.mean, lo=a.lo - b.hi, hi=a.hi - b.lo, level=2 * a.level - 1)


def within(rows: Floats, low: float, high: float) -> Floats:
    """``rows`` scaled to [0, 1]. Raises BadInput for one outside ``low`` and ``high``."""
    low, high = number(low, "the lower bound"), number(high, "the upper bound")
    if not low < high:
        raise BadInput(f"the bounds must be in order, not {low:g} and {high:g}")
    if rows.size and (rows.min() < low or rows.max() > high):
        first = int(np.argmax((rows < low) | (rows > high)))
        raise BadInput(
            f"a row is {rows[first]:g}, outside the bounds {low:g} and {high:g}",
            where=f"row {first}, counted from 0",
            why="the interval holds only for rows that cannot lie outside",
        )
    return (rows - low) / (high - low)


def _sequence(rows: Floats, reach: Floats, level: float, low: float, high: float) -> Sequence:
    count = np.arange(1.0, rows.size + 1)
    mean = np.cumsum(rows) / count
    half = reach / count
    lo, hi = np.maximum(mean - half, low), np.minimum(mean + half, high)
    return Sequence(mean=mean, lo=lo, hi=hi, level=level)
