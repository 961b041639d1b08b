"""The standard error of a value, from its influences; one formula for rows and for clusters.

Each class's influences are summed within clusters, and each sum is divided by sqrt(1 - h), h being
the cluster's share of that class's rows: a cluster that is much of the sample pulls the value
towards itself, and this puts the spread back (CR2; Bell & McCaffrey 2002). Without clusters every
row is its own, and the square is DeLong's unbiased variance for the area (1988, eq. 5).

The t distribution has the fewer of two numbers of degrees of freedom. One is ``units - 1``,
``units`` being the effective number of clusters that the sparser class is spread over,
(sum c)^2 / sum c^2 (Kish 1965): the rows of that class, where rows are independent. The other is
that of a variance estimated from n squares as unequal as these, 2 / (1 / carriers - 1 / n) with
``carriers`` = (sum psi^2)^2 / sum psi^4 (Satterthwaite 1946): n for normal influences, a handful
where a few rows carry the spread. Both counts are divided by the design effect, the variance over
what it were without clusters, so that a row repeated within its cluster counts once.

With sampling weights, which the influences already bear, all that counts rows sums weights: h is a
share of a class's weight, and ``units`` and ``sparse`` are what its rows are worth, (sum w)^2 /
sum w^2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.remembering import remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Spread(msgspec.Struct, frozen=True):
    """A standard error ``se``, and how much is known of it.

    ``units`` and ``carriers`` are as above; ``clusters`` is None for independent rows; ``sparse``
    counts the rows of the rarer class, or all rows where there is one class; ``rows`` all. These
    counts are multiplied by ``worth``, one over the design effect. ``periods`` were seen, and leave
    at most ``freedom`` degrees, where rows depend on those before them (``timed.py``).
    """

    se: float
    units: float
    clusters: int | None
    carriers: float
    sparse: float
    rows: float
    worth: float = 1.0
    periods: int | None = None
    freedom: float = math.inf

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the t distribution; at least one where ``units`` is two."""
        unequal = 1 / self.carriers - 1 / self.rows if self.carriers > 0 else 0.0
        known = min(self.units - 1, self.freedom)
        return max(1.0, min(known, 2 / unequal)) if unequal > 0 else known


def spread_of(
    influence: Floats,
    truth: NDArray[np.int8],
    cluster: NDArray[np.integer] | None,
    weight: Floats | None = None,
) -> Spread:
    """The spread of a value with ``influence`` (n,); ``cluster`` (n,) as whole numbers or None."""
    if weight is not None:
        return _weighted(influence, truth, cluster, weight)
    n = influence.size
    positives = int(np.count_nonzero(truth))
    both = 0 < positives < n
    sparse = min(positives, n - positives) if both else n
    squares = influence * influence
    total, carriers = float(squares.sum()), _participation(squares)
    if cluster is None:
        mine = float(squares[_positive(truth)].sum()) if both else 0.0
        alone = _corrected(total - mine, n - positives if both else n)
        alone += _corrected(mine, positives) if both else 0.0
        return Spread(math.sqrt(alone) / n, float(sparse), None, carriers, sparse, n)
    together, units, clusters, plain = _clustered(influence, truth, cluster, None)
    worth = min(1.0, total / plain) if plain > 0 else 1.0
    return Spread(
        math.sqrt(together) / n,
        units,
        clusters,
        carriers * worth,
        sparse * worth,
        n * worth,
        worth,
    )


def _positive(truth: NDArray[np.int8]) -> Ints:
    """The places of the positive rows."""
    return remembered("positive", (truth,), lambda: np.flatnonzero(truth))


def _clustered(
    influence: Floats,
    truth: NDArray[np.int8],
    cluster: NDArray[np.integer],
    weight: Floats | None,
) -> tuple[float, float, int, float]:
    """The corrected sum of squares, units, clusters, and the sum of squares uncorrected."""
    code, groups = codes_of(cluster)
    positive = truth != 0
    cell = 2 * code + positive if 0 < np.count_nonzero(positive) < truth.size else 2 * code
    rows = np.bincount(cell, weights=weight, minlength=2 * groups).reshape(groups, 2)
    sums = np.bincount(cell, weights=influence, minlength=2 * groups).reshape(groups, 2)
    kept = rows.sum(axis=1) > 0
    rows, sums = rows[kept], sums[kept]
    whole = rows.sum(axis=0)
    share = rows / np.where(whole > 0, whole, 1)
    units = float(1 / (share**2).sum(axis=0).max())
    # a class within one cluster has units = 1, for which no interval is offered
    pulled = (sums / np.sqrt(np.maximum(1 - share, 1e-12))).sum(axis=1)
    plain = float((sums.sum(axis=1) ** 2).sum())
    return float(pulled @ pulled), units, int(kept.sum()), plain


def _weighted(
    influence: Floats,
    truth: NDArray[np.int8],
    cluster: NDArray[np.integer] | None,
    weight: Floats,
) -> Spread:
    there = weight > 0
    positive = truth != 0
    kinds = [kind for kind in (there & positive, there & ~positive) if kind.any()]
    sparse = min(worth_of(weight[kind]) for kind in kinds)
    squares = influence * influence
    carriers, rows = _participation(squares), _participation(weight * weight)
    n = influence.size
    if cluster is None:
        share = np.zeros(n)
        for kind in kinds:
            share[kind] = weight[kind] / weight[kind].sum()
        # a class's only row has no spread of its own
        alone = share < 1
        together = float((squares[alone] / (1 - share[alone])).sum())
        return Spread(math.sqrt(together) / n, sparse, None, carriers, sparse, rows)
    together, units, clusters, plain = _clustered(
        influence[there], truth[there], cluster[there], weight[there]
    )
    worth = min(1.0, float(squares.sum()) / plain) if plain > 0 else 1.0
    return Spread(
        math.sqrt(together) / n,
        units,
        clusters,
        carriers * worth,
        sparse * worth,
        rows * worth,
        worth,
    )


def worth_of(weight: Floats) -> float:
    """How many rows of equal weight rows of these weights are worth (Kish 1965)."""
    return float(weight.sum()) ** 2 / float(weight @ weight)


def _corrected(squares: float, rows: int) -> float:
    """A sum of squares over 1 - 1 / rows; a class's only row has no spread of its own."""
    return squares / (1 - 1 / rows) if rows > 1 else 0.0


def _participation(squares: Floats) -> float:
    """(sum s)^2 / sum s^2: how many of the numbers (n,) make up their sum; 0 where all are 0."""
    most = float(squares.max())
    if most == 0:
        return 0.0
    part = squares / most
    return float(part.sum()) ** 2 / float(part @ part)


def codes_of(cluster: NDArray[np.integer]) -> tuple[Ints, int]:
    """Clusters as numbers from 0, and a bound on them; without a sort where they are dense."""
    low, high = int(cluster.min()), int(cluster.max())
    if high - low <= 4 * cluster.size + 1000:
        return cluster.astype(np.int64) - low, high - low + 1
    names, code = np.unique(cluster, return_inverse=True)
    return code.astype(np.int64), names.size


def effective_clusters(
    cluster: NDArray[np.integer] | None, n: int, weight: Floats | None = None
) -> float:
    """How many clusters of equal size these rows are worth (Kish 1965); n without clusters."""
    if cluster is None:
        return float(n) if weight is None else worth_of(weight)
    code, groups = codes_of(cluster)
    size = np.bincount(code, weights=weight, minlength=groups).astype(np.float64)
    return worth_of(size) if weight is not None else n * n / float(size @ size)
