"""Prediction-powered means: limits known exactly, and the formula written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.api import OLS, add_constant

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.prediction_powered import Powered, powered_difference, powered_mean


def judged(n: int, many: int, noise: float, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n + many)
    judge = 0.4 + truth + rng.normal(0, noise, size=n + many)
    return truth[:n], judge[:n], judge[n:]


def powered(*columns: object, **options: object) -> Powered:
    found = powered_mean(*columns, metric="m", **options)  # type: ignore[arg-type]
    assert isinstance(found, Powered), found
    return found


def test_without_the_judge_it_is_the_usual_t_interval() -> None:
    labels, seen, other = judged(30, 500, 1.0)
    found = powered(labels, seen, other, power=0.0).estimate
    theirs = stats.t.interval(0.95, 29, labels.mean(), stats.sem(labels))
    assert (found.lo, found.hi) == pytest.approx(theirs, rel=1e-10)


def test_full_power_is_the_formula_of_2023() -> None:
    labels, seen, other = judged(60, 500, 1.0)
    found = powered(labels, seen, other, power=1.0).estimate
    assert found.value == pytest.approx(other.mean() + (labels - seen).mean())
    variance = other.var(ddof=1) / 500 + (labels - seen).var(ddof=1) / 60
    assert found.se == pytest.approx(math.sqrt(variance))


def test_the_chosen_power_is_the_one_of_least_variance() -> None:
    labels, seen, other = judged(200, 2000, 1.0)
    chosen = powered(labels, seen, other)
    others = [powered(labels, seen, other, power=p).estimate.se for p in np.linspace(0, 1, 101)]
    assert 0.3 < chosen.power < 0.7
    assert chosen.estimate.se <= min(others) * 1.02
    assert chosen.worth > 300


def test_with_endless_judgements_it_is_the_regression_estimate() -> None:
    """Value and slope of least squares, taken at the judge's mean over all rows (Cochran 1977)."""
    labels, seen, _ = judged(50, 1, 1.0)
    other = np.tile([-3.0, 4.0], 5_000_000)
    slope, constant = np.polyfit(seen, labels, 1)
    found = powered(labels, seen, other)
    assert found.estimate.value == pytest.approx(constant + slope * 0.5, rel=1e-4)
    leverage = OLS(labels, add_constant(seen)).fit().get_influence().hat_matrix_diag
    rest = (labels - constant - slope * seen) / (1 - leverage)
    assert found.estimate.se == pytest.approx(math.sqrt(rest @ rest / 49 / 50), rel=1e-3)


def test_a_judge_that_says_the_same_or_the_contrary_is_left_out() -> None:
    labels, seen, other = judged(60, 500, 1.0)
    for useless in (np.ones(60), -seen):
        found = powered(labels, useless, other)
        assert found.power == 0
        assert found.worth == pytest.approx(60)


def test_two_groups_are_compared_by_welch() -> None:
    a, b = judged(20, 300, 1.0), judged(30, 300, 1.0, seed=2)
    left, right = powered(*a, power=0.0), powered(*b, power=0.0)
    found = powered_difference(left, right, metric="m")
    assert isinstance(found, Estimate)
    theirs = stats.ttest_ind(a[0], b[0], equal_var=False).confidence_interval()
    assert (found.lo, found.hi) == pytest.approx(tuple(theirs), rel=1e-10)


def test_too_few_or_unvarying_labels_are_absent() -> None:
    for labels, seen, other, said in (
        ([], [], [1.0, 2.0], "0 labels"),
        (range(49), range(49), [1.0, 2.0], "49 labels"),
        (range(50), range(50), [1.0], "1 judged rows"),
        ([1.0] * 50, range(50), [1.0, 2.0], "all labels are the same"),
        (range(50), range(50), [1.0, 2.0], "the judge repeats every label"),
        (range(50), range(1, 101, 2), [1.0, 2.0], "the judge repeats every label"),
    ):
        found = powered_mean(labels, seen, other, metric="m")
        assert isinstance(found, Absence)
        assert said in found.reason


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(BadInput, match="2 and 1"):
        powered_mean([1.0, 2.0], [1.0], [1.0], metric="m")
    with pytest.raises(BadInput, match="power"):
        powered_mean([1.0], [1.0], [1.0], metric="m", power=1.5)
    with pytest.raises(BadInput, match="finite"):
        powered_mean([np.nan], [1.0], [1.0], metric="m")


def test_a_judge_that_errs_on_few_labels_is_known_by_few() -> None:
    truth = np.tile([0.0, 1.0, 0.0], 40)
    judge = truth.copy()
    judge[:3] = 1 - judge[:3]
    found = powered(truth, judge, np.tile([0.0, 1.0, 0.0], 500))
    assert found.degrees < 25
