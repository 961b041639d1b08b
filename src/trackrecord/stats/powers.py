"""Sums of powers that merge: what a spread needs of rows that are never in memory together.

A mean's influences are its rows' distances from it. Their squares and fourth powers, class by
class, follow from each class's number, mean and central sums of powers up to the fourth, whatever
the mean turns out to be; and these merge from parts without losing digits (Chan, Golub & LeVeque
1983; Pébay 2008, eqs. 2.1-2.4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.spread import Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Powers(msgspec.Struct, frozen=True):
    """Of ``n`` rows: their ``mean``, and the sums of powers of their distances from it."""

    n: int
    mean: float
    two: float
    three: float
    four: float


NONE = Powers(0, 0.0, 0.0, 0.0, 0.0)
# What BLAS multiplies in one thread, whoever calls it: more of them would wait for one another, and
# add up in another order.
ALONE = 1 << 13


def powers_about(mean: float, apart: Floats) -> Powers:
    """The powers of rows (m,), from their distances from their mean."""
    n = apart.size
    whole = n - n % ALONE
    two = three = four = 0.0
    for near in (apart[:whole].reshape(-1, ALONE), apart[whole:]):
        if near.size:
            square = near * near
            two += float(np.vecdot(near, near).sum())
            three += float(np.vecdot(square, near).sum())
            four += float(np.vecdot(square, square).sum())
    return Powers(n, mean, two, three, four)


def powers_counted(values: Floats, count: NDArray[np.int64]) -> Powers:
    """The powers of ``values`` (m,), each of them ``count`` (m,) times."""
    n = int(count.sum())
    if n == 0:
        return NONE
    often = count.astype(np.float64)
    mean = inner(often, values) / n
    apart = values - mean
    square = apart * apart
    weighed = often * square
    two, three, four = float(weighed.sum()), inner(weighed, apart), inner(weighed, square)
    return Powers(n, mean + inner(often, apart) / n, two, three, four)


def inner(a: Floats, b: Floats) -> float:
    """The sum of the products of ``a`` (m,) and ``b`` (m,)."""
    whole = a.size - a.size % ALONE
    found = float(a[whole:] @ b[whole:])
    if whole:
        rows = (np.reshape(x[:whole], (-1, ALONE)) for x in (a, b))
        found += float(np.vecdot(*rows).sum())
    return found


def merge_powers(a: Powers, b: Powers) -> Powers:
    """The powers of the rows of both."""
    if a.n == 0 or b.n == 0:
        return b if a.n == 0 else a
    n = a.n + b.n
    apart, left, right = b.mean - a.mean, a.n / n, b.n / n
    square = apart * apart
    between = square * (left * b.n)
    two = a.two + b.two + between
    three = a.three + b.three + between * apart * (left - right)
    three += 3 * apart * (left * b.two - right * a.two)
    four = a.four + b.four + between * square * (left * left - left * right + right * right)
    four += 6 * square * (left * left * b.two + right * right * a.two)
    four += 4 * apart * (left * b.three - right * a.three)
    return Powers(n, a.mean + apart * right, two, three, four)


def mean_of_classes(classes: tuple[Powers, Powers]) -> float:
    """The mean of the rows of both classes."""
    return merge_powers(*classes).mean


def spread_of_powers(
    classes: tuple[Powers, Powers],
    centres: tuple[float, float],
    scales: tuple[float, float] = (1.0, 1.0),
) -> Spread:
    """The spread of a value whose influences are ``scale`` (row - ``centre``) in either class.

    ``classes`` are the negative rows and the positive ones. What ``spread_of`` makes of the
    influences of independent rows, one by one.
    """
    squares, fourths = zip(
        *(_about(*each) for each in zip(classes, centres, scales, strict=True)), strict=True
    )
    return spread_of_sums((classes[0].n, classes[1].n), squares, fourths)


def spread_of_sums(
    rows: tuple[int, int], squares: tuple[float, ...], fourths: tuple[float, ...]
) -> Spread:
    """The spread, from the sums of the influences' squares and fourth powers in either class."""
    n = rows[0] + rows[1]
    total, fourth = sum(squares), sum(fourths)
    both = min(rows) > 0
    sparse = float(min(rows) if both else n)
    parts = zip(squares, rows, strict=True) if both else ((total, n),)
    alone = sum(part / (1 - 1 / many) for part, many in parts if many > 1)
    carriers = total * total / fourth if fourth > 0 else 0.0
    return Spread(math.sqrt(alone) / n, sparse, None, carriers, sparse, n)


def clustered_spread(
    classes: tuple[Powers, Powers], centre: float, rows: Floats, sums: Floats
) -> Spread:
    """The spread where rows share clusters, as ``spread_of`` makes it of the influences.

    ``classes`` and ``centre`` are as in ``spread_of_powers``; ``rows`` (G, 2) counts each cluster's
    in either class, ``sums`` (G, 2) are those of their influences.
    """
    squares, fourths = zip(*(_about(each, centre, 1.0) for each in classes), strict=True)
    alone = spread_of_sums((classes[0].n, classes[1].n), squares, fourths)
    whole = rows.sum(axis=0)
    share = rows / np.where(whole > 0, whole, 1)
    units = float(1 / (share**2).sum(axis=0).max())
    pulled = (sums / np.sqrt(np.maximum(1 - share, 1e-12))).sum(axis=1)
    plain = float((sums.sum(axis=1) ** 2).sum())
    worth = min(1.0, sum(squares) / plain) if plain > 0 else 1.0
    return Spread(
        math.sqrt(float(pulled @ pulled)) / alone.rows,
        units,
        rows.shape[0],
        alone.carriers * worth,
        alone.sparse * worth,
        alone.rows * worth,
        worth,
    )


def _about(powers: Powers, centre: float, scale: float) -> tuple[float, float]:
    """The sums of the squares and fourth powers of ``scale`` (row - ``centre``)."""
    apart = powers.mean - centre
    square = apart * apart
    two = powers.two + powers.n * square
    four = powers.four + 4 * apart * powers.three + 6 * square * powers.two
    four += powers.n * square * square
    return scale**2 * two, scale**4 * max(four, 0.0)
