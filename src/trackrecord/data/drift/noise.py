"""How far apart two samples of one population come to lie: by chance, and by clusters' chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWS = 2000
SEED = 20_240_101
ROUNDING = 1e-12


class Clusters(NamedTuple):
    """Each row's cluster as a code from 0, the same code for the same cluster of either table."""

    a: Ints
    b: Ints
    number: int

    @property
    def degrees(self) -> int:
        """Those of the table that has fewer clusters, less one."""
        return min(np.unique(self.a).size, np.unique(self.b).size) - 1


def errors_of_shares(a: Ints, b: Ints, kinds: int, clusters: Clusters | None) -> Floats | None:
    """Draws (2000, kinds) of the error of the difference in shares, both populations as observed.

    ``a`` and ``b`` are each row's kind, from 0. With ``clusters`` the covariance is that of their
    sums – rows of one cluster may depend on one another in any way, also across the tables – and
    the draws are Student's, with the degrees of the fewer clusters. None where a table has less
    than two clusters.
    """
    covariance = _covariance(a, b, kinds, clusters)
    if covariance is None:
        return None
    draw = np.random.default_rng(SEED)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    errors = draw.standard_normal((DRAWS, kinds)) @ root.T
    if clusters is not None:
        errors /= np.sqrt(draw.chisquare(clusters.degrees, (DRAWS, 1)) / clusters.degrees)
    return np.asarray(errors)


def _covariance(a: Ints, b: Ints, kinds: int, clusters: Clusters | None) -> Floats | None:
    shares = [np.bincount(side, minlength=kinds) / side.size for side in (a, b)]
    if clusters is None:
        parts = [
            (np.diag(p) - np.outer(p, p)) / side.size
            for p, side in zip(shares, (a, b), strict=True)
        ]
        return np.asarray(parts[0] + parts[1])
    if clusters.degrees < 1:
        return None
    sums = np.zeros((clusters.number, kinds))
    for sign, side, code, p in zip((1, -1), (a, b), (clusters.a, clusters.b), shares, strict=True):
        counts = np.bincount(code * kinds + side, minlength=clusters.number * kinds)
        counts = counts.reshape(clusters.number, kinds).astype(np.float64)
        sums += sign * (counts - counts.sum(1, keepdims=True) * p) / side.size
    return np.asarray(sums.T @ sums * clusters.number / (clusters.number - 1))


def chance_of(errors: Floats, size: float) -> float:
    """How often an error is at least ``size``: a p that is never 0 (Davison & Hinkley 1997)."""
    return float((1 + np.count_nonzero(errors >= size - ROUNDING)) / (errors.size + 1))
