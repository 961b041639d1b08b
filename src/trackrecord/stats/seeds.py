"""How much of a result's spread is the seed, and how much the sample.

A model trained S times with other seeds, each time measured on the same D samples (test rows, or
resampled splits), gives a table of losses. Its rows and columns are analysed as two crossed random
factors (Searle, Casella & McCulloch 1992, ch. 4): loss = mean + seed + sample + what is left. A
comparison that repeats only one of the two sources understates its error (Bouthillier et al. 2021).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from trackrecord.stats.arguments import finite, level_within
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.proportions import proportion, t_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A variance with its interval. ``variance`` may be below zero, as an unbiased one of a small
    variance is half the time; ``lo`` and ``hi`` are not."""

    variance: float
    lo: float
    hi: float


class SeedsAndSamples(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of all seeds and samples, whose error counts both, and the variances of ``seed``,
    ``sample`` and ``rest`` in one observation. ``level`` is that of each interval alone."""

    mean: Estimate
    seed: Component
    sample: Component
    rest: Component
    level: float


def seeds_and_samples(
    values: ArrayLike, *, metric: str, level: float = 0.95
) -> SeedsAndSamples | Absence:
    """The analysis of variance of ``values`` (S seeds, D samples).

    With mean squares ms_seed, ms_sample and ms_rest, the variances are (ms_seed − ms_rest) / D,
    (ms_sample − ms_rest) / S and ms_rest; their intervals after Ting et al. (1990). The mean's
    variance is (ms_seed + ms_sample − ms_rest) / (S D), not below its greatest part, with
    Satterthwaite's degrees (1946). Absent under ``metric`` with fewer than two seeds or samples, or
    where nothing varies.
    """
    table, level = finite(values, "values", dims=2), level_within(level)
    s, d = table.shape
    if s < 2 or d < 2:
        reason = f"{s} by {d} seeds and samples: it takes two of each to tell them apart"
        return Absence(metric=metric, reason=reason, n=d)
    mean = float(table.mean())
    by_seed, by_sample = table.mean(axis=1) - mean, table.mean(axis=0) - mean
    rest = table - by_seed[:, None] - by_sample - mean
    squares = float(((table - mean) ** 2).sum())
    if squares <= table.size * (1e-14 * float(abs(table).max())) ** 2:
        return Absence(metric=metric, reason="all seeds and samples gave the same", n=d)
    df = (s - 1, d - 1, (s - 1) * (d - 1))
    ms_seed = d * float(by_seed @ by_seed) / df[0]
    ms_sample = s * float(by_sample @ by_sample) / df[1]
    ms_rest = float((rest * rest).sum()) / df[2]
    total = max(ms_seed + ms_sample - ms_rest, ms_seed, ms_sample)
    degrees = total**2 / (ms_seed**2 / df[0] + ms_sample**2 / df[1])
    se = math.sqrt(total / (s * d))
    half = t_quantile(level, max(degrees, 1.0)) * se
    alpha = (1 - level) / 2
    return SeedsAndSamples(
        mean=Estimate(
            metric=metric,
            value=mean,
            lo=mean - half,
            hi=mean + half,
            level=level,
            se=se,
            n=d,
            clusters=None,
            method=f"{s} seeds crossed with {d} samples, t({degrees:.4g})",
        ),
        seed=_difference(ms_seed, df[0], ms_rest, df[2], d, alpha),
        sample=_difference(ms_sample, df[1], ms_rest, df[2], s, alpha),
        rest=Component(
            variance=ms_rest,
            lo=ms_rest / _upper_f(alpha, df[2], math.inf),
            hi=ms_rest / _upper_f(1 - alpha, df[2], math.inf),
        ),
        level=level,
    )


def chance_of_better(
    gains: ArrayLike, *, metric: str, level: float = 0.95
) -> tuple[float, float, float] | Absence:
    """The chance that a is better than b when both are trained and sampled anew, with lo and hi.

    ``gains`` (J,) are a's gains over b in J runs that vary all that varies, seeds and samples
    included; a tie counts half (Bouthillier et al. 2021, section 4). Wilson's interval. They call a
    better where ``lo`` is above 0.5 and ``hi`` at least 0.75. Absent without runs.
    """
    found, level = finite(gains, "gains"), level_within(level)
    if found.size == 0:
        return Absence(metric=metric, reason="there is no run", n=0)
    wins = float((found > 0).sum()) + 0.5 * float((found == 0).sum())
    return wins / found.size, *proportion(wins, found.size, level)


def _difference(
    above: float, df1: int, below: float, df2: int, times: int, alpha: float
) -> Component:
    """(above − below) / times, two mean squares, with the limits of Ting et al. (1990)."""
    inf = math.inf
    g1, h1 = 1 - 1 / _upper_f(alpha, df1, inf), 1 / _upper_f(1 - alpha, df1, inf) - 1
    g2, h2 = 1 - 1 / _upper_f(alpha, df2, inf), 1 / _upper_f(1 - alpha, df2, inf) - 1
    f_lo, f_hi = _upper_f(alpha, df1, df2), _upper_f(1 - alpha, df1, df2)
    g12 = ((f_lo - 1) ** 2 - (g1 * f_lo) ** 2 - h2**2) / f_lo
    h12 = ((1 - f_hi) ** 2 - (h1 * f_hi) ** 2 - g2**2) / f_hi
    down = (g1 * above) ** 2 + (h2 * below) ** 2 + g12 * above * below
    up = (h1 * above) ** 2 + (g2 * below) ** 2 + h12 * above * below
    gap = above - below
    return Component(
        variance=gap / times,
        lo=max(0.0, gap - math.sqrt(max(down, 0.0))) / times,
        hi=max(0.0, gap + math.sqrt(max(up, 0.0))) / times,
    )


def _upper_f(alpha: float, df1: float, df2: float) -> float:
    """The value that F with these degrees exceeds with probability ``alpha``."""
    from scipy.special import chdtri, fdtri

    if math.isinf(df2):
        return float(chdtri(df1, alpha)) / df1
    return float(fdtri(df1, df2, 1 - alpha))
