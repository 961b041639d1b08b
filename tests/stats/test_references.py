"""Values, errors and intervals against independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn import metrics as reference
from statsmodels.stats.proportion import proportion_confint

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure, proportion
from trackrecord.stats.influence import Influence

VALUES = {
    "roc_auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "log_loss": lambda truth, score: reference.log_loss(truth, score, labels=[0, 1]),
    "brier": lambda truth, score: reference.brier_score_loss(truth, score, labels=[0, 1]),
    "accuracy": lambda truth, score: reference.accuracy_score(truth, score > 0.5),
    "bias": lambda truth, score: math.fsum(score) / len(score) - math.fsum(truth) / len(truth),
}


def measured(metric: str, truth: np.ndarray, score: np.ndarray) -> Influence:
    found = measure(metric, truth, score)
    assert isinstance(found, Influence), found
    return found


def estimated(metric: str, truth: np.ndarray, score: np.ndarray, **options: object) -> Estimate:
    found = estimate_of(metric, measured(metric, truth, score), **options)  # type: ignore[arg-type]
    assert isinstance(found, Estimate), found
    return found


@st.composite
def rows(draw: st.DrawFn, ranked: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Both classes, from two rows up, balanced or one against all; often nothing but ties."""
    n = draw(st.integers(2, 80))
    if draw(st.booleans()):
        truth = np.zeros(n, dtype=np.int8)
        truth[draw(st.integers(0, n - 1))] = 1
        if draw(st.booleans()):
            truth = 1 - truth
    else:
        truth = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.int8)
    assume(0 < truth.sum() < n)
    few = st.sampled_from([0.0, 0.1, 0.5, 0.5000000000000001, 0.9, 1.0])
    some = st.floats(-1e300, 1e300) if ranked else st.floats(0, 1)
    one = draw(st.sampled_from([few, some, st.one_of(few, some)]))
    score = np.array(draw(st.lists(one, min_size=n, max_size=n)))
    return truth, score


@pytest.mark.parametrize("metric", sorted(VALUES))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_values_equal_scikit_learn(metric: str, data: st.DataObject) -> None:
    truth, score = data.draw(rows(ranked=metric in ("roc_auc", "average_precision")))
    expected = VALUES[metric](truth, score)
    assert measured(metric, truth, score).value == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("metric", sorted(VALUES))
@pytest.mark.parametrize("positives", [1, 7, 2_500, 4_999])
def test_values_equal_scikit_learn_under_extreme_imbalance(metric: str, positives: int) -> None:
    rng = np.random.default_rng(positives)
    truth = np.zeros(5_000, dtype=np.int8)
    truth[rng.choice(5_000, positives, replace=False)] = 1
    score = np.round(rng.random(5_000) * 0.9 + 0.1 * truth, 3)
    expected = VALUES[metric](truth, score)
    assert measured(metric, truth, score).value == pytest.approx(expected, rel=1e-12, abs=1e-12)


def calibrated(n: int = 600, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=n) * 1.5 - 1
    truth = (rng.random(n) < expit(0.3 + 0.7 * odds)).astype(np.int8)
    return truth, expit(odds)


@pytest.mark.parametrize("seed", range(5))
def test_calibration_equals_a_generalised_linear_model(seed: int) -> None:
    truth, score = calibrated(seed=seed)
    odds = logit(score)
    joint = sm.GLM(truth, sm.add_constant(odds), sm.families.Binomial()).fit(
        tol=1e-14, cov_type="HC0"
    )
    shift = sm.GLM(truth, np.ones(truth.size), sm.families.Binomial(), offset=odds).fit(
        tol=1e-14, cov_type="HC0"
    )
    for metric, value, error in (
        ("calibration_slope", joint.params[1], joint.bse[1]),
        ("calibration_intercept", shift.params[0], shift.bse[0]),
    ):
        found = measured(metric, truth, score)
        assert found.value == pytest.approx(value, rel=1e-8, abs=1e-8)
        sandwich = math.sqrt(float(found.influence @ found.influence)) / truth.size
        assert sandwich == pytest.approx(error, rel=1e-7)


def test_calibration_influences_summed_in_clusters_are_the_clustered_sandwich() -> None:
    truth, score = calibrated(seed=9)
    cluster = np.random.default_rng(9).integers(0, 37, truth.size)
    fitted = sm.GLM(truth, sm.add_constant(logit(score)), sm.families.Binomial()).fit(
        tol=1e-14,
        cov_type="cluster",
        cov_kwds={"groups": cluster, "use_correction": False},
    )
    found = measured("calibration_slope", truth, score)
    sums = np.bincount(cluster, weights=found.influence)
    assert math.sqrt(float(sums @ sums)) / truth.size == pytest.approx(fitted.bse[1], rel=1e-7)


def delong(truth: np.ndarray, scores: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Areas and covariance by DeLong, DeLong & Clarke-Pearson (1988), pair by pair."""

    def psi(above: float, below: float) -> float:
        return 1.0 if above > below else 0.5 if above == below else 0.0

    areas, v10, v01 = [], [], []
    for score in scores:
        high, low = score[truth == 1], score[truth == 0]
        kernel = np.array([[psi(x, y) for y in low] for x in high])
        areas.append(kernel.mean())
        v10.append(kernel.mean(axis=1))
        v01.append(kernel.mean(axis=0))
    m, n = len(v10[0]), len(v01[0])
    return np.array(areas), np.cov(np.array(v10)) / m + np.cov(np.array(v01)) / n


@pytest.mark.parametrize("ties", [None, 1])
def test_area_error_and_paired_error_are_delongs(ties: int | None) -> None:
    rng = np.random.default_rng(3)
    truth = (rng.random(90) < 0.3).astype(np.int8)
    first = rng.normal(size=90) + truth
    second = 0.6 * first + 0.7 * rng.normal(size=90)
    if ties is not None:
        first, second = np.round(first, ties), np.round(second, ties)
    areas, covariance = delong(truth, [first, second])
    one, two = measured("roc_auc", truth, first), measured("roc_auc", truth, second)
    assert [one.value, two.value] == pytest.approx(list(areas), rel=1e-14)
    assert estimated("roc_auc", truth, first).se == pytest.approx(
        math.sqrt(covariance[0, 0]), rel=1e-12
    )
    gap = difference_of("roc_auc", one, two)
    assert isinstance(gap, Estimate)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert gap.se == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_a_published_example_is_reproduced() -> None:
    """Hanley & McNeil (1982), table I: 58 normal and 51 abnormal images rated on five levels.

    Their area is 0.893; Stata's manual gives for it (``roctab``, DeLong's error) 0.8932, standard
    error 0.0307, 95 % interval 0.83295 to 0.95339 on the identity scale.
    """
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    score = np.repeat([1, 2, 3, 4, 5] * 2, normal + abnormal).astype(float)
    truth = np.repeat([0, 1], [58, 51])
    found = estimated("roc_auc", truth, score)
    assert round(found.value, 4) == 0.8932
    assert round(found.se, 4) == 0.0307
    assert round(found.value - 1.959964 * found.se, 5) == 0.83295
    assert round(found.value + 1.959964 * found.se, 5) == 0.95339


@pytest.mark.parametrize("metric", ["brier", "log_loss", "bias", "roc_auc", "average_precision"])
def test_clusters_alike_in_make_have_the_usual_correction(metric: str) -> None:
    """With equal numbers of each class in each cluster the error is G / (G - 1) times the plain."""
    rng = np.random.default_rng(5)
    groups, size = 30, 20
    cluster = np.repeat(np.arange(groups), size)
    truth = np.tile(np.repeat([0, 1], [12, 8]), groups)
    common = rng.normal(size=groups)[cluster]
    score = expit(truth + common + rng.normal(size=truth.size) - 1)
    found = measured(metric, truth, score)
    fitted = sm.OLS(found.influence + found.value, np.ones(truth.size)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": True}, use_t=True
    )
    n = truth.size
    # statsmodels' correction for one coefficient: G / (G - 1) (n - 1) / (n - 1)
    assert fitted.params[0] == pytest.approx(found.value, rel=1e-12)
    ours = estimated(metric, truth, score, cluster=cluster)
    assert ours.se == pytest.approx(fitted.bse[0], rel=1e-9)
    assert ours.method.endswith(f"{groups} clusters, t({groups - 1})")
    assert ours.n == n


def test_paired_difference_in_clusters_is_the_difference_of_losses() -> None:
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(25), 8)
    truth = np.tile([0, 0, 0, 0, 0, 1, 1, 1], 25)
    first = expit(truth + rng.normal(size=25)[cluster] + rng.normal(size=200))
    second = expit(truth + rng.normal(size=200))
    gap = difference_of(
        "brier",
        measured("brier", truth, first),
        measured("brier", truth, second),
        cluster=cluster,
    )
    assert isinstance(gap, Estimate)
    fitted = sm.OLS((first - truth) ** 2 - (second - truth) ** 2, np.ones(200)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": True}, use_t=True
    )
    low, high = fitted.conf_int()[0]
    assert (gap.value, gap.se) == pytest.approx((fitted.params[0], fitted.bse[0]), rel=1e-10)
    assert (gap.lo, gap.hi) == pytest.approx((low, high), rel=1e-9)


def test_uneven_clusters_have_the_bias_reduced_error_written_out() -> None:
    """CR2 for two class means: A_g = (I - H_gg)^(-1/2) on the design of class indicators."""
    rng = np.random.default_rng(8)
    cluster = rng.choice(12, size=150, p=np.arange(1, 13) / 78)
    truth = (rng.random(150) < 0.4).astype(np.int8)
    score = rng.normal(size=150) + truth + 0.5 * rng.normal(size=12)[cluster]
    found = measured("roc_auc", truth, score)
    design = np.column_stack([truth == 0, truth == 1]).astype(float)
    # a row's influence as the residual of its class's mean placement
    count = design.sum(axis=0)[truth.astype(int)]
    residual = found.influence * count / truth.size
    bread = np.linalg.inv(design.T @ design)
    meat = np.zeros((2, 2))
    for group in np.unique(cluster):
        mine = design[cluster == group]
        values, vectors = np.linalg.eigh(np.eye(len(mine)) - mine @ bread @ mine.T)
        adjust = vectors @ np.diag(values.clip(1e-12) ** -0.5) @ vectors.T
        part = mine.T @ adjust @ residual[cluster == group]
        meat += np.outer(part, part)
    variance = np.ones(2) @ bread @ meat @ bread @ np.ones(2)
    ours = estimated("roc_auc", truth, score, cluster=cluster)
    assert ours.se == pytest.approx(math.sqrt(variance), rel=1e-10)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (7, 900)])
def test_proportions_are_wilsons(successes: int, n: int, level: float) -> None:
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert proportion(successes, n, level) == pytest.approx((low, high), abs=1e-12)


def test_accuracy_of_independent_rows_has_wilsons_interval() -> None:
    truth, score = calibrated()
    right = int(((score > 0.5) == truth).sum())
    found = estimated("accuracy", truth, score)
    assert (found.lo, found.hi) == pytest.approx(
        proportion_confint(right, truth.size, method="wilson"), abs=1e-12
    )


def test_accuracies_differ_by_bonett_and_price() -> None:
    """Their interval (2012): p12, p21 with one more row each, of n + 2."""
    rng = np.random.default_rng(12)
    truth = (rng.random(70) < 0.5).astype(np.int8)
    first = np.clip(0.3 + 0.4 * truth + 0.3 * rng.normal(size=70), 0, 1)
    second = np.clip(0.3 + 0.3 * truth + 0.4 * rng.normal(size=70), 0, 1)
    gap = difference_of(
        "accuracy", measured("accuracy", truth, first), measured("accuracy", truth, second)
    )
    assert isinstance(gap, Estimate)
    right, also = (first > 0.5) == truth, (second > 0.5) == truth
    p12, p21 = ((right & ~also).sum() + 1) / 72, ((also & ~right).sum() + 1) / 72
    half = 1.959963984540054 * math.sqrt((p12 + p21 - (p12 - p21) ** 2) / 72)
    assert (gap.hi - gap.lo) / 2 == pytest.approx(half, rel=1e-12)


@settings(max_examples=150, deadline=None)
@given(data=rows(ranked=True))
def test_no_sample_makes_an_interval_that_is_a_point(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = data
    for metric in ("roc_auc", "average_precision"):
        found = estimate_of(metric, measure(metric, truth, score))
        if isinstance(found, Absence):
            assert found.reason
        else:
            assert 0 <= found.lo < found.hi <= 1
            assert found.lo <= found.value <= found.hi
            assert found.se > 0
