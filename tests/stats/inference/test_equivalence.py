"""Two one-sided tests: against statsmodels, at the margins, and the words they end in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from trackrecord.errors import BadInput
from trackrecord.stats.equivalence import equivalence, non_inferiority


def test_both_p_values_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=40)
    b = a + rng.normal(0.05, 0.4, size=40)
    gap = a - b
    found = equivalence(gap.mean(), gap.std(ddof=1) / math.sqrt(40), 39, low=-0.2, high=0.25)
    p, low, high = ttost_paired(a, b, -0.2, 0.25)
    assert found.p == pytest.approx(p, rel=1e-10)
    assert (found.p_low, found.p_high) == pytest.approx((low[1], high[1]), rel=1e-10)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "equivalent"), (0.9, "undecided"), (1.1, "undecided"), (2.0, "different")],
)
def test_the_conclusion_is_read_from_the_interval(value: float, said: str) -> None:
    found = equivalence(value, 0.2, math.inf, low=-1, high=1)
    assert found.conclusion == said
    assert found.hi - found.lo == pytest.approx(2 * 1.6448536269514722 * 0.2)


def test_it_says_equivalent_exactly_where_the_greater_p_is_below_alpha() -> None:
    for value in np.linspace(-1.2, 1.2, 97):
        found = equivalence(float(value), 0.3, 7.5, low=-1, high=1, alpha=0.1)
        assert (found.conclusion == "equivalent") == (found.p < 0.1)


def test_a_difference_known_exactly_needs_no_distribution() -> None:
    assert equivalence(0.0, 0.0, 5, low=-0.1, high=0.1).conclusion == "equivalent"
    assert equivalence(0.1, 0.0, 5, low=-0.1, high=0.1).conclusion == "different"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.3, "superior"), (0.0, "not inferior"), (-0.9, "undecided"), (-1.5, "inferior")],
)
def test_non_inferiority_has_four_ends(value: float, said: str) -> None:
    found = non_inferiority(value, 0.1, math.inf, margin=1.0, better="higher")
    assert found.conclusion == said
    mirrored = non_inferiority(-value, 0.1, math.inf, margin=1.0, better="lower")
    assert (mirrored.conclusion, mirrored.p, mirrored.lo) == (said, found.p, found.lo)


def test_non_inferiority_is_half_of_equivalence() -> None:
    half = non_inferiority(-0.1, 0.2, 12, margin=0.5, better="higher")
    assert half.p == equivalence(-0.1, 0.2, 12, low=-0.5, high=9).p_low


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": math.nan},
        {"se": -1.0},
        {"se": math.inf},
        {"degrees": 0.0},
        {"degrees": math.nan},
        {"low": 1.0},
        {"alpha": 0.5},
        {"high": math.inf},
    ],
    ids=str,
)
def test_what_cannot_be_tested_is_refused(wrong: dict[str, float]) -> None:
    right = {"value": 0.0, "se": 1.0, "degrees": 5.0, "low": -1.0, "high": 1.0, "alpha": 0.05}
    chosen = right | wrong
    with pytest.raises(BadInput):
        equivalence(chosen.pop("value"), chosen.pop("se"), chosen.pop("degrees"), **chosen)


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan])
def test_a_margin_is_a_distance(margin: float) -> None:
    with pytest.raises(BadInput, match="the margin"):
        non_inferiority(0.0, 1.0, 5, margin=margin, better="higher")


def test_a_direction_is_named() -> None:
    with pytest.raises(BadInput, match="'higher' or 'lower'"):
        non_inferiority(0.0, 1.0, 5, margin=1.0, better="up")  # type: ignore[arg-type]
