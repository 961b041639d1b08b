"""Cross-validation's intervals: the formulas written out, and their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from trackrecord.errors import BadInput
from trackrecord.stats.crossvalidation import NestedLoss, corrected_resampled, nested_loss
from trackrecord.stats.estimate import Absence, Estimate


def test_the_corrected_t_is_the_paired_t_with_a_larger_variance() -> None:
    """Nadeau & Bengio 2003: 15 resamples of nine parts to train on and one to test."""
    gaps = np.random.default_rng(1).normal(0.01, 0.02, size=15)
    found = corrected_resampled(gaps, train_rows=900, test_rows=100, metric="m")
    assert isinstance(found, Estimate)
    assert found.se == pytest.approx(gaps.std(ddof=1) * math.sqrt(1 / 15 + 1 / 9))
    wider = math.sqrt((1 / 15 + 1 / 9) * 15)
    plain = stats.t.interval(0.95, 14, gaps.mean(), stats.sem(gaps))
    assert found.hi - found.value == pytest.approx(wider * (plain[1] - gaps.mean()))


def test_resamples_that_tell_nothing_are_absent_and_wrong_ones_refused() -> None:
    for scores in ([], [0.7], [0.7, 0.7, 0.7]):
        found = corrected_resampled(scores, train_rows=9, test_rows=1, metric="m")
        assert isinstance(found, Absence)
    with pytest.raises(BadInput, match="both need one"):
        corrected_resampled([0.1, 0.2], train_rows=9, test_rows=0, metric="m")
    with pytest.raises(BadInput, match="finite"):
        corrected_resampled([0.1, np.nan], train_rows=9, test_rows=1, metric="m")


def nested(**changed: object) -> NestedLoss | Absence:
    """Two repetitions of four folds, 100 rows, each row's loss with a standard deviation of 1."""
    given: dict[str, object] = {
        "inner": np.full((2, 4), 1.1),
        "outer": np.array([[1.3, 0.9, 1.3, 0.9], [1.3, 0.9, 1.3, 0.9]]),
        "outer_variance": np.full((2, 4), 0.02),
        "plain": 1.08,
        "row_error": 1.0,
        "rows": 100,
        "metric": "m",
    }
    given |= changed
    places = [given.pop(name) for name in ("inner", "outer", "outer_variance")]
    return nested_loss(*places, **given)  # type: ignore[arg-type]


def test_nested_cross_validation_by_hand() -> None:
    """mse = 0.2² − 0.02 = 0.02; se = √(3/4 · 0.02) = 0.1225, 1.22 times 0.1; bias 1.5 · 0.02."""
    found = nested()
    assert isinstance(found, NestedLoss)
    assert found.bias == pytest.approx(0.03)
    assert found.inflation == pytest.approx(math.sqrt(0.015) / 0.1)
    assert found.estimate.value == pytest.approx(1.07)
    assert found.estimate.hi == pytest.approx(1.07 + 1.959964 * math.sqrt(0.015), rel=1e-6)


def test_the_error_stays_between_independent_rows_and_as_many_as_one_fold() -> None:
    low = nested(outer_variance=np.full((2, 4), 0.05))
    high = nested(outer=np.array([[3.0, -1, 3, -1], [3.0, -1, 3, -1]]))
    assert isinstance(low, NestedLoss)
    assert isinstance(high, NestedLoss)
    assert (low.inflation, low.estimate.se) == pytest.approx((1.0, 0.1))
    assert (high.inflation, high.estimate.se) == pytest.approx((2.0, 0.2))


def test_a_loss_that_falls_as_one_over_rows_has_its_bias_taken_off() -> None:
    """Loss c + d / rows: models fitted to (K − 2) / K, then to (K − 1) / K of the rows."""
    c, d, n, k = 1.0, 30.0, 100, 5
    found = nested(
        inner=np.full((1, k), c + d / (n * (k - 2) / k)),
        outer=np.full((1, k), c + d / (n * (k - 1) / k)),
        outer_variance=np.zeros((1, k)),
        plain=c + d / (n * (k - 1) / k),
    )
    assert isinstance(found, NestedLoss)
    assert found.estimate.value == pytest.approx(c + d / n)


def test_nesting_takes_three_folds() -> None:
    two = np.ones((3, 2))
    found = nested(inner=two, outer=two, outer_variance=two)
    assert isinstance(found, Absence)
    assert found.reason == "nesting takes three folds or more"


@pytest.mark.parametrize(
    "wrong",
    [
        {"inner": np.ones((2, 3))},
        {"inner": np.ones(4)},
        {"outer_variance": np.full((2, 4), -1.0)},
        {"row_error": 0.0},
        {"rows": 0},
        {"plain": math.inf},
        {"level": 1.0},
    ],
    ids=str,
)
def test_losses_that_do_not_fit_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        nested(**wrong)
