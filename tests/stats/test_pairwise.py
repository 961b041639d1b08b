"""How far groups are apart: bounds of pairs from the groups' own intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import studentized_range
from statsmodels.stats.proportion import confint_proportions_2indep

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.pairwise import (
    correlations,
    difference_between,
    pairwise_level,
    ratio_between,
)
from trackrecord.stats.proportions import normal_quantile, proportion


def share(right: int, n: int) -> Estimate:
    lo, hi = proportion(right, n, 0.95)
    return estimate(right / n, lo, hi)


def estimate(value: float, lo: float, hi: float) -> Estimate:
    return Estimate(
        metric="m", value=value, lo=lo, hi=hi, level=0.95, se=1.0, n=9, clusters=None, method="m"
    )


def test_two_shares_have_newcombes_published_interval() -> None:
    """56 of 70 against 48 of 80: 0.0524 to 0.3339 by method 10 (Newcombe 1998, table II)."""
    found = difference_between(share(56, 70), share(48, 80))
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found == pytest.approx(
        confint_proportions_2indep(56, 70, 48, 80, method="newcomb"), rel=1e-12
    )


def test_a_normal_pair_has_the_normal_interval() -> None:
    a, b, r = estimate(5, 3, 7), estimate(2, 1, 3), 0.4
    half = (4 + 1 - 2 * r * 2 * 1) ** 0.5
    assert difference_between(a, b, r) == pytest.approx((3 - half, 3 + half))


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.3])
def test_a_ratio_s_bounds_are_where_a_difference_s_bound_is_zero(correlation: float) -> None:
    a, b = estimate(0.8, 0.7, 0.85), estimate(0.6, 0.5, 0.75)

    def scaled(r: float) -> Estimate:
        return estimate(r * b.value, r * b.lo, r * b.hi)

    found = ratio_between(a, b, correlation)
    assert found is not None
    for place, bracket in ((0, (0.5, 1.3)), (1, (1.34, 3.0))):

        def bound(r: float, place: int = place) -> float:
            return difference_between(a, scaled(r), correlation)[place]

        assert found[place] == pytest.approx(brentq(bound, *bracket), rel=1e-9)


def test_a_ratio_to_what_may_be_zero_has_no_bounds() -> None:
    assert ratio_between(share(5, 10), share(0, 10)) is None
    assert ratio_between(estimate(1, 0.5, 2), estimate(0.1, -0.1, 0.3)) is None


@pytest.mark.parametrize("groups", [2, 3, 8, 20])
def test_equal_independent_groups_have_tukeys_level(groups: int) -> None:
    """The greatest of all pairs of k means is the studentized range."""
    rng = np.random.default_rng(1)
    table = np.zeros((400 * groups, groups))
    for k in range(groups):
        noise = rng.normal(size=400)
        table[400 * k : 400 * (k + 1), k] = noise / np.sqrt(noise @ noise)
    each = pairwise_level(table, 0.95)
    tukey = studentized_range.ppf(0.95, groups, np.inf) / 2**0.5
    assert normal_quantile(each) == pytest.approx(tukey, rel=0.02)


def test_groups_that_go_together_are_no_trial_of_chance() -> None:
    same = np.random.default_rng(2).normal(size=(500, 1)) @ np.ones((1, 6))
    assert pairwise_level(same, 0.95) == 0.95


def test_correlations_are_those_of_the_columns() -> None:
    table = np.random.default_rng(3).normal(size=(5000, 3))
    table[:, 1] += table[:, 0]
    table -= table.mean(axis=0)
    np.testing.assert_allclose(correlations(table), np.corrcoef(table.T), atol=1e-12)
