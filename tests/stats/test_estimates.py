"""Where intervals are hard: perfect models, few rows, few clusters, nothing to learn from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure, proportion
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names


def estimated(metric: str, truth: object, score: object, **options: object) -> Estimate:
    found = estimate_of(metric, measure(metric, truth, score), **options)  # type: ignore[arg-type]
    assert isinstance(found, Estimate), found
    return found


def absent(metric: str, truth: object, score: object, **options: object) -> str:
    found = estimate_of(metric, measure(metric, truth, score), **options)  # type: ignore[arg-type]
    assert isinstance(found, Absence), found
    return found.reason


def separated(positives: int, negatives: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.repeat([1, 0], [positives, negatives])
    return truth, np.linspace(0.95, 0.05, truth.size)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_a_perfect_ranking_has_wilsons_bound_for_its_rarer_class(metric: str) -> None:
    truth, score = separated(20, 300)
    found = estimated(metric, truth, score)
    assert (found.value, found.hi) == (1.0, 1.0)
    assert found.lo == pytest.approx(proportion(20, 20)[0])
    assert found.se > 0
    assert found.method == "Wilson bound, 20 rows of the rarer class"


def test_a_ranking_all_the_wrong_way_round_has_the_mirrored_bound() -> None:
    truth, score = separated(20, 300)
    found = estimated("roc_auc", truth, 1 - score)
    assert (found.value, found.lo) == (0.0, 0.0)
    assert found.hi == pytest.approx(1 - proportion(20, 20)[0])


def test_a_perfect_ranking_in_clusters_counts_clusters() -> None:
    truth, score = separated(20, 300)
    cluster = np.arange(320) % 5
    found = estimated("roc_auc", truth, score, cluster=cluster)
    assert found.lo == pytest.approx(proportion(5, 5)[0])
    assert found.method == "Wilson bound, 5 effective clusters"


def test_two_perfect_rankings_may_still_differ() -> None:
    truth, score = separated(20, 300)
    other = np.where(truth == 1, 0.9, np.linspace(0.1, 0.2, 320))
    gap = difference_of(
        "roc_auc", measure("roc_auc", truth, score), measure("roc_auc", truth, other)
    )
    assert isinstance(gap, Estimate)
    assert gap.value == 0
    assert gap.lo == -gap.hi < 0


def test_the_same_ranking_on_another_scale_does_not_differ() -> None:
    rng = np.random.default_rng(1)
    truth, score = rng.integers(0, 2, 100), rng.random(100)
    for metric in ("roc_auc", "average_precision"):
        gap = difference_of(
            metric, measure(metric, truth, score), measure(metric, truth, np.exp(3 * score))
        )
        assert isinstance(gap, Estimate)
        assert (gap.value, gap.lo, gap.hi, gap.method) == (0, 0, 0, "the same ranking")


def test_a_constant_score_ranks_nothing_but_can_be_compared() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 200)
    score, base = rng.random(200) + 0.5 * truth, np.full(200, 0.5)
    flat = measure("roc_auc", truth, base)
    assert isinstance(flat, Influence)
    assert flat.value == 0.5
    assert "one half by definition" in absent("roc_auc", truth, base)
    assert "all scores are equal" in absent("gini", truth, base)
    own = estimated("roc_auc", truth, score)
    gap = difference_of("roc_auc", measure("roc_auc", truth, score), flat)
    assert isinstance(gap, Estimate)
    assert gap.value == pytest.approx(own.value - 0.5)
    assert gap.se == pytest.approx(own.se)


def test_a_loss_that_is_the_same_on_every_row_has_no_interval() -> None:
    truth = np.arange(40) % 2
    assert "every row counts the same" in absent("brier", truth, np.full(40, 0.5))
    assert "every row counts the same" in absent("log_loss", truth, truth)
    assert "every row counts the same" in absent("brier", truth, truth)


def test_all_right_in_clusters_is_bounded_by_clusters() -> None:
    truth = np.arange(60) % 2
    found = estimated("accuracy", truth, truth, cluster=np.arange(60) // 6)
    assert (found.value, found.hi) == (1.0, 1.0)
    assert found.lo == pytest.approx(proportion(10, 10)[0])


def test_accuracies_that_never_differ_still_might() -> None:
    truth = np.arange(60) % 2
    first, second = np.where(truth == 1, 0.9, 0.2), np.where(truth == 1, 0.8, 0.1)
    one, two = measure("accuracy", truth, first), measure("accuracy", truth, second)
    free = difference_of("accuracy", one, two)
    bound = difference_of("accuracy", one, two, cluster=np.arange(60) // 6)
    for gap in (free, bound):
        assert isinstance(gap, Estimate)
        assert gap.value == 0
        assert gap.lo == -gap.hi < 0
    assert isinstance(free, Estimate)
    assert isinstance(bound, Estimate)
    assert bound.hi > 2 * free.hi


def test_one_positive_row_shows_no_spread() -> None:
    truth = np.zeros(50)
    truth[7] = 1
    score = np.linspace(0.1, 0.9, 50)
    for metric in metric_names():
        if not get_metric(metric).share:
            assert "only one row is positive" in absent(metric, truth, score)
    assert estimated("accuracy", truth, score).n == 50


def test_a_class_within_one_cluster_has_no_interval() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat([1, 0], [10, 90])
    score = rng.random(100)
    cluster = np.repeat(np.arange(10), 10)
    assert "positive rows lie in clusters" in absent("roc_auc", truth, score, cluster=cluster)
    # a share of rows rests on all clusters
    assert estimated("accuracy", truth, score, cluster=cluster).clusters == 10


def test_one_giant_cluster_among_small_ones_is_counted_for_what_it_is_worth() -> None:
    rng = np.random.default_rng(4)
    truth, score = rng.integers(0, 2, 1000), rng.random(1000)
    cluster = np.r_[np.zeros(900, int), np.arange(1, 101)]
    assert "count as 1.2" in absent("brier", truth, score, cluster=cluster)


@pytest.mark.parametrize("metric", ["calibration_intercept", "calibration_slope"])
def test_certain_scores_have_no_log_odds(metric: str) -> None:
    rng = np.random.default_rng(5)
    truth, score = rng.integers(0, 2, 100), rng.random(100)
    score[[1, 2, 3]] = [0, 1, 1]
    assert absent(metric, truth, score).startswith("3 scores are exactly 0 or 1")
    score[[2, 3]] = 0.5
    assert absent(metric, truth, score).startswith("1 score is exactly 0 or 1")


def test_separated_classes_have_no_slope() -> None:
    truth, score = separated(20, 30)
    assert "infinite" in absent("calibration_slope", truth, score)
    assert "infinite" in absent("calibration_slope", truth, 1 - score)
    # nor where they touch in one score that both have
    touching = np.where(truth == 1, 0.7, 0.3)
    touching[[0, -1]] = 0.5
    assert "infinite" in absent("calibration_slope", truth, touching)
    assert estimated("calibration_intercept", truth, score).se > 0


def test_a_constant_score_has_no_slope() -> None:
    truth = np.arange(50) % 2
    assert "same score" in absent("calibration_slope", truth, np.full(50, 0.3))
    found = estimated("calibration_intercept", truth, np.full(50, 0.3))
    assert found.value == pytest.approx(math.log(0.7 / 0.3))


@pytest.mark.parametrize("tiny", [1e-12, 1e-200, 5e-324])
def test_calibration_of_extreme_scores_ends_in_a_number_or_a_reason(tiny: float) -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 300)
    score = np.where(rng.random(300) < 0.5, tiny, 0.5)
    for metric in ("calibration_intercept", "calibration_slope"):
        found = estimate_of(metric, measure(metric, truth, score))
        if isinstance(found, Estimate):
            assert found.lo < found.value < found.hi
            assert math.isfinite(found.se)
        else:
            assert found.reason


def test_a_slope_is_where_its_likelihood_is_flat() -> None:
    """Nearly constant scores: hard for Newton, and still the maximum."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 500)
    score = 0.3 + 1e-9 * rng.normal(size=500)
    found = measure("calibration_slope", truth, score)
    if isinstance(found, Influence):
        assert abs(found.influence.mean()) < 1e-6 * np.abs(found.influence).max()
    else:
        assert found.reason


def test_log_loss_of_a_certainty_that_proves_wrong_is_finite() -> None:
    found = measure("log_loss", [1, 0], [0.0, 0.5])
    assert isinstance(found, Influence)
    assert found.value == pytest.approx((-math.log(np.finfo(float).eps) + math.log(2)) / 2)


def test_a_score_of_one_half_is_called_negative() -> None:
    found = measure("accuracy", [0, 1], [0.5, 0.5])
    assert isinstance(found, Influence)
    assert found.influence.tolist() == [0.5, -0.5]


def test_few_positives_do_not_make_average_precision_look_sure() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros(1000)
    truth[:10] = 1
    found = estimated("average_precision", truth, rng.random(1000))
    assert found.se == pytest.approx(math.sqrt(found.value * (1 - found.value) / 10))
    assert found.method.startswith("floor on the influence error, logit scale, t(")


def test_a_nearly_perfect_ranking_does_not_look_surer_than_a_tenth_of_the_greatest_spread() -> None:
    truth, score = separated(50, 200)
    truth[[49, 50]] = [0, 1]
    found = estimated("roc_auc", truth, score)
    assert found.value == 1 - 1 / 10_000
    assert found.se == pytest.approx(math.sqrt(0.1 * found.value * (1 - found.value) / 50))


def test_small_influences_do_not_vanish() -> None:
    truth = np.arange(200) % 2
    score = 0.5 + 1e-7 * np.linspace(-1, 1, 200)
    assert estimated("bias", truth, score).se > 0
    assert estimated("brier", truth, score).se > 0


def test_an_absence_passes_through() -> None:
    missing = measure("roc_auc", [1, 1, 1], [0.1, 0.2, 0.3])
    there = measure("roc_auc", [1, 0, 1], [0.1, 0.2, 0.3])
    assert isinstance(missing, Absence)
    assert missing.n == 3
    assert estimate_of("roc_auc", missing) is missing
    assert difference_of("roc_auc", there, missing) is missing
    assert difference_of("roc_auc", missing, there) is missing


@pytest.mark.parametrize(
    ("truth", "score", "said"),
    [
        ([0, 1, 2], [0.1, 0.2, 0.3], "zeros and ones"),
        ([0, 1, np.nan], [0.1, 0.2, 0.3], "zeros and ones"),
        (["no", "yes"], [0.1, 0.2], "zeros and ones"),
        ([0, 1], [0.1, 0.2, 0.3], "one length"),
        ([[0, 1]], [[0.1, 0.2]], "one length"),
        ([0, 1], ["low", "high"], "numbers"),
        ([0, 1], 0.5, "one length"),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(truth: object, score: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        measure("brier", truth, score)  # type: ignore[arg-type]


def test_bad_clusters_levels_and_pairs_are_refused() -> None:
    rng = np.random.default_rng(9)
    truth, score = rng.integers(0, 2, 50), rng.random(50)
    found = measure("brier", truth, score)
    for cluster in (np.zeros(49, int), np.linspace(0, 1, 50), np.array(["a"] * 50)):
        with pytest.raises(BadInput, match="whole numbers"):
            estimate_of("brier", found, cluster=cluster)
    for level in (0, 1, 95):
        with pytest.raises(BadInput, match="level"):
            estimate_of("brier", found, level=level)
    other = measure("brier", 1 - truth, score)
    with pytest.raises(BadInput, match="same rows"):
        difference_of("brier", found, other)
    with pytest.raises(BadInput, match="same rows"):
        difference_of("brier", found, measure("brier", truth[:40], score[:40]))


def test_columns_come_as_lists_booleans_or_floats() -> None:
    expected = measure("brier", [0, 1, 1], [0.2, 0.7, 0.9])
    assert isinstance(expected, Influence)
    for truth in (np.array([False, True, True]), np.array([0.0, 1.0, 1.0])):
        found = measure("brier", truth, np.array([0.2, 0.7, 0.9]))
        assert isinstance(found, Influence)
        assert found.value == expected.value
