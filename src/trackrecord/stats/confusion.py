"""Of each class's rows, the share that is called each class, with bounds that hold for all at once.

A cell's bounds are Clopper & Pearson's (1934), exact for independent rows however few are in it.
In clusters, or with weights, they are taken for as many rows as the class's are worth (Korn &
Graubard 1998): n / design effect, times (z / t)^2, t having the effective number of clusters less
one as degrees of freedom. A cell with few rows cannot show its own design effect, so it is not
taken to be below the mean one of its class's cells (Rao & Scott 1981), nor below one; a class whose
rows are all called the same is worth its clusters.

The level of each cell is that at which all hold together (``simultaneous.py``). Where some cells
are 0 or 1, their part in the others' errors is not seen, and all are taken as independent, which
can only widen (Sidak 1967); so are more than MOST_JOINT, of which any one goes with few others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.proportions import normal_quantile, t_quantile
from trackrecord.stats.simultaneous import joint_level, unit_sums
from trackrecord.stats.spread import codes_of, worth_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


MOST_JOINT = 100


class Table(msgspec.Struct, frozen=True):
    """``count``, ``share``, ``lo`` and ``hi``, each (K, K): rows are true classes.

    ``share`` is NaN for a class without rows, and bounds are NaN where there are none: also for a
    class whose rows are worth less than two clusters. ``each`` is the level of one cell.
    """

    count: Ints
    share: Floats
    lo: Floats
    hi: Floats
    each: float


def confusion(
    truth: Ints,
    label: Ints,
    classes: int,
    weight: Floats | None = None,
    cluster: NDArray[np.integer] | None = None,
    level: float = 0.95,
) -> Table:
    """Cells of ``truth`` and ``label`` (n,), codes below ``classes``, with bands at ``level``.

    ``weight`` (n,) is above 0; ``cluster`` (n,) holds whole numbers.
    """
    k = classes
    cell = truth * k + label
    count = np.bincount(cell, minlength=k * k).reshape(k, k).astype(np.int64)
    mass = np.bincount(cell, weights=weight, minlength=k * k).reshape(k, k)
    whole = mass.sum(axis=1, keepdims=True)
    share = np.where(whole > 0, mass / np.where(whole > 0, whole, 1.0), np.nan)
    worth, degrees = np.full((k, k), np.nan), np.full(k, np.nan)
    for true in np.flatnonzero(whole[:, 0] > 0):
        rows = np.flatnonzero(truth == true)
        worth[true], degrees[true] = _worth(
            label[rows],
            share[true],
            None if weight is None else weight[rows],
            None if cluster is None else cluster[rows],
        )
    each = _each(truth, label, share, weight, cluster, level)
    known = np.isfinite(share) & (degrees > 0)[:, None]
    heavy = worth * _lessened(each, degrees)[:, None]
    lo, hi = exact(np.where(known, share, 0.5), np.where(known, heavy, 1.0), each)
    return Table(
        count, share, np.where(known, lo, np.nan), np.where(known, hi, np.nan), float(each)
    )


def exact(share: Floats, rows: Floats, level: float) -> tuple[Floats, Floats]:
    """Clopper & Pearson's bounds (1934) for ``share`` of ``rows``, which need not be whole."""
    from scipy.special import betaincinv

    hits, misses, tail = share * rows, (1 - share) * rows, (1 - level) / 2
    lo = np.where(hits > 0, betaincinv(np.where(hits > 0, hits, 1.0), misses + 1, tail), 0.0)
    hi = np.where(misses > 0, betaincinv(hits + 1, np.where(misses > 0, misses, 1.0), 1 - tail), 1)
    return lo, hi


def _worth(
    label: Ints, share: Floats, weight: Floats | None, cluster: NDArray[np.integer] | None
) -> tuple[Floats, float]:
    """How many independent rows each cell's bounds are taken for (K,), and degrees of freedom."""
    n, k = label.size, share.size
    if weight is None and cluster is None:
        return np.full(k, float(n)), np.inf
    heavy = np.ones(n) if weight is None else weight
    total = heavy.sum()
    if cluster is None:
        part = heavy / total
        fuller = part * part / np.maximum(1 - part, 1e-12)
        mine = np.bincount(label, weights=fuller, minlength=k)
        variance = (1 - share) ** 2 * mine + share**2 * (fuller.sum() - mine)
        units = worth_of(heavy)
    else:
        code, groups = codes_of(cluster)
        size = np.bincount(code, weights=heavy, minlength=groups).astype(np.float64)
        sums = np.bincount(code * k + label, weights=heavy, minlength=groups * k)
        moved = (sums.reshape(groups, k) - size[:, None] * share) / total
        variance = (moved**2 / np.maximum(1 - size / total, 1e-12)[:, None]).sum(axis=0)
        units = worth_of(size)
    if units < 2:
        return np.full(k, np.nan), 0.0
    plain = share * (1 - share) / n
    if not plain.any():
        return np.full(k, min(float(n), units)), units - 1
    mean = float(variance.sum() / plain.sum())
    own = np.where(plain > 0, variance / np.where(plain > 0, plain, 1.0), 0.0)
    return n / np.maximum(np.maximum(own, mean), 1.0), units - 1


def _lessened(each: float, degrees: Floats) -> Floats:
    """(z / t)^2 for each class."""
    z = normal_quantile(each)
    return np.array(
        [1.0 if not 0 < d < np.inf else (z / t_quantile(each, max(d, 1.0))) ** 2 for d in degrees]
    )


def _each(
    truth: Ints,
    label: Ints,
    share: Floats,
    weight: Floats | None,
    cluster: NDArray[np.integer] | None,
    level: float,
) -> float:
    """The level of a cell at which all hold together."""
    there = np.isfinite(share)
    moving = there & (share > 0) & (share < 1)
    if moving.sum() < there.sum() or there.sum() > MOST_JOINT:
        return float(level ** (1 / there.sum()))

    def columns() -> Iterator[tuple[Ints, Floats]]:
        for true in np.flatnonzero(moving.any(axis=1)):
            rows = np.flatnonzero(truth == true)
            heavy = np.ones(rows.size) if weight is None else weight[rows]
            for called in np.flatnonzero(moving[true]):
                yield rows, heavy * ((label[rows] == called) - share[true, called])

    return joint_level(unit_sums(columns(), truth.size, cluster), level).each
