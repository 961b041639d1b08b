"""Sums of parts that merge into the sums of the whole, for metrics that are means of rows.

Value and standard error follow from the rows' number, means and cross-moments, which parts bring
separately. Two parts merge by Chan, Golub & LeVeque (1983, eq. 2.1), which loses no digits where a
sum of squares would; any order or grouping gives the whole to rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import finite, level_within
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.proportions import t_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

BLOCK = 1 << 15


class Moments(msgspec.Struct, frozen=True):
    """Of ``n`` rows and d columns: their ``mean`` (d,), and ``scatter`` (d, d), the sums over rows
    of the products of two columns' distances from their means."""

    n: int
    mean: Floats
    scatter: Floats


def moments_of(columns: ArrayLike) -> Moments:
    """The moments of ``columns`` (n, d), in one pass over blocks that stay in the cache.

    No row gives the moments that merge as nothing. Raises BadInput where a number is not finite.
    """
    table = np.asarray(columns)
    if table.ndim != 2:
        raise BadInput(f"columns must have 2 axes, not {table.ndim}")
    found = no_moments(table.shape[1])
    for start in range(0, table.shape[0], BLOCK):
        block = finite(table[start : start + BLOCK], "columns", dims=2)
        mean = block.mean(axis=0)
        apart = block - mean
        found = merge(found, Moments(block.shape[0], mean, apart.T @ apart))
    return found


def no_moments(d: int) -> Moments:
    """The moments of no row of ``d`` columns: merging them changes nothing."""
    return Moments(0, np.zeros(d), np.zeros((d, d)))


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both. Raises BadInput where the columns are not as many."""
    if a.mean.shape != b.mean.shape:
        raise BadInput(f"parts have {a.mean.size} and {b.mean.size} columns; they need the same")
    if a.n == 0 or b.n == 0:
        return b if a.n == 0 else a
    n = a.n + b.n
    apart = b.mean - a.mean
    scatter = a.scatter + b.scatter + np.outer(apart, apart) * (a.n / n * b.n)
    return Moments(n, a.mean + apart * (b.n / n), scatter)


def merge_all(parts: Iterable[Moments]) -> Moments:
    """All parts, neighbours in pairs, so that rounding grows with the logarithm of their number.
    Raises BadInput where there is none."""
    waiting: list[tuple[int, Moments]] = []
    for part in parts:
        rank = 0
        while waiting and waiting[-1][0] == rank:
            part, rank = merge(waiting.pop()[1], part), rank + 1
        waiting.append((rank, part))
    if not waiting:
        raise BadInput("there is no part to merge")
    found = waiting.pop()[1]
    while waiting:
        found = merge(waiting.pop()[1], found)
    return found


def mean_estimate(
    moments: Moments, weights: ArrayLike, *, metric: str, level: float = 0.95
) -> Estimate | Absence:
    """The mean of a linear combination of columns, ``weights`` (d,), with its t interval.

    (0, 1, 0) is the mean of the second column, (1, -1, 0) the paired difference of the first two.
    Absent with fewer than two rows, or where the combination never varies.
    """
    combined = finite(weights, "weights")
    if combined.shape != moments.mean.shape:
        raise BadInput(f"{combined.size} weights for {moments.mean.size} columns")
    value = float(moments.mean @ combined)
    return _estimate(moments, value, combined, 1.0, metric, "mean", level)


def weighted_mean_estimate(
    moments: Moments, *, product: int, weight: int, metric: str, level: float = 0.95
) -> Estimate | Absence:
    """The mean of x weighted by w, from the columns ``product`` = w x and ``weight`` = w.

    A ratio of two means: a row's influence is w (x - value) / mean w (Cochran 1977, ch. 6), as
    for weights that are part of the sampling. Absent where the weights add up to zero or less.
    """
    below = float(moments.mean[weight])
    if moments.n == 0 or below <= 0:
        reason = "there is no row" if moments.n == 0 else "the weights add up to zero or less"
        return Absence(metric=metric, reason=reason, n=moments.n)
    value = float(moments.mean[product]) / below
    combined = np.zeros(moments.mean.size)
    combined[product] += 1.0
    combined[weight] -= value
    return _estimate(moments, value, combined, below, metric, "weighted mean", level)


def _estimate(
    moments: Moments,
    value: float,
    combined: Floats,
    scale: float,
    metric: str,
    what: str,
    level: float,
) -> Estimate | Absence:
    level, n = level_within(level), moments.n
    if n < 2:
        reason = "there is no row" if n == 0 else "one row cannot show how much rows differ"
        return Absence(metric=metric, reason=reason, n=n)
    squares = float(combined @ moments.scatter @ combined)
    size = float(np.abs(combined) @ (np.abs(moments.mean) + np.sqrt(np.diag(moments.scatter) / n)))
    if squares <= n * (1e-13 * size) ** 2:
        reason = "every row counts the same, so nothing shows how much rows differ"
        return Absence(metric=metric, reason=reason, n=n)
    se = math.sqrt(squares / (n - 1) / n) / scale
    half = t_quantile(level, n - 1) * se
    return Estimate(
        metric=metric,
        value=value,
        lo=value - half,
        hi=value + half,
        level=level,
        se=se,
        n=n,
        clusters=None,
        method=f"{what} of merged parts, t({n - 1})",
    )
