"""Errors in time: against statsmodels, the published critical values, and simple series."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from trackrecord.errors import BadInput
from trackrecord.stats.dependence import (
    TimeError,
    automatic_lag,
    block_error,
    hac_error,
    newey_west,
    period_sums,
)
from trackrecord.stats.estimate import Absence
from trackrecord.stats.forecasts import DieboldMariano, diebold_mariano
from trackrecord.stats.proportions import t_quantile


def series(periods: int, rho: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(periods)
    for t in range(1, periods):
        noise[t] += rho * noise[t - 1]
    return noise


@pytest.mark.parametrize("lag", [0, 1, 7, 40])
def test_the_variance_is_that_of_statsmodels(lag: int) -> None:
    x = series(200, 0.6)
    theirs = sm.OLS(x, np.ones(200)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
    )
    assert newey_west(x / 200, lag) ** 0.5 == pytest.approx(theirs.bse[0], rel=1e-12)


@pytest.mark.parametrize("b", [0.02, 0.05, 0.1, 0.2, 0.25])
@pytest.mark.parametrize(
    ("level", "polynomial"),
    [
        (0.90, (1.6449, 2.1859, 0.3142, -0.3427)),
        (0.95, (1.9600, 2.9694, 0.4160, -0.5324)),
    ],
)
def test_the_interval_is_that_of_kiefer_and_vogelsang(
    b: float, level: float, polynomial: tuple[float, ...]
) -> None:
    """Kiefer & Vogelsang 2005, table 1, Bartlett: critical values as a cubic in b."""
    x = series(1000, 0.3)
    found = hac_error(x / 1000, metric="m", lag=round(b * 1000) - 1)
    assert isinstance(found, TimeError)
    ours = t_quantile(level, found.degrees) * found.se
    theirs = (
        sum(a * b**i for i, a in enumerate(polynomial)) * newey_west(x / 1000, found.lag) ** 0.5
    )
    assert ours == pytest.approx(theirs, rel=0.03)


def test_more_dependence_takes_more_lags() -> None:
    lags = [automatic_lag(series(400, rho)) for rho in (0.0, 0.5, 0.9)]
    assert lags[0] == 25  # 1.3 sqrt(400) weights
    assert lags[0] <= lags[1] < lags[2] <= 99


def test_one_block_a_period_is_the_usual_error() -> None:
    x = series(60, 0.0)
    found = block_error(x / 60, 60, metric="m")
    assert isinstance(found, TimeError)
    assert (found.se, found.degrees) == pytest.approx((stats.sem(x), 59))


def test_blocks_are_batch_means() -> None:
    x = series(60, 0.5)
    found = block_error(x / 60, 6, metric="m")
    assert isinstance(found, TimeError)
    assert found.se == pytest.approx(stats.sem(x.reshape(6, 10).mean(axis=1)))


def test_periods_are_put_in_order_and_hold_their_rows() -> None:
    sums = period_sums([1.0, 2.0, 4.0, 8.0], [30, 10, 30, -5])
    np.testing.assert_allclose(sums, [8 / 4, 2 / 4, 5 / 4])


def test_periods_that_cannot_tell_are_absent() -> None:
    for found, said in (
        (hac_error([], metric="m"), "0 periods are too few"),
        (hac_error(series(19, 0), metric="m"), "19 periods are too few"),
        (hac_error(series(40, 1.0), metric="m"), "40 periods so dependent may be worth"),
        (hac_error([1.0], metric="m", lag=0), "a lag of 0 is too long for a series of 1"),
        (hac_error(series(20, 0), metric="m", lag=18), "a lag of 18 is too long"),
        (hac_error(np.ones(30), metric="m"), "nothing varies"),
        (block_error(np.ones(30), 5, metric="m"), "nothing varies"),
    ):
        assert isinstance(found, Absence), said
        assert said in found.reason


def test_lags_and_blocks_that_do_not_exist_are_refused() -> None:
    x = series(30, 0)
    for lag in (-1, 30):
        with pytest.raises(BadInput, match="a lag must be 0 to 29"):
            hac_error(x, metric="m", lag=lag)
    for blocks in (1, 31):
        with pytest.raises(BadInput, match="2 to 30"):
            block_error(x, blocks, metric="m")
    with pytest.raises(BadInput, match="whole numbers"):
        period_sums([1.0, 2.0], ["2013-01-01", "2013-01-02"])


def test_one_step_ahead_diebold_mariano_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.exponential(size=40), rng.exponential(1.3, size=40)
    found = diebold_mariano(a, b, horizon=1, metric="m", level=0.9)
    assert isinstance(found, DieboldMariano)
    theirs = stats.ttest_rel(a, b)
    assert (found.statistic, found.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)
    assert (found.lo, found.hi) == pytest.approx(tuple(theirs.confidence_interval(0.9)), rel=1e-12)


def test_further_ahead_it_is_the_formula_written_out() -> None:
    a, b, h = series(50, 0.7) ** 2, series(50, 0.6, seed=2) ** 2, 4
    found = diebold_mariano(a, b, horizon=h, metric="m")
    assert isinstance(found, DieboldMariano)
    d, n = a - b, 50
    gamma = [
        sum((d[t] - d.mean()) * (d[t - k] - d.mean()) for t in range(k, n)) / n for k in range(h)
    ]
    dm = d.mean() / ((gamma[0] + 2 * sum(gamma[1:])) / n) ** 0.5
    corrected = dm * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    assert found.statistic == pytest.approx(corrected, rel=1e-10)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(corrected), 49), rel=1e-8)
    assert found.weights == "equal"


def test_a_variance_below_zero_takes_falling_weights_and_says_so() -> None:
    swings = np.tile([1.0, -1.0], 20) + np.random.default_rng(1).normal(0, 0.01, 40)
    found = diebold_mariano(swings, np.zeros(40), horizon=2, metric="m")
    assert isinstance(found, DieboldMariano)
    assert found.weights == "falling"
    assert found.se > 0


def test_forecasts_that_cannot_be_compared_are_absent_or_refused() -> None:
    x = series(10, 0)
    for a, b, h, said in (
        (x, x, 1, "the same in every period"),
        (x + 1, x, 1, "the same in every period"),
        (x, -x, 6, "too few for forecasts 6 ahead"),
        (x[:1], -x[:1], 1, "1 periods are too few"),
    ):
        found = diebold_mariano(a, b, horizon=h, metric="m")
        assert isinstance(found, Absence)
        assert said in found.reason
    with pytest.raises(BadInput, match="10 and 9"):
        diebold_mariano(x, x[:9], horizon=1, metric="m")
    with pytest.raises(BadInput, match="1 or more"):
        diebold_mariano(x, -x, horizon=0, metric="m")
