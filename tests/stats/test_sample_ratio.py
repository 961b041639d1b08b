"""A split that is not the one asked for is found, and chance alone is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trackrecord.errors import BadInput
from trackrecord.stats.sample_ratio import ratio_evidence


def test_the_bet_is_that_of_a_dirichlet_multinomial() -> None:
    counts, shares = [40, 60], [0.5, 0.5]
    likely = stats.dirichlet_multinomial.pmf(counts, [50.0, 50.0], 100)
    plain = stats.multinomial.pmf(counts, 100, shares)
    assert ratio_evidence(counts, shares) == pytest.approx(likely / plain)


def test_looking_after_every_unit_seldom_finds_what_is_not_there() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        arms = np.cumsum(rng.random(600) < 0.1)
        looks = [ratio_evidence([n - int(a), int(a)], [0.9, 0.1]) for n, a in enumerate(arms, 1)]
        found += max(looks) >= 20
    assert found / 300 <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_a_lost_twentieth_of_an_arm_is_found() -> None:
    assert ratio_evidence([50_000, 47_500], [0.5, 0.5]) > 20
    assert ratio_evidence([50_000, 49_900], [0.5, 0.5]) < 1


def test_no_counts_say_nothing_and_wrong_ones_are_refused() -> None:
    assert ratio_evidence([0, 0], [0.5, 0.5]) == pytest.approx(1.0)
    for counts, shares in (([1], [1.0]), ([1, 2], [1.0, 0.0]), ([-1, 2], [0.5, 0.5])):
        with pytest.raises(BadInput):
            ratio_evidence(counts, shares)
