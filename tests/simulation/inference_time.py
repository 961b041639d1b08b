"""Errors in time: coverage for autoregressive series, and the size of Diebold–Mariano."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter
from tests.simulation.inference_tables import Rate

from trackrecord.stats.dependence import TimeError, block_error, cosine_error, hac_error
from trackrecord.stats.forecasts import DieboldMariano, diebold_mariano
from trackrecord.stats.proportions import t_quantile

FULL = [
    *((0.0, t) for t in (30, 100, 365)),
    *((0.3, t) for t in (30, 100, 365)),
    *((0.6, t) for t in (30, 100, 365, 2000)),
    *((0.9, t) for t in (100, 365, 2000)),
]


def autoregressive(rho: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Series (samples, periods) with x[t] = rho x[t - 1] + noise, after 300 periods unseen."""
    noise = rng.standard_normal((shape[0], shape[1] + 300))
    return np.asarray(lfilter([1], [1, -rho], noise, axis=1)[:, 300:])


def rates(samples: int, seed: int, designs: list[tuple[float, int]] | None = None) -> list[Rate]:
    found = []
    for rho, periods in FULL if designs is None else designs:
        for noise in (0.0, 2.0):
            found.append(_held(rho, periods, noise, samples, seed))
    if designs is None:
        found += forecasts(4 * samples, seed)
    return found


def _held(rho: float, periods: int, noise: float, samples: int, seed: int) -> Rate:
    """How often the interval from waves holds the mean, beside three others.

    The series has variance 1; ``noise`` is the standard deviation of what is added to each period.
    """
    rng = np.random.default_rng(seed)
    series = autoregressive(rho, (4 * samples, periods), rng) * (1 - rho**2) ** 0.5
    series += noise * rng.standard_normal(series.shape)
    held = falling = blocks = plain = 0
    for x in series:
        sums, off = (x - x.mean()) / periods, abs(x.mean())
        plain += off <= t_quantile(0.95, periods - 1) * x.std(ddof=1) / periods**0.5
        waves, eight = cosine_error(sums, metric="m"), block_error(sums, 8, metric="m")
        lags = hac_error(sums, metric="m")
        assert isinstance(waves, TimeError)
        assert isinstance(eight, TimeError)
        held += off <= t_quantile(0.95, waves.degrees) * waves.se
        blocks += off <= t_quantile(0.95, eight.degrees) * eight.se
        if isinstance(lags, TimeError):
            falling += off <= t_quantile(0.95, lags.degrees) * lags.se
    tried = len(series)
    note = (
        f"8 blocks {100 * blocks / tried:.1f}; falling weights {100 * falling / tried:.1f}, "
        f"declined counted as missed; as if independent {100 * plain / tried:.1f}"
    )
    design = f"{periods:,} periods, autocorrelation {rho}"
    return Rate(design + (", noise" if noise else ""), "mean held", held, tried, "95", note)


def forecasts(tried: int, seed: int) -> list[Rate]:
    """Two forecasts as good as each other, with moving-average errors as optimal ones have."""
    found = []
    for periods, horizon in ((30, 1), (30, 4), (100, 4), (365, 7)):
        rng = np.random.default_rng(seed)
        wrong = falling = 0
        for _ in range(tried):
            noise = rng.standard_normal((2, periods + horizon - 1))
            errors = np.array(
                [np.convolve(row, 0.8 ** np.arange(horizon), "valid") for row in noise]
            )
            one = diebold_mariano(*errors**2, horizon=horizon, metric="m")
            assert isinstance(one, DieboldMariano)
            wrong += one.p <= 0.05
            falling += one.weights == "falling"
        note = f"falling weights {100 * falling / tried:.1f} %" if falling else ""
        design = f"{periods} periods, {horizon} ahead, Diebold–Mariano"
        found.append(Rate(design, "called different", wrong, tried, "5", note))
    return found
