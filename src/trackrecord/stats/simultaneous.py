"""Many estimates at once: intervals that all hold together.

Of 50 slices, each with its own 95 % interval, two or three miss. Here the level of each is raised
to ``each``, so that with the asked probability none misses. The greatest of the estimates' errors,
each in its own standard errors, behaves like the greatest of Gaussians with the correlation of the
influences; its quantile is found by the multiplier bootstrap (Chernozhukov, Chetverikov & Kato
2013, section 3), which gives every unit's influences one Gaussian weight, common to all estimates.
Units are clusters, or rows. Nothing is assumed of the slices: they may be nested or overlap.

With few units the correlation of many estimates is known badly, and the plain bootstrap takes it as
too strong: with 5 clusters and 500 independent slices it covered 36 % for 95 %. The correlation is
therefore shrunk towards none by the share that Schäfer & Strimmer (2005, target D) give for it,
with the normal theory's errors of correlations; that can only widen (Šidák 1967). ``each`` enters
every estimate's own method, its t distribution with few clusters included.

The weights are the same at every call (SEED), made from the raw bits of PCG64, so that results
depend on neither a seed nor numpy's release.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import alike, codes, finite, level_within
from trackrecord.stats.proportions import normal_quantile
from trackrecord.stats.remembering import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BUCKETS = 4096
DRAWS = 10_000
AT_ONCE = 1_000
SEED = 2013
# columns of Gaussians that are kept: 80 kB each
REMEMBERED = 256


class JointLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The ``level`` asked of all intervals together, and the level of ``each``.

    ``critical`` is the same as a number of standard errors, where these are known; ``estimates``
    counts those that vary, ``units`` the clusters or rows (folded into at most BUCKETS), ``shrunk``
    is the share by which correlation was shrunk.
    """

    level: float
    each: float
    critical: float
    estimates: int
    units: int
    shrunk: float


def unit_sums(
    columns: Iterable[tuple[ArrayLike | None, ArrayLike]], n: int, cluster: ArrayLike | None = None
) -> Floats:
    """What each unit adds to each estimate's error: (G, k), G at most BUCKETS.

    A column is an estimate: the numbers of the rows it is made from, None for all ``n``, and these
    rows' influences on it. ``cluster`` (n,) holds whole numbers. Independent units may be summed in
    any way that does not look at their values; beyond BUCKETS they are, so memory is bounded by
    G × k and one column. Raises BadInput for rows that do not exist, and for unequal lengths.
    """
    if cluster is None:
        unit, groups = None, n
    else:
        held = codes(cluster, n, "clusters")
        unit, groups = remembered("units", (np.asarray(cluster),), lambda: _units(held))
    kept = max(1, min(groups, BUCKETS))
    found = []
    for rows, influence in columns:
        psi = finite(influence, "influences")
        row = np.arange(n) if rows is None else np.asarray(rows)
        alike(psi.size, row.size, "influences", "the rows")
        if unit is None:
            at = remembered(("places", n, kept), (row,), partial(_places, row, n, None, kept))
        else:
            at = _places(row, n, unit, kept)
        found.append(np.bincount(at, weights=psi / psi.size, minlength=kept))
    return np.column_stack(found) if found else np.empty((kept, 0))


def _units(clusters: Ints) -> tuple[Ints, int]:
    """Each row's unit from 0, and how many there are."""
    names, unit = np.unique(clusters, return_inverse=True)
    return unit, names.size


def _places(rows: Ints, n: int, unit: Ints | None, kept: int) -> Ints:
    """Which of ``kept`` sums each row goes into."""
    row = codes(rows, rows.size, "a column's rows")
    if row.size == 0 or row.min() < 0 or row.max() >= n:
        raise BadInput(f"a column needs rows, with numbers from 0 to {n - 1}")
    return row % kept if unit is None else unit[row] % kept


def apart(rows: ArrayLike, inside: ArrayLike, whole: ArrayLike) -> tuple[None, Floats]:
    """The column of a slice's value minus the whole's, from the influences of both.

    ``inside`` (m,) on the slice's value, ``whole`` (n,) on that of all rows.
    """
    psi, all_rows = finite(inside, "influences"), finite(whole, "influences")
    influence = -all_rows
    influence[codes(rows, psi.size, "a slice's rows")] += psi * (all_rows.size / psi.size)
    return None, influence


def joint_level(sums: ArrayLike, level: float = 0.95) -> JointLevel:
    """The level for each of k intervals, all of which are to hold at ``level``.

    ``sums`` (G, k) from ``unit_sums``. A column of zeros takes no part. Never under ``level``, nor
    over Šidák's level ** (1 / k), which holds for Gaussians of any correlation. Raises BadInput
    where no column varies.
    """
    table, level = finite(sums, "unit sums", dims=2), level_within(level)
    moving = table[:, np.abs(table).max(axis=0, initial=0.0) > 0]
    units, k = moving.shape
    if k == 0:
        raise BadInput("no estimate varies, so there is nothing to hold together")
    each, shrunk = level, 0.0
    if k > 1:
        from scipy.special import ndtr

        factor, shrunk = correlation_of(moving)
        greatest = [np.abs(draws).max(axis=1) for draws in correlated_draws(factor, shrunk)]
        rank = min(DRAWS, math.ceil(level * (DRAWS + 1))) - 1
        critical = float(np.partition(np.concatenate(greatest), rank)[rank])
        each = min(max(level, 2 * float(ndtr(critical)) - 1), level ** (1 / k))
    return JointLevel(
        level=level,
        each=each,
        critical=normal_quantile(each),
        estimates=k,
        units=units,
        shrunk=shrunk,
    )


def correlated_draws(factor: Floats, shrunk: float) -> Iterator[Floats]:
    """DRAWS standard Gaussians with a correlation from ``correlation_of``, (AT_ONCE, k) a time."""
    r, k = factor.shape
    apart = k if shrunk > 0 else 0
    draw = _remembered if r + apart <= REMEMBERED else _gaussians
    for first, second in draw(r, apart):
        draws = first @ (math.sqrt(1 - shrunk) * factor)
        yield draws + math.sqrt(shrunk) * second if apart else draws


def _gaussians(r: int, k: int) -> Iterator[tuple[Floats, Floats]]:
    """The Gaussians of every call, (AT_ONCE, r) and (AT_ONCE, k): a part of DRAWS a time."""
    bits = np.random.PCG64(SEED)

    def gaussians(columns: int) -> Floats:
        raw = bits.random_raw(AT_ONCE * columns).reshape(AT_ONCE, columns)
        uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
        return np.asarray(ndtri(uniform))

    from scipy.special import ndtri

    for _ in range(DRAWS // AT_ONCE):
        yield gaussians(r), gaussians(k)


@lru_cache(maxsize=4)
def _remembered(r: int, k: int) -> tuple[tuple[Floats, Floats], ...]:
    """The same, kept: each metric of an evaluation asks for as many."""
    return tuple(_gaussians(r, k))


def correlation_of(sums: Floats) -> tuple[Floats, float]:
    """A factor (r, k), whose columns have the correlations of those of ``sums`` (G, k), and the
    share by which to shrink them. No column may be all zeros."""
    unit = sums / np.abs(sums).max(axis=0)
    unit = unit / np.sqrt((unit * unit).sum(axis=0))
    units, k = unit.shape
    both = unit.T @ unit
    if units > k:
        values, vectors = np.linalg.eigh(both)
        unit = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    np.fill_diagonal(both, 0.0)
    known = float((both * both).sum())
    noise = float(((1 - both * both) ** 2).sum() - k) / max(units - 1, 1)
    return unit, min(1.0, noise / known) if known > 0 else 1.0
