"""How far apart groups are: differences and ratios of all pairs, with bounds that hold together.

Each group's estimate has an interval of its own, made on its own scale. What the pair's needs is
recovered from the two: the distance from an estimate to its bound is its error in that direction
(Zou & Donner 2008; for two proportions with Wilson's intervals, Newcombe's method 10, 1998). The
level of each is raised so that the bounds of all pairs hold at once, as Tukey's range test does for
means (compare ``simultaneous.py``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.arguments import finite, level_within
from trackrecord.stats.simultaneous import DRAWS, correlated_draws, correlation_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from trackrecord.stats.estimate import Estimate

    Floats = NDArray[np.float64]
    Bounds = tuple[float, float]


def pairwise_level(sums: ArrayLike, level: float = 0.95) -> float:
    """The level of each pair's interval at which those of all pairs of k groups hold.

    ``sums`` (G, k) from ``unit_sums``, no column all zeros, k of 2 or more. Never under ``level``,
    nor over Šidák's for as many pairs.
    """
    from scipy.special import ndtr

    table, level = finite(sums, "unit sums", dims=2), level_within(level)
    k = table.shape[1]
    first, second = np.triu_indices(k, 1)
    error = np.sqrt((table * table).sum(axis=0))
    factor, shrunk = correlation_of(table)
    shared = (1 - shrunk) * (factor.T @ factor)[first, second]
    apart = error[first] ** 2 + error[second] ** 2 - 2 * shared * error[first] * error[second]
    moving = apart > 1e-12 * (error[first] ** 2 + error[second] ** 2)
    if not moving.any():
        return level
    first, second, apart = first[moving], second[moving], np.sqrt(apart[moving])
    greatest = []
    for draws in correlated_draws(factor, shrunk):
        off = draws * error
        greatest.append((np.abs(off[:, first] - off[:, second]) / apart).max(axis=1))
    rank = min(DRAWS, math.ceil(level * (DRAWS + 1))) - 1
    critical = float(np.partition(np.concatenate(greatest), rank)[rank])
    return float(min(max(level, 2 * float(ndtr(critical)) - 1), level ** (1 / first.size)))


def correlations(sums: ArrayLike) -> Floats:
    """(k, k): how the errors of k groups go together, from ``unit_sums`` (G, k)."""
    table = finite(sums, "unit sums", dims=2)
    error = np.sqrt((table * table).sum(axis=0))
    return np.asarray((table / error).T @ (table / error))


def difference_between(a: Estimate, b: Estimate, correlation: float = 0.0) -> Bounds:
    """Bounds of a − b, whose errors have this ``correlation`` (Zou & Donner 2008; Zou 2007 where
    they go together)."""
    gap = a.value - b.value
    down, up = a.value - a.lo, a.hi - a.value
    under, over = b.value - b.lo, b.hi - b.value
    low = down * down + over * over - 2 * correlation * down * over
    high = up * up + under * under - 2 * correlation * up * under
    return gap - math.sqrt(max(low, 0.0)), gap + math.sqrt(max(high, 0.0))


def ratio_between(a: Estimate, b: Estimate, correlation: float = 0.0) -> Bounds | None:
    """Bounds of a / b, both above 0 (Donner & Zou 2012); None where b may be 0 or below."""
    if b.lo <= 0 or a.lo < 0:
        return None
    down, up = a.value - a.lo, a.hi - a.value
    under, over = b.value - b.lo, b.hi - b.value
    product = a.value * b.value
    low = _root(product - correlation * down * over, a.value, down, b.value, over, -1)
    high = _root(product - correlation * up * under, a.value, up, b.value, -under, 1)
    return (max(low, 0.0), high) if math.isfinite(high) else None


def _root(middle: float, a: float, off_a: float, b: float, off_b: float, side: int) -> float:
    """One root r of (a − r b)² = off_a² + r² off_b² − 2 r cov: ``middle`` is a b − cov."""
    lead = b * b - off_b * off_b
    if lead <= 0:
        return math.inf if side > 0 else 0.0
    inside = max(middle * middle - (a * a - off_a * off_a) * lead, 0.0)
    return (middle + side * math.sqrt(inside)) / lead
