"""Confidence sequences: bounds by hand, portions, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import zeta

from trackrecord.errors import BadInput
from trackrecord.stats.betting import AIMS, GAMBLERS, Betting, betting, observe, start
from trackrecord.stats.sequential import (
    ZETA,
    S,
    difference_of,
    empirical_bernstein,
    mixture_bound,
    normal_mixture,
    stitched_bound,
)

COINS = (np.random.default_rng(1).random(3000) < 0.1).astype(float)


def test_the_mixture_bound_is_where_the_mixed_likelihood_ratio_is_one_over_alpha() -> None:
    """∫ exp(λ s − λ² v / 2) dN(0, 1/rho)(λ) = 1 / alpha, by quadrature."""
    v, level = 50.0, 0.95
    two_log = -2 * math.log(0.05)
    rho = 100 / (two_log + math.log1p(two_log))
    s = float(mixture_bound([v], 100.0, level)[0])
    bet = np.linspace(-6, 6, 200_001)
    density = np.sqrt(rho / (2 * np.pi)) * np.exp(-rho * bet**2 / 2)
    mixed = np.trapezoid(np.exp(bet * s - bet**2 * v / 2) * density, bet)
    assert mixed == pytest.approx(20, rel=1e-6)


def test_the_mixture_is_about_narrowest_where_it_was_asked_to_be() -> None:
    widths = [float(mixture_bound([1000.0], at, 0.95)[0]) for at in (100.0, 1000.0, 10_000.0)]
    assert widths[1] == min(widths)
    assert widths[1] / math.sqrt(1000) == pytest.approx(3.04, abs=0.02)


def test_the_stitched_bound_by_hand() -> None:
    """Howard et al. 2021, eq. 2: with scale 0, 1.7 sqrt(v (log log 2v + 0.72 log 5.2 / alpha))."""
    assert pytest.approx(zeta(S)) == ZETA
    v = np.array([1e7])
    short = 1.7 * np.sqrt(v * (np.log(np.log(2 * v)) + 0.72 * math.log(5.2 / 0.025)))
    assert stitched_bound(v, 0.025, 1.0) == pytest.approx(short, rel=0.01)


def test_rows_that_hardly_vary_are_known_better_than_their_bounds_say() -> None:
    learnt = empirical_bernstein(COINS * 0.1, low=0, high=1)
    assumed = normal_mixture(COINS * 0.1, sigma=0.5, best_at=3000)
    assert learnt.hi[-1] - learnt.lo[-1] < 0.4 * (assumed.hi[-1] - assumed.lo[-1])


def test_betting_is_narrower_than_stitching() -> None:
    bets, learnt = betting(COINS, low=0, high=1), empirical_bernstein(COINS, low=0, high=1)
    for i in (99, 999, 2999):
        assert bets.hi[i] - bets.lo[i] < 0.8 * (learnt.hi[i] - learnt.lo[i])
        assert bets.lo[i] < bets.mean[i] < bets.hi[i]


def test_betting_by_the_definition_on_a_few_rows() -> None:
    """Waudby-Smith & Ramdas 2024, theorem 3, for each row, possible mean and bet."""
    x, alpha = COINS[:60], 0.05
    m = np.sin(np.linspace(0, np.pi / 2, GAMBLERS)) ** 2
    up, down = np.ones((AIMS.size, GAMBLERS)), np.ones((AIMS.size, GAMBLERS))
    alive = np.ones(GAMBLERS, dtype=bool)
    variance, squares = 0.25, 0.25
    for t, row in enumerate(x, start=1):
        bet = np.sqrt(2 * math.log(2 * AIMS.size / alpha) / (variance * AIMS[:, None]))
        with np.errstate(divide="ignore"):
            up *= 1 + np.minimum(bet, 0.5 / m) * (row - m)
            down *= 1 - np.minimum(bet, 0.5 / (1 - m)) * (row - m)
        alive &= np.maximum(up.mean(axis=0), down.mean(axis=0)) / 2 < 1 / alpha
        mean = (0.5 + x[:t].sum()) / (t + 1)
        squares += (row - mean) ** 2
        variance = squares / (t + 1)
    state = observe(start(low=0, high=1), x)
    assert state.step.tolist() == np.flatnonzero(alive).tolist()


def test_portions_give_what_the_whole_gives() -> None:
    whole = observe(start(low=0, high=1), COINS)
    state = start(low=0, high=1)
    for part in np.array_split(COINS, [1, 2, 700, 700, 2999]):
        state = observe(state, part)
    assert isinstance(state, Betting)
    assert state.step.tolist() == whole.step.tolist()
    assert state.n == 3000
    path = betting(COINS, low=0, high=1)
    assert (path.lo[-1], path.hi[-1]) == whole.interval
    assert path.mean[-1] == pytest.approx(whole.mean)
    assert (np.diff(path.lo) >= 0).all()
    assert (np.diff(path.hi) <= 0).all()


def test_bounds_are_a_matter_of_units() -> None:
    gaps = COINS - COINS[::-1]
    here, there = betting(gaps, low=-1, high=1), betting(100 * gaps + 7, low=-93, high=107)
    np.testing.assert_allclose(there.lo, 100 * here.lo + 7, atol=1e-9)
    assert here.lo[-1] < gaps.mean() < here.hi[-1]


def test_before_any_row_all_is_possible() -> None:
    state = start(low=-1, high=3)
    assert state.interval == (-1, 3)
    assert math.isnan(state.mean)
    assert observe(state, []) == state
    assert betting([], low=0, high=1).lo.size == 0


def test_rows_of_changing_means_refute_every_single_one() -> None:
    moved = np.repeat([0.0, 1.0], 5000)
    assert observe(start(low=0, high=1), moved).interval is None
    path = betting(moved, low=0, high=1)
    assert path.lo[-1] <= path.hi[-1]
    # the running mean of changing means is what these cover
    steady = empirical_bernstein(moved, low=0, high=1)
    assert steady.lo[-1] < 0.5 < steady.hi[-1]


def test_two_streams_are_compared_at_half_the_error_each() -> None:
    a = betting(COINS, low=0, high=1, level=0.975)
    b = betting(1 - COINS, low=0, high=1, level=0.975)
    gap = difference_of(a, b)
    assert gap.level == pytest.approx(0.95)
    assert gap.hi[-1] == a.hi[-1] - b.lo[-1]
    with pytest.raises(BadInput, match="same level"):
        difference_of(a, betting(COINS, low=0, high=1))
    with pytest.raises(BadInput, match="3000 and 9"):
        difference_of(a, betting(COINS[:9], low=0, high=1, level=0.975))


def test_a_row_outside_its_bounds_is_named() -> None:
    for sequence in (empirical_bernstein, betting):
        with pytest.raises(BadInput, match=r"a row is 1\.5") as caught:
            sequence([0.5, 1.0, 1.5], low=0, high=1)
        assert caught.value.where == "row 2, counted from 0"
    with pytest.raises(BadInput, match="in order"):
        start(low=1, high=1)
    with pytest.raises(BadInput, match="finite"):
        observe(start(low=0, high=1), [np.nan])
    with pytest.raises(BadInput, match="sigma"):
        normal_mixture(COINS, sigma=0.0, best_at=10)
    with pytest.raises(BadInput, match="below zero"):
        mixture_bound([-1.0], 1.0, 0.95)
