"""Metrics of numbers: values as scikit-learn's and scipy's, and errors as they should be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri
from sklearn import metrics as reference

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names
from trackrecord.stats.proportions import proportion, t_quantile
from trackrecord.stats.samples import Predicted, Quantiles, Scaled
from trackrecord.stats.scales import interval_on
from trackrecord.stats.skewness import cautious
from trackrecord.stats.spread import spread_of

VALUES = {
    "mae": reference.mean_absolute_error,
    "mse": reference.mean_squared_error,
    "rmse": reference.root_mean_squared_error,
    "r2": reference.r2_score,
    "explained_variance": reference.explained_variance_score,
    "median_ae": reference.median_absolute_error,
    "mape": reference.mean_absolute_percentage_error,
    "quantile_loss": reference.mean_pinball_loss,
}
# numbers with ties, zeros left out: a percentage of 0 is not defined here
NUMBERS = st.integers(-40, 40).filter(bool).map(lambda x: x / 8) | st.floats(
    0.01, 1e6, allow_subnormal=False
)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 4)), min_size=3, max_size=40)


def found(name: str, truth: Any, score: Any, weight: Any = None) -> Influence:
    measured = measure(get_metric(name, "regression"), truth, score, weight)
    assert isinstance(measured, Influence), measured
    return measured


def reason(name: str, truth: Any, score: Any) -> str:
    measured = measure(get_metric(name, "regression"), truth, score)
    assert isinstance(measured, Absence)
    return measured.reason


def estimated(name: str, measured: Influence, **how: Any) -> Estimate:
    estimate = estimate_of(get_metric(name, "regression"), measured, **how)
    assert isinstance(estimate, Estimate), estimate
    return estimate


def sample(n: int = 300, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 2, n)
    return truth, truth + rng.normal(size=n)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_values_are_scikit_learns_with_ties_and_weights(
    rows: list[tuple[float, float, int]],
) -> None:
    truth, score, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(np.ptp(truth[weight > 0]) > 0 if (weight > 0).sum() > 2 else False)
    assume(np.ptp(truth) > 1e-3)
    for name, theirs in VALUES.items():
        plain, weighed = theirs(truth, score), theirs(truth, score, sample_weight=weight)
        rel = 1e-9 if name in ("r2", "explained_variance") else 1e-12
        assert found(name, truth, score).value == pytest.approx(plain, rel=rel, abs=1e-12)
        assert found(name, truth, score, weight).value == pytest.approx(weighed, rel=rel, abs=1e-12)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_correlations_are_scipys_with_ties(rows: list[tuple[float, float, int]]) -> None:
    truth, score, _ = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(np.ptp(truth) > 1e-3 and np.ptp(score) > 1e-3)
    rank, line = stats.spearmanr(truth, score)[0], stats.pearsonr(truth, score)[0]
    assert found("spearman", truth, score).value == pytest.approx(rank, rel=1e-12, abs=1e-12)
    assert found("pearson", truth, score).value == pytest.approx(line, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_correlations_of_tiny_and_huge_numbers_are_the_same(scale: float) -> None:
    truth, score = sample()
    for name in ("pearson", "spearman"):
        assert found(name, truth * scale, score).value == pytest.approx(
            found(name, truth, score).value
        )


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95])
def test_quantile_loss_is_scikit_learns_at_any_level(level: float) -> None:
    truth, score = sample()
    weight = np.random.default_rng(2).integers(0, 3, truth.size)
    theirs = reference.mean_pinball_loss(truth, score, alpha=level, sample_weight=weight)
    mine = found(f"quantile_loss@{level}", truth, score, weight)
    assert mine.value == pytest.approx(theirs, rel=1e-12)


def test_percentages_by_hand() -> None:
    truth, score = np.array([1.0, 2.0, 5.0, -4.0]), np.array([2.0, 2.0, 4.0, -1.0])
    assert found("wape", truth, score).value == pytest.approx(5 / 12)
    assert found("mape", truth, score).value == pytest.approx((1 + 0 + 0.2 + 0.75) / 4)
    assert found("smape", truth, score).value == pytest.approx((2 / 3 + 0 + 2 / 9 + 6 / 5) / 4)
    assert found("bias", truth, score).value == pytest.approx((1 + 0 - 1 + 3) / 4)


def test_a_truth_of_zero_has_no_percentage_but_a_share() -> None:
    truth, score = np.array([0.0, 1.0, 0.0, 3.0]), np.array([1.0, 1.0, 0.0, 2.0])
    said = reason("mape", truth, score)
    assert "0 in 2 of 4 rows" in said
    assert "wape" in said
    assert found("wape", truth, score).value == pytest.approx(2 / 4)
    assert found("smape", truth, score).value == pytest.approx((2 + 0 + 0 + 0.4) / 4)
    assert "every truth is 0" in reason("wape", np.zeros(3), np.ones(3))


def test_a_row_without_weight_does_not_spoil_a_percentage() -> None:
    weight = np.array([0.0, 1.0, 1.0])
    mine = found("mape", np.array([0.0, 2.0, 4.0]), np.array([5.0, 1.0, 4.0]), weight)
    assert mine.value == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["r2", "explained_variance", "pearson", "spearman"])
def test_equal_truths_have_nothing_to_explain(name: str) -> None:
    assert "the truth is the same on every row" in reason(name, np.full(60, 7.0), np.arange(60.0))


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_equal_predictions_correlate_with_nothing(name: str) -> None:
    assert "the prediction is the same" in reason(name, np.arange(60.0), np.full(60, 7.0))


def test_a_perfect_model_has_no_error_to_estimate() -> None:
    truth, _ = sample()
    for name in ("mae", "rmse", "r2"):
        absent = estimate_of(get_metric(name, "regression"), found(name, truth, truth.copy()))
        assert isinstance(absent, Absence)
        assert "every row counts the same" in absent.reason
    # of a ranking, the score test with the greatest variance there can be still has a bound
    ranked = estimated("spearman", found("spearman", truth, truth**3))
    assert (ranked.value, ranked.hi) == (1.0, 1.0)
    assert ranked.lo == pytest.approx(2 * proportion(300, 300)[0] - 1)


def test_the_mean_of_the_truths_explains_nothing() -> None:
    truth, _ = sample()
    constant = np.full(truth.size, truth.mean())
    assert found("r2", truth, constant).value == pytest.approx(0, abs=1e-12)
    worse = estimated("r2", found("r2", truth, constant + 5))
    assert worse.hi < 0


def test_r2_never_reaches_one_and_has_no_lower_end() -> None:
    low, high = interval_on("complement", 0.99, 0.05)
    assert low < 0.95 < 0.99 < high < 1
    assert 1 - high == pytest.approx(0.01 * math.exp(-5))
    with pytest.raises(ValueError, match="above 0"):
        interval_on("complement", 1.0, 0.1)


@pytest.mark.parametrize("name", metric_names("regression"))
@pytest.mark.parametrize("huge", [1e160, 1e308])
def test_errors_too_great_for_a_square_are_no_number(name: str, huge: float) -> None:
    truth, predicted = quantiles(200)
    series = np.arange(200) // 4
    for value in (huge, -huge):
        truth = truth.copy()
        truth[3] = value
        point = predicted.values[:, 2]
        model = Predicted(point, predicted, Scaled(point, np.ones(200), np.ones(200), series))
        measured = measure(get_metric(name, "regression"), truth, model)
        if isinstance(measured, Absence):
            assert "too" in measured.reason
        else:
            assert np.isfinite([measured.value, *measured.influence]).all()
            assert isinstance(estimate_of(get_metric(name, "regression"), measured), Estimate)


# the median


def test_the_medians_interval_is_that_between_two_order_statistics() -> None:
    """For 100 rows the exact interval is from the 40th to the 61st, at 96.5 % (binomial)."""
    truth, score = np.zeros(100), np.sort(np.random.default_rng(4).exponential(size=100))
    mine = estimated("median_ae", found("median_ae", truth, score))
    t = t_quantile(0.95, 99)
    half = mine.se * t
    assert (score[60] - score[39]) / 2 == pytest.approx(half, rel=0.12)
    assert score[37] < mine.lo < score[42]
    assert score[57] < mine.hi < score[62]


def test_the_medians_error_is_that_of_many_samples() -> None:
    rng = np.random.default_rng(5)
    rows = rng.exponential(size=(400, 500))
    ones = [found("median_ae", np.zeros(500), row) for row in rows]
    errors = [math.sqrt(one.influence @ one.influence) / 500 for one in ones]
    assert np.mean(errors) == pytest.approx(np.std([one.value for one in ones]), rel=0.1)


def test_ties_do_not_make_a_median_sure() -> None:
    """Errors in whole units: the error reaches at least to the next unit on either side."""
    truth, score = np.zeros(301), np.repeat([1.0, 2.0, 3.0], [50, 201, 50])
    mine = estimated("median_ae", found("median_ae", truth, score))
    assert mine.value == 2
    assert mine.se == pytest.approx((3 - 1) / 2 / 1.96, rel=1e-3)
    same = estimate_of(
        get_metric("median_ae", "regression"), found("median_ae", truth, np.full(301, 2.0))
    )
    assert isinstance(same, Absence)


def test_half_the_weight_reached_exactly_is_the_mean_of_two() -> None:
    truth, score = np.zeros(3), np.array([1.0, 2.0, 10.0])
    assert found("median_ae", truth, score, [1, 1, 2]).value == 6
    assert found("median_ae", truth, score, [0.1, 0.2, 0.3]).value == 6
    assert found("median_ae", truth, score, [0.1, 0.2, 0.31]).value == 10


# quantiles


def quantiles(n: int = 400, seed: int = 3) -> tuple[np.ndarray, Quantiles]:
    rng = np.random.default_rng(seed)
    mean, spread = rng.normal(size=n), rng.uniform(0.5, 1.5, n)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    values = mean[:, None] + spread[:, None] * ndtri(levels)
    return mean + 1.2 * rng.normal(size=n), Quantiles(levels, values)


def test_coverage_is_a_share_with_wilsons_interval() -> None:
    truth, predicted = quantiles()
    inside = (truth >= predicted.values[:, 0]) & (truth <= predicted.values[:, 4])
    mine = estimated("coverage", found("coverage", truth, predicted))
    assert mine.value == inside.mean()
    assert (mine.lo, mine.hi) == proportion(int(inside.sum()), 400)
    half = found("coverage@0.5", truth, predicted)
    low, high = predicted.values[:, 1], predicted.values[:, 3]
    assert half.value == ((truth >= low) & (truth <= high)).mean()


def test_the_interval_score_is_a_sum_of_two_pinball_losses() -> None:
    """(2 / alpha) (pinball at alpha / 2 + pinball at 1 - alpha / 2), Bracher et al. 2021."""
    truth, predicted = quantiles()
    losses = [
        reference.mean_pinball_loss(truth, predicted.values[:, at], alpha=level)
        for at, level in ((0, 0.05), (4, 0.95))
    ]
    mine = found("interval_score", truth, predicted).value
    assert mine == pytest.approx(20 * sum(losses), rel=1e-12)
    assert found("width", truth, predicted).value == pytest.approx(
        (predicted.values[:, 4] - predicted.values[:, 0]).mean(), rel=1e-12
    )


def test_the_interval_score_by_hand() -> None:
    """A width of 2; a truth 0.5 below costs 20 times that, at 90 %."""
    predicted = Quantiles((0.05, 0.95), np.array([[0.0, 2.0], [0.0, 2.0]]))
    mine = found("interval_score", np.array([1.0, -0.5]), predicted).value
    assert mine == pytest.approx((2 + 2 + 10) / 2)


def test_a_missing_quantile_is_named() -> None:
    truth, predicted = quantiles()
    for name in ("coverage", "width", "interval_score"):
        said = reason(f"{name}@0.8", truth, predicted)
        assert "takes the quantiles 0.1 and 0.9" in said
        assert "0.1 and 0.9 are not among 0.05, 0.25, 0.5, 0.75, 0.95" in said
    some = Quantiles((0.05, 0.5), predicted.values[:, [0, 2]])
    assert "0.95 is not among" in reason("coverage", truth, some)
    assert "only one number is predicted" in reason("coverage", truth, predicted.values[:, 2])


def test_the_mean_pinball_loss_is_that_of_each_level() -> None:
    truth, predicted = quantiles()
    losses = [
        reference.mean_pinball_loss(truth, predicted.values[:, at], alpha=level)
        for at, level in enumerate(predicted.levels)
    ]
    assert found("mean_pinball", truth, predicted).value == pytest.approx(np.mean(losses))
    part = [0.15, 0.225, 0.25, 0.225, 0.15]
    assert found("crps", truth, predicted).value == pytest.approx(2 * np.dot(part, losses))


def test_crps_of_many_levels_nears_that_of_the_whole_distribution() -> None:
    """Of a standard normal forecast: y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi) (Gneiting &
    Raftery 2007, eq. 21)."""
    truth = np.random.default_rng(6).normal(size=50)
    exact = truth * (2 * ndtr(truth) - 1) + 2 * stats.norm.pdf(truth) - 1 / math.sqrt(math.pi)
    apart = []
    for many in (9, 99, 999):
        levels = (np.arange(many) + 0.5) / many
        predicted = Quantiles(tuple(levels), np.tile(ndtri(levels), (50, 1)))
        apart.append(abs(found("crps", truth, predicted).value - exact.mean()))
        # levels in the middle of equal parts weigh alike
        twice = 2 * found("mean_pinball", truth, predicted).value
        assert found("crps", truth, predicted).value == pytest.approx(twice)
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 1e-4


def test_two_quantiles_are_no_distribution() -> None:
    truth, predicted = quantiles()
    two = Quantiles((0.25, 0.75), predicted.values[:, [1, 3]])
    assert "2 quantiles say too little" in reason("crps", truth, two)


def test_calibrated_quantiles_have_little_calibration_error() -> None:
    rng = np.random.default_rng(7)
    levels = (0.1, 0.5, 0.9)
    right = Quantiles(levels, np.tile(ndtri(levels), (5_000, 1)))
    truth = rng.normal(size=5_000)
    off = Quantiles(levels, right.values + 0.5)
    good, bad = (estimated("quantile_ece", found("quantile_ece", truth, q)) for q in (right, off))
    assert good.lo == 0
    assert good.value < 0.02
    exact = math.sqrt(np.mean((ndtr(ndtri(levels) + 0.5) - np.array(levels)) ** 2))
    assert bad.lo < exact < bad.hi
    absent = estimate_of(
        get_metric("quantile_ece", "regression"),
        found("quantile_ece", truth, right),
        cluster=np.arange(5_000) // 50,
    )
    assert isinstance(absent, Absence)
    assert "has no interval in clusters" in absent.reason


def test_quantiles_alone_have_a_point_where_there_is_a_median() -> None:
    truth, predicted = quantiles()
    with_median = found("mae", truth, Predicted(None, predicted, None))
    assert with_median.value == found("mae", truth, predicted.values[:, 2]).value
    without = Quantiles((0.25, 0.75), predicted.values[:, [1, 3]])
    assert "no median" in reason("mae", truth, without)


# errors


def test_losses_that_a_few_rows_carry_have_few_degrees() -> None:
    rng = np.random.default_rng(8)
    light, heavy = rng.normal(size=400), rng.standard_t(2, size=400)
    few, many = (
        estimated("mse", found("mse", np.zeros(400), error), level=0.95) for error in (heavy, light)
    )

    def degrees(one: Estimate) -> float:
        return float(one.method.split("t(")[1].rstrip(")"))

    assert degrees(few) < 8 < 12 < degrees(many)


def test_too_few_rows_for_a_skewed_loss_are_counted() -> None:
    truth, score = sample(30)
    absent = estimate_of(get_metric("rmse", "regression"), found("rmse", truth, score))
    assert isinstance(absent, Absence)
    assert absent.reason == "the rows count as 30 independent ones; an interval takes 50"
    assert isinstance(estimated("mae", found("mae", truth, score)), Estimate)


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "wape", "pearson", "spearman", "crps"])
def test_the_paired_error_is_that_of_the_difference_over_many_samples(name: str) -> None:
    rng, gaps, errors = np.random.default_rng(9), [], []
    metric = get_metric(name, "regression")
    levels = (0.1, 0.5, 0.9)
    for _ in range(300):
        truth = rng.normal(5, 1, 200)
        models = []
        for noise in (0.7, 1.0):
            point = truth + noise * rng.normal(size=200)
            models.append(
                Predicted(point, Quantiles(levels, point[:, None] + noise * ndtri(levels)))
            )
        first, second = (measure(metric, truth, model) for model in models)
        gap = difference_of(metric, first, second)
        assert isinstance(gap, Estimate)
        gaps.append(gap.value)
        errors.append(gap.se)
    assert np.mean(errors) == pytest.approx(np.std(gaps), rel=0.15)


def test_in_clusters_the_degrees_are_those_of_the_clusters_sums() -> None:
    """Of 40 sums, of which one carries nearly all: about one degree; of equal ones, all of them."""
    code = np.repeat(np.arange(40), 5)
    for loud, degrees in ((1.0, 39.0), (300.0, 1.0)):
        influence = np.where(code == 7, loud, 1.0) * np.where(code % 2, 1.0, -1.0)
        spread = spread_of(influence, np.zeros(200, dtype=np.int8), code)
        assert cautious(spread, influence, code, 3.0).degrees == pytest.approx(degrees)


def test_caution_only_ever_takes_degrees_away() -> None:
    rng = np.random.default_rng(10)
    for errors in (rng.normal(size=200), rng.standard_t(3, size=200), np.ones(200)):
        influence = errors**2 - np.mean(errors**2)
        spread = spread_of(influence, np.zeros(200, dtype=np.int8), None)
        by_skew = [cautious(spread, influence, None, skew).degrees for skew in (1.0, 2.0, 4.0)]
        assert spread.degrees >= by_skew[0] >= by_skew[1] >= by_skew[2] >= 1
