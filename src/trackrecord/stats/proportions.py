"""Intervals for a proportion, and for the difference of two on the same rows."""

from __future__ import annotations

import math


def normal_quantile(level: float) -> float:
    """The z with P(|Z| <= z) = level for a standard normal Z."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def t_quantile(level: float, df: float) -> float:
    """The t with P(|T| <= t) = level for Student's T with ``df`` degrees, not always whole."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))


def proportion(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) for ``successes`` of ``n``; (0, 1) where n is 0.

    The proportions p that a test at ``level`` would not reject: |share - p| <= z sqrt(p (1-p) / n).
    It stays within [0, 1] and is never a point.
    """
    if n <= 0:
        return 0.0, 1.0
    z = normal_quantile(level)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    lo = 0.0 if successes <= 0 else max(0.0, middle - half)
    hi = 1.0 if successes >= n else min(1.0, middle + half)
    return lo, hi


def exact_proportion(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Clopper & Pearson's interval (1934) for ``successes`` of ``n``; (0, 1) where n is 0.

    Each end is the proportion at which a result as far or farther has half the chance of missing:
    it holds at least as often as ``level`` says, whatever the proportion, and is wider for that.
    """
    from scipy.special import betaincinv

    if n <= 0:
        return 0.0, 1.0
    tail, failures = (1 - level) / 2, n - successes
    lo = 0.0 if successes <= 0 else float(betaincinv(successes, failures + 1, tail))
    hi = 1.0 if failures <= 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return lo, hi


def paired_error(differing: float, difference: float, n: int) -> float:
    """The standard error of a difference of two proportions on the same ``n`` rows.

    ``differing`` rows are right for one and wrong for the other; ``difference`` is the net number.
    Bonett & Price (2012): one more row that differs each way, so that no error is zero.
    """
    m = n + 2
    return math.sqrt((differing + 2 - difference * difference / m) / (m * m))
