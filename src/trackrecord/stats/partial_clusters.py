"""Sums of parts within clusters, for rows that depend on each other and lie in several parts.

What a cluster-robust error needs of each cluster is its number of rows and its columns' sums; both
add up over parts. Memory grows with the clusters, not with the rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import codes, finite, level_within
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.proportions import t_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class ClusterSums(msgspec.Struct, frozen=True):
    """For each cluster, in the order of its ``code`` (G,): its ``rows`` (G,) and the ``sums``
    (G, d) of its columns."""

    code: Ints
    rows: Ints
    sums: Floats


def cluster_sums(columns: ArrayLike, cluster: ArrayLike) -> ClusterSums:
    """The sums of ``columns`` (n, d) within ``cluster`` (n,), whole numbers that mean the same in
    every part. Raises BadInput where a number is not finite."""
    table = finite(columns, "columns", dims=2)
    code, index = np.unique(codes(cluster, table.shape[0], "clusters"), return_inverse=True)
    rows = np.bincount(index, minlength=code.size)
    sums = np.empty((code.size, table.shape[1]))
    for j in range(table.shape[1]):
        sums[:, j] = np.bincount(index, weights=table[:, j], minlength=code.size)
    return ClusterSums(code, rows, sums)


def merge_clusters(a: ClusterSums, b: ClusterSums) -> ClusterSums:
    """The sums of the rows of both. Raises BadInput where the columns are not as many."""
    if a.sums.shape[1] != b.sums.shape[1]:
        raise BadInput(
            f"parts have {a.sums.shape[1]} and {b.sums.shape[1]} columns; they need the same"
        )
    code, index = np.unique(np.concatenate([a.code, b.code]), return_inverse=True)
    rows = np.zeros(code.size, dtype=np.int64)
    sums = np.zeros((code.size, a.sums.shape[1]))
    for part, at in ((a, index[: a.code.size]), (b, index[a.code.size :])):
        rows[at] += part.rows
        sums[at] += part.sums
    return ClusterSums(code, rows, sums)


def clustered_mean_estimate(
    found: ClusterSums, weights: ArrayLike, *, metric: str, level: float = 0.95
) -> Estimate | Absence:
    """The mean over rows of a linear combination of columns, ``weights`` (d,), in clusters.

    A cluster's share h of the rows pulls the mean towards itself; its sum of influences is divided
    by sqrt(1 - h) (CR2; Bell & McCaffrey 2002). The t distribution has the effective number of
    clusters, 1 / sum h^2 (Kish 1965), less one. Absent with fewer than two effective clusters, or
    where nothing varies between them.
    """
    combined, level = finite(weights, "weights"), level_within(level)
    if combined.size != found.sums.shape[1]:
        raise BadInput(f"{combined.size} weights for {found.sums.shape[1]} columns")
    n, groups = int(found.rows.sum()), found.code.size
    if n == 0:
        return Absence(metric=metric, reason="there is no row", n=0)
    share = found.rows / n
    units = 1 / float(share @ share)
    if units < 2:
        reason = f"the rows lie in clusters that count as {units:.2g} equal ones: too few"
        return Absence(metric=metric, reason=reason, n=n)
    sums = found.sums @ combined
    value = math.fsum(sums) / n
    apart = (sums - found.rows * value) / np.sqrt(1 - share)
    se = math.sqrt(float(apart @ apart)) / n
    if se <= 1e-13 * float(np.abs(found.sums).max(initial=0.0)) / math.sqrt(n):
        reason = "every cluster has the same mean, so nothing shows how much clusters differ"
        return Absence(metric=metric, reason=reason, n=n)
    half = t_quantile(level, units - 1) * se
    return Estimate(
        metric=metric,
        value=value,
        lo=value - half,
        hi=value + half,
        level=level,
        se=se,
        n=n,
        clusters=groups,
        method=f"mean of merged parts, {groups} clusters, t({units - 1:.4g})",
    )
