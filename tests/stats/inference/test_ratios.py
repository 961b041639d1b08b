"""Ratios: the log interval, Fieller's set, and where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence
from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.proportions import t_quantile
from trackrecord.stats.ratios import Ratio, ratio_of


def ratio(a: np.ndarray, b: np.ndarray, **options: object) -> Ratio:
    found = ratio_of(mean_of(a), mean_of(b), np.zeros(a.size, np.int8), metric="r", **options)  # type: ignore[arg-type]
    assert isinstance(found, Ratio), found
    return found


def absent(a: np.ndarray, b: np.ndarray, **options: object) -> str:
    found = ratio_of(mean_of(a), mean_of(b), np.zeros(a.size, np.int8), metric="r", **options)  # type: ignore[arg-type]
    assert isinstance(found, Absence), found
    return found.reason


def test_the_log_interval_is_the_delta_method_written_out() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.gamma(4, size=200), rng.gamma(5, size=200)
    found = ratio(a, b)
    cov = np.cov(a, b) / 200
    slope = np.array([1 / a.mean(), -1 / b.mean()])
    log_error = math.sqrt(slope @ cov @ slope)
    assert found.how == "log scale"
    assert found.se == pytest.approx(found.value * log_error, rel=1e-10)
    t = t_quantile(0.95, found.degrees)
    assert found.hi == pytest.approx(found.value * math.exp(t * log_error), rel=1e-10)
    assert found.lo * found.hi == pytest.approx(found.value**2)


def test_turned_upside_down_the_log_interval_turns_with_it() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.gamma(4, size=100), rng.gamma(5, size=100)
    there, back = ratio(a, b), ratio(b, a)
    assert (back.lo, back.hi) == pytest.approx((1 / there.hi, 1 / there.lo))


def test_fiellers_ends_are_the_ratios_that_are_just_not_rejected() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(-0.1, 1, size=80), rng.normal(1, 1.5, size=80)
    found = ratio(a, b)
    assert found.how == "Fieller"
    for end in (found.lo, found.hi):
        gap = a - end * b
        t = abs(gap.mean()) / (gap.std(ddof=1) / math.sqrt(80))
        assert t == pytest.approx(t_quantile(0.95, found.degrees), rel=1e-8)
    assert found.lo < found.value < found.hi


def test_a_divisor_that_may_be_zero_has_no_interval() -> None:
    rng = np.random.default_rng(4)
    reason = absent(rng.normal(1, 1, 50), rng.normal(0.05, 1, 50))
    assert reason == "the divisor does not differ from zero at level 0.95"


def test_a_thing_over_itself_is_one() -> None:
    x = np.random.default_rng(5).gamma(9, size=60)
    found = ratio(x, x)
    assert found.value == 1
    assert (found.lo, found.hi) == pytest.approx((1, 1), abs=1e-12)


def test_two_losses_below_zero_have_a_ratio_too() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.gamma(4, size=100), rng.gamma(5, size=100)
    up, down = ratio(a, b), ratio(-a, -b)
    assert (up.lo, up.hi, up.se) == pytest.approx((down.lo, down.hi, down.se))


def test_a_row_written_five_times_within_its_cluster_counts_once() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.gamma(4, size=60), rng.gamma(5, size=60)
    once = ratio(a, b)
    five = ratio(np.repeat(a, 5), np.repeat(b, 5), cluster=np.repeat(np.arange(60), 5))
    assert five.se == pytest.approx(once.se, rel=1e-10)
    assert five.clusters == 60


def test_what_shows_no_spread_is_absent_or_refused() -> None:
    x = np.random.default_rng(8).gamma(4, size=20)
    nothing = np.empty(0)
    zero = Influence(0.0, nothing)
    none = ratio_of(zero, zero, nothing.astype(np.int8), metric="r")
    assert isinstance(none, Absence)
    assert none.reason == "there is no row"
    assert absent(x, np.zeros(20)) == "the divisor is zero"
    assert "every row counts the same" in absent(np.ones(20), 2 * np.ones(20))
    assert "too few rows or clusters" in absent(x, x + 1, cluster=np.zeros(20, np.int64))
    with pytest.raises(BadInput, match="rows of a and rows of b"):
        ratio(x, x[:9])
    with pytest.raises(BadInput, match="level"):
        ratio(x, x, level=95)
