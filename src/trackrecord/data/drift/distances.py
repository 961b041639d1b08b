"""Distances between two samples of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
FLOOR = 0.5


class Distance(NamedTuple):
    """``ks`` is sup |F_a - F_b|, ``wasserstein`` the area between F_a and F_b (the unit of x)."""

    ks: float
    wasserstein: float


def distance(a: Floats, b: Floats) -> Distance:
    """Both from one pass over the two samples merged; ``a`` (n,) and ``b`` (m,) are **sorted**.

    The two-sample statistic of Kolmogorov and Smirnov, and Wasserstein's distance of order 1, which
    on a line is the integral of |F_a - F_b| (Vallender 1974). No value is infinite.
    """
    merged = np.concatenate([a, b])
    order = np.argsort(merged, kind="stable")  # two runs that are sorted: one merge
    x = merged[order]
    above = np.cumsum(np.where(order < a.size, 1 / a.size, -1 / b.size))
    steps = np.diff(x)
    apart = np.abs(above)
    last = np.append(steps > 0, True)  # within a tie neither function is at its value yet
    return Distance(
        ks=float(min(apart[last].max(), 1.0)), wasserstein=float(np.dot(apart[:-1], steps))
    )


def ks_p(d: float, n: int, m: int) -> float:
    """The chance of a distance of at least ``d`` where both samples are of one population.

    Kolmogorov's limit; for ties it is too large, never too small.
    """
    from scipy.special import kolmogorov

    return float(kolmogorov(d * math.sqrt(n * m / (n + m))))


def ks_band(n: int, m: int, level: float) -> float:
    """How far, with probability ``level``, the estimated distance is from the true one at most.

    |D_hat - D| <= sup |(F_hat_a - F_a) - (F_hat_b - F_b)|, whose limit is largest where the two are
    the same: Kolmogorov's. Conservative, the more so the further apart they are.
    """
    from scipy.special import kolmogi

    return float(kolmogi(1 - level)) * math.sqrt(1 / n + 1 / m)


def edges_of(reference: Floats) -> Floats:
    """Inner edges of ten bins with equally many of the sorted ``reference``; each edge once.

    A value that takes up a bin or more has one of its own.
    """
    edges, times = np.unique(
        reference[np.arange(1, BINS) * reference.size // BINS], return_counts=True
    )
    return np.unique(np.concatenate([edges, np.nextafter(edges[times > 1], np.inf)]))


def binned(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """Rows of the sorted ``values`` in each bin; a value on an edge lies above it."""
    below = np.searchsorted(values, edges, side="left")
    return np.diff(np.concatenate([[0], below, [values.size]]))


def psi(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """The population stability index: sum of (q - p) ln(q / p) over bins with counts ``a``, ``b``.

    Half a row is put where one has none, as the sum is infinite otherwise. It is Jeffreys' (1946)
    divergence. Bins that both leave empty do not count.
    """
    some = (a + b) > 0
    p, q = (np.maximum(counts[some], FLOOR) for counts in (a, b))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """The Jensen-Shannon distance of two rows of counts, in [0, 1]: the root of it in bits."""
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2

    def against(one: Floats) -> float:
        some = one > 0
        return float((one[some] * np.log2(one[some] / middle[some])).sum())

    return math.sqrt(max(0.0, (against(p) + against(q)) / 2))


def cramer_v(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[float, float, int]:
    """χ² of two rows of counts over k categories, Cramér's V (1946), and the k - 1 degrees.

    V = sqrt(χ² / N), as the smaller side of the table is 2. Without Yates' correction.
    """
    some = (a + b) > 0
    table = np.stack([a[some], b[some]]).astype(np.float64)
    total = table.sum()
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / total
    chi2 = float(((table - expected) ** 2 / expected).sum())
    return chi2, math.sqrt(chi2 / total), int(some.sum()) - 1


def variation(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Total variation: the largest difference in share that any set of categories has."""
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)
