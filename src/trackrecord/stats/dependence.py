"""Standard errors for rows in order of time, where neighbours resemble each other.

The error of a mean of n influences in time is the sum of all their autocovariances. Two roads lead
there. ``cosine_error`` reads it off the slowest waves of the series: the first ``waves`` cosine
transforms are nearly independent, each with that variance, so their mean square estimates it and
Student's t has exactly as many degrees (Müller 2004; equal-weighted cosines, Lazarus, Lewis, Stock
& Watson 2018). It is what estimates use, since it errs least where dependence is strong.

``hac_error`` adds the first ``lag`` autocovariances with falling weights (Newey & West 1987). Two
things make that too small, and are mended here: influences have their mean taken out, which shrinks
every autocovariance; and few independent stretches of time are seen. Both depend on b = (lag + 1) /
n alone (Kiefer & Vogelsang 2005): the variance is divided by 1 − b + b² / 3, its share that is left
on average, and Student's t has 3 / (2 b) degrees, the equivalent number for these weights (Lazarus
et al. 2018). Together they give Kiefer & Vogelsang's critical values within 3 %, up to b = 1 / 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import codes, finite
from trackrecord.stats.estimate import Absence

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEAST_PERIODS = 20
LEAST_WAVES = 3
LEAST_BLOCKS = 30
LEAST_STRETCHES = 4.0


class TimeError(msgspec.Struct, frozen=True, kw_only=True):
    """The standard error ``se`` of a value, with ``degrees`` of freedom for Student's t.

    ``periods`` were seen; ``lag`` counts the autocovariances added, None for blocks and waves.
    """

    se: float
    degrees: float
    periods: int
    lag: int | None


def period_sums(influence: ArrayLike, period: ArrayLike) -> Floats:
    """What each period adds to a value's error (T,), in the order of ``period`` (n,).

    Rows of one period may depend in any way (Driscoll & Kraay 1998). Periods without rows do not
    appear: neighbours are those that follow each other among the periods seen.
    """
    psi = finite(influence, "influences")
    seen, at = np.unique(codes(period, psi.size, "periods"), return_inverse=True)
    return np.bincount(at, weights=psi, minlength=seen.size) / max(psi.size, 1)


def cosine_error(sums: ArrayLike, *, metric: str, waves: int | None = None) -> TimeError | Absence:
    """The error of a value to which period t adds ``sums``[t], (T,) in order of time.

    ``waves`` None takes ``automatic_waves``, and declines fewer than LEAST_PERIODS. Absent under
    ``metric`` then, and where nothing varies. Raises BadInput for waves that are not 1, 2, … T − 1.
    """
    from scipy.fft import dct

    series = finite(sums, "period sums")
    periods = series.size
    if waves is None and periods < LEAST_PERIODS:
        reason = f"{periods} periods are too few to know their dependence: {LEAST_PERIODS} are not"
        return Absence(metric=metric, reason=reason, n=periods)
    chosen = automatic_waves(series) if waves is None else waves
    if not 1 <= chosen < periods:
        raise BadInput(f"{chosen} waves of {periods} periods: it takes 1 to {periods - 1}")
    # sqrt(2 / T) times the cosine sums have the long-run variance; dct gives twice the sums
    slow = dct(series - series.mean(), type=2)[1 : chosen + 1] / 2
    variance = 2 * float(slow @ slow) / chosen
    if variance <= 1e-26 * float(series @ series):
        return Absence(metric=metric, reason="nothing varies from period to period", n=periods)
    return TimeError(se=math.sqrt(variance), degrees=float(chosen), periods=periods, lag=None)


def automatic_waves(sums: ArrayLike) -> int:
    """How many waves are slow enough for a series (T,), 3 or more.

    0.41 T^(2/3) (Lazarus et al. 2018), or, of a series more dependent, 0.8 T over Andrews's
    bandwidth (1991, eq. 6.2 and 6.4), taken at an autocorrelation one standard error above the one
    seen. Noise from period to period hides dependence that lasts, so the bandwidth is the greatest
    of those of the series and of its sums over 2, 4, 8, … periods.
    """
    series = finite(sums, "period sums")
    periods, length, bandwidth = series.size, 1, 1.0
    while length == 1 or series.size >= LEAST_BLOCKS:
        bandwidth = max(bandwidth, length * _bandwidth(_likely(series), series.size))
        length *= 2
        series = series[: series.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    return int(max(LEAST_WAVES, min(0.41 * periods ** (2 / 3), 0.8 * periods / bandwidth)))


def hac_error(sums: ArrayLike, *, metric: str, lag: int | None = None) -> TimeError | Absence:
    """The error of a value to which period t adds ``sums``[t], (T,) in order of time.

    ``lag`` None takes ``automatic_lag``, and declines fewer than LEAST_PERIODS or periods worth
    fewer than LEAST_STRETCHES, which simulation shows to be too few. Absent under ``metric`` then,
    where a lag leaves fewer than two degrees of freedom, and where nothing varies. Raises BadInput
    for a lag that is not 0, 1, … T − 1.
    """
    series = finite(sums, "period sums")
    periods = series.size
    if lag is None and periods < LEAST_PERIODS:
        reason = f"{periods} periods are too few to know their dependence: {LEAST_PERIODS} are not"
        return Absence(metric=metric, reason=reason, n=periods)
    if lag is None and (worth := independent_stretches(series)) < LEAST_STRETCHES:
        reason = f"{periods} periods so dependent may be worth {worth:.2g} independent ones"
        return Absence(metric=metric, reason=reason, n=periods)
    chosen = automatic_lag(series) if lag is None else _checked(lag, periods)
    b = (chosen + 1) / periods
    degrees = min(periods - 1.0, 1.5 / b)
    if degrees < 2:
        reason = f"a lag of {chosen} is too long for a series of {periods}"
        return Absence(metric=metric, reason=reason, n=periods)
    variance = newey_west(series, chosen) / (1 - b + b * b / 3)
    if variance <= 1e-26 * float(series @ series):
        return Absence(metric=metric, reason="nothing varies from period to period", n=periods)
    return TimeError(se=math.sqrt(variance), degrees=degrees, periods=periods, lag=chosen)


def block_error(sums: ArrayLike, blocks: int, *, metric: str) -> TimeError | Absence:
    """The same from ``blocks`` stretches of equal length (batch means; Law & Carson 1979).

    Each stretch is one observation; Student's t has ``blocks`` − 1 degrees. The remainder of an
    uneven division lengthens the first stretches by one period. Absent where nothing varies.
    Raises BadInput unless there are 2 or more blocks, of a period or more.
    """
    series = finite(sums, "period sums")
    if not 2 <= blocks <= series.size:
        raise BadInput(f"{blocks} blocks of {series.size} periods: it takes 2 to {series.size}")
    parts = np.array_split(series - series.mean(), blocks)
    totals = np.array([part.sum() for part in parts])
    variance = float(totals @ totals) * blocks / (blocks - 1)
    if variance <= 1e-26 * float(series @ series):
        return Absence(metric=metric, reason="nothing varies from block to block", n=series.size)
    return TimeError(se=math.sqrt(variance), degrees=blocks - 1.0, periods=series.size, lag=None)


def newey_west(sums: ArrayLike, lag: int) -> float:
    """The variance of the sum of a series (T,): autocovariances with weights 1 − j / (lag + 1).

    Newey & West 1987, eq. 5; never negative; without any correction for a small T.
    """
    series = finite(sums, "period sums")
    _checked(lag, series.size)
    apart = series - series.mean()
    total = float(apart @ apart)
    for j in range(1, lag + 1):
        total += 2 * (1 - j / (lag + 1)) * float(apart[j:] @ apart[:-j])
    return max(total, 0.0)


def automatic_lag(sums: ArrayLike) -> int:
    """The lag for a series (T,) about as dependent as its first autocorrelation may be.

    The number of weights is the greater of 1.3 √T (Lazarus et al. 2018) and Andrews's (1991,
    eq. 6.2 and 6.4, an AR(1)), 1.1447 (4 ρ² T / (1 − ρ²)²)^(1/3), rounded up and at most T / 4.
    """
    series = finite(sums, "period sums")
    periods, rho = series.size, _likely(series)
    weights = math.ceil(max(1.3 * math.sqrt(periods), _bandwidth(rho, periods)))
    return int(max(0, min(weights, periods // 4) - 1))


def independent_stretches(sums: ArrayLike) -> float:
    """How many independent periods T dependent ones may be worth: T (1 − ρ) / (1 + ρ)."""
    series = finite(sums, "period sums")
    rho = _likely(series)
    return float(series.size * (1 - rho) / (1 + rho))


def _bandwidth(rho: float, periods: int) -> float:
    """Andrews's for falling weights and an AR(1) (1991, eq. 6.2 and 6.4)."""
    return float(1.1447 * (4 * rho * rho * periods / (1 - rho * rho) ** 2) ** (1 / 3))


def _likely(series: Floats) -> float:
    """The first autocorrelation ρ, its bias mended (Kendall 1954), and a standard error more: an
    autocorrelation taken as too small costs far more coverage than one too large costs width."""
    apart = series - series.mean()
    squares, periods = float(apart @ apart), series.size
    if squares == 0:
        return 0.0
    rho = float(apart[1:] @ apart[:-1]) / squares
    likely = rho + (1 + 4 * max(rho, 0.0)) / periods + 1 / math.sqrt(periods)
    return min(max(likely, -0.97), 0.97)


def _checked(lag: int, periods: int) -> int:
    if not 0 <= lag < periods:
        raise BadInput(f"a lag must be 0 to {periods - 1} for {periods} periods, not {lag}")
    return int(lag)
