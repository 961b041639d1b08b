"""Rows that depend on those near them in time: wider intervals, for every metric in one way."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import expit

from trackrecord.errors import BadInput
from trackrecord.stats.dependence import TimeError, automatic_waves, cosine_error
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence


def days(periods: int, rows: int, rho: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Truth, score and day: some days are bad for everyone, and so are those that follow."""
    rng = np.random.default_rng(seed)
    effect = lfilter([1], [1, -rho], rng.normal(size=periods + 200))[200:]
    risk = rng.normal(size=(periods, rows))
    truth = rng.random(risk.shape) < expit(risk - 1 + 0.7 * effect[:, None])
    return truth.ravel().astype(np.int8), expit(risk - 1).ravel(), np.repeat(range(periods), rows)


def test_waves_are_cosine_sums() -> None:
    x = np.random.default_rng(1).normal(size=80)
    t = np.arange(80) + 0.5
    wave = [math.sqrt(2 / 80) * float(np.cos(math.pi * j * t / 80) @ x) for j in range(1, 6)]
    found = cosine_error(x / 80, metric="m", waves=5)
    assert isinstance(found, TimeError)
    assert found.se == pytest.approx(math.sqrt(np.mean(np.square(wave)) / 80), rel=1e-12)
    assert (found.degrees, found.periods) == (5, 80)


def test_the_more_dependent_a_series_the_fewer_its_waves() -> None:
    noise = np.random.default_rng(2).normal(size=1000)
    waves = [automatic_waves(lfilter([1], [1, -rho], noise)) for rho in (0.0, 0.5, 0.9, 0.99)]
    assert waves == sorted(waves, reverse=True)
    assert waves[0] > 10
    assert waves[-1] == 3


def test_noise_does_not_hide_dependence_that_lasts() -> None:
    rng = np.random.default_rng(3)
    slow = lfilter([1], [1, -0.98], rng.normal(size=2000))
    loud = slow + 4 * slow.std() * rng.normal(size=2000)
    assert np.corrcoef(loud[1:], loud[:-1])[0, 1] < 0.15
    assert automatic_waves(loud) < 0.7 * automatic_waves(rng.normal(size=2000))


@pytest.mark.parametrize(
    ("series", "words"),
    [(np.ones(30), "nothing varies"), (np.arange(19.0), "19 periods are too few")],
)
def test_what_shows_no_dependence_gives_no_error(series: np.ndarray, words: str) -> None:
    found = cosine_error(series, metric="m")
    assert isinstance(found, Absence)
    assert words in found.reason


def test_waves_must_be_fewer_than_periods() -> None:
    with pytest.raises(BadInput, match="30 waves of 30 periods"):
        cosine_error(np.arange(30.0), metric="m", waves=30)


@pytest.mark.parametrize(
    "metric", ["roc_auc", "log_loss", "accuracy", "recall", "bias", "precision"]
)
def test_days_that_resemble_each_other_widen_what_they_move(metric: str) -> None:
    truth, score, day = days(200, 30, 0.7)
    measured = measure(metric, truth, score)
    free, timed = estimate_of(metric, measured), estimate_of(metric, measured, period=day)
    assert isinstance(free, Estimate)
    assert isinstance(timed, Estimate)
    assert timed.value == free.value
    assert re.search(r"\d+ periods, t\(", timed.method)
    assert timed.clusters is None
    if metric in ("bias", "log_loss", "accuracy"):
        assert timed.se > 1.4 * free.se
    assert timed.lo <= timed.value <= timed.hi


def test_names_of_periods_do_not_matter_but_their_order_does() -> None:
    truth, score, day = days(200, 30, 0.9)
    measured = measure("log_loss", truth, score)
    one = estimate_of("log_loss", measured, period=day)
    assert estimate_of("log_loss", measured, period=1000 * day - 7) == one
    shuffled = np.random.default_rng(4).permutation(200)[day]
    other = estimate_of("log_loss", measured, period=shuffled)
    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert other.se < 0.7 * one.se


def test_clusters_that_return_are_counted_besides() -> None:
    truth, score, day = days(200, 30, 0.7)
    plane = np.tile(np.arange(30), 200)
    measured = measure("log_loss", truth, score)
    both = estimate_of("log_loss", measured, cluster=plane, period=day)
    each = [
        estimate_of("log_loss", measured, cluster=plane),
        estimate_of("log_loss", measured, period=day),
    ]
    assert isinstance(both, Estimate)
    assert both.se >= max(e.se for e in each if isinstance(e, Estimate))
    assert both.clusters == 30
    assert "30 clusters, 200 periods, t(" in both.method


def test_a_paired_difference_has_a_period_too() -> None:
    truth, score, day = days(100, 20, 0.7)
    other = np.clip(score + 0.1, 0, 1)
    a, b = measure("accuracy", truth, score), measure("accuracy", truth, other)
    gap = difference_of("accuracy", a, b, period=day)
    assert isinstance(gap, Estimate)
    assert isinstance(a, Influence)
    assert isinstance(b, Influence)
    assert gap.value == pytest.approx(a.value - b.value)
    assert "100 periods" in gap.method


def test_too_few_periods_are_said() -> None:
    truth, score, day = days(12, 30, 0.5)
    found = estimate_of("log_loss", measure("log_loss", truth, score), period=day)
    assert isinstance(found, Absence)
    assert "12 periods are too few" in found.reason
    assert found.n == 360
