"""Detectors alarm soon after a change, and hardly ever without one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from trackrecord.errors import BadInput
from trackrecord.stats.detector import LARGEST, Detector, e_of_p, observe, p_beyond


def test_the_calibrator_is_fair() -> None:
    """Its expectation under a uniform p is one."""
    whole, _ = integrate.quad(e_of_p, 1e-12, 1, limit=500, points=[1e-9, 1e-6, 1e-3])
    # what lies below 1e-12: the integral of 1 / (p log² p)
    assert whole + 1 / math.log(1e12) == pytest.approx(1, abs=2e-3)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_p_is_a_larger_bet(one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert LARGEST >= e_of_p(small) >= e_of_p(large) - 1e-9 >= 0.499


def test_evidence_adds_up_the_bets_begun_at_every_window() -> None:
    state = Detector()
    bets = [0.5, 3.0, 2.0]
    for bet in bets:
        state = observe(state, [bet])
    assert state.evidence == pytest.approx(0.5 * 3 * 2 + 3 * 2 + 2)


def test_several_signals_are_one_bet() -> None:
    assert observe(Detector(), [1.0, 3.0]) == observe(Detector(), [2.0])


def test_an_alarm_begins_anew() -> None:
    state = observe(Detector(length=10), [50.0])
    assert (state.alarmed, state.alarms, state.evidence) == (True, 1, 0.0)
    assert not observe(state, [0.5]).alarmed


def test_a_window_without_signal_says_nothing() -> None:
    state = observe(observe(Detector(), [3.0]), [])
    assert (state.windows, state.evidence) == (2, 3.0)


def test_false_alarms_are_as_rare_as_they_are_said_to_be() -> None:
    """20,000 windows of ten signals whose p are uniform: at most one alarm in 100."""
    rng = np.random.default_rng(1)
    state = Detector(length=100)
    for row in rng.random((20_000, 10)):
        state = observe(state, [e_of_p(p) for p in row])
    assert state.alarms <= 200


def test_a_change_is_seen_soon() -> None:
    rng = np.random.default_rng(2)
    state = Detector()
    while not state.alarmed:
        state = observe(state, [e_of_p(float(stats.norm.sf(rng.normal(2))))])
    assert state.windows < 15


def test_chance_alone_is_no_distance() -> None:
    """p of two samples of one distribution is at least uniform, with and without a tolerance."""
    rng = np.random.default_rng(3)
    band = 1.358 * math.sqrt(2 / 400)
    for tolerance in (0.0, 0.02):
        p = []
        for _ in range(500):
            found = stats.ks_2samp(rng.random(400), rng.random(400), method="asymp")
            p.append(p_beyond(float(found.statistic), band, tolerance))
        for alpha in (0.01, 0.05, 0.2):
            assert np.mean(np.array(p) <= alpha) < alpha + 3 * math.sqrt(alpha / 500)


def test_what_is_no_p_and_no_bet_is_refused() -> None:
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(BadInput):
            e_of_p(p)
    for value in (-1.0, float("nan")):
        with pytest.raises(BadInput):
            observe(Detector(), [value])
    assert e_of_p(0.0) == LARGEST
    assert p_beyond(0.3, 0.0, 0.1) == 0.0
    assert p_beyond(0.05, 0.02, 0.1) == 1.0
