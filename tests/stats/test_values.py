"""Values against scikit-learn, scipy, or the formula written out in loops."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn import metrics as reference
from tests.stats.test_references import rows

from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import difference_of, estimate, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def called(function: Callable[..., float], threshold: float, **options: object) -> object:
    return lambda y, s, w: function(y, s > threshold, sample_weight=w, **options)


def turned(function: Callable[..., float], threshold: float) -> object:
    return lambda y, s, w: function(1 - y, s <= threshold, sample_weight=w)


def top(y: np.ndarray, s: np.ndarray, w: np.ndarray, share: Fraction) -> tuple[float, float]:
    """Weight taken and positives taken, score by score from the best."""
    left, hits = share * sum(map(Fraction, w)), Fraction(0)
    whole = left
    for value in sorted(set(s), reverse=True):
        mine = sum((Fraction(x) for x in w[s == value]), Fraction(0))
        part = min(Fraction(1), left / mine)
        hits += part * sum((Fraction(x) for x in w[(s == value) & (y == 1)]), Fraction(0))
        left -= part * mine
        if left <= 0:
            break
    return float(whole), float(hits)


def parts(y: np.ndarray, s: np.ndarray, w: np.ndarray, bins: int) -> tuple[float, float, float]:
    reliability = resolution = noise = 0.0
    base = float(np.average(y, weights=w))
    for k in range(bins):
        mine = np.minimum(np.floor(s * bins), bins - 1) == k
        if mine.any():
            share = w[mine].sum() / w.sum()
            rate, said = (float(np.average(c[mine], weights=w[mine])) for c in (y, s))
            reliability += share * (said - rate) ** 2
            resolution += share * (rate - base) ** 2
            if mine.sum() > 1:
                noise += share * rate * (1 - rate) / (mine.sum() - 1)
    return reliability, resolution, noise


def benefit(y: np.ndarray, s: np.ndarray, w: np.ndarray, p: float) -> float:
    (_, fp), (_, tp) = reference.confusion_matrix(y, s > p, sample_weight=w, labels=[0, 1])
    return float((tp - fp * p / (1 - p)) / w.sum())


def cost(y: np.ndarray, s: np.ndarray, w: np.ndarray) -> float:
    (_, fp), (fn, _) = reference.confusion_matrix(y, s > 1 / 6, sample_weight=w, labels=[0, 1])
    return float((5 * fn + fp) / w.sum())


VALUES: dict[str, object] = {
    "roc_auc": lambda y, s, w: reference.roc_auc_score(y, s, sample_weight=w),
    "gini": lambda y, s, w: 2 * reference.roc_auc_score(y, s, sample_weight=w) - 1,
    "partial_auc@0.1": lambda y, s, w: reference.roc_auc_score(y, s, max_fpr=0.1, sample_weight=w),
    "partial_auc@0.55": lambda y, s, w: reference.roc_auc_score(
        y, s, max_fpr=0.55, sample_weight=w
    ),
    "average_precision": lambda y, s, w: reference.average_precision_score(y, s, sample_weight=w),
    "log_loss": lambda y, s, w: reference.log_loss(y, s, labels=[0, 1], sample_weight=w),
    "brier": lambda y, s, w: reference.brier_score_loss(y, s, labels=[0, 1], sample_weight=w),
    "bias": lambda y, s, w: np.average(s, weights=w) - np.average(y, weights=w),
    "accuracy@0.3": called(reference.accuracy_score, 0.3),
    "balanced_accuracy@0.3": called(reference.balanced_accuracy_score, 0.3),
    "precision@0.3": called(reference.precision_score, 0.3),
    "recall": called(reference.recall_score, 0.5),
    "specificity@0.7": turned(reference.recall_score, 0.7),
    "selection_rate@0.3": lambda y, s, w: w @ (s > 0.3) / w.sum(),
    "npv@0.7": turned(reference.precision_score, 0.7),
    "f1@0.3": called(reference.f1_score, 0.3),
    "f_beta@0.5": called(reference.fbeta_score, 0.5, beta=0.5),
    "jaccard@0.3": called(reference.jaccard_score, 0.3),
    "mcc": called(reference.matthews_corrcoef, 0.5),
    "kappa@0.3": called(reference.cohen_kappa_score, 0.3),
    "net_benefit@0.2": lambda y, s, w: benefit(y, s, w, 0.2),
    "expected_cost@5-1": cost,
    "precision_top@0.25": lambda y, s, w: np.divide(*top(y, s, w, Fraction(1, 4))[::-1]),
    "recall_top@0.25": lambda y, s, w: top(y, s, w, Fraction(1, 4))[1] / (w @ y),
    "lift@0.25": lambda y, s, w: 4 * top(y, s, w, Fraction(1, 4))[1] / (w @ y),
    "brier_reliability@7": lambda y, s, w: parts(y, s, w, 7)[0],
    "brier_resolution@7": lambda y, s, w: parts(y, s, w, 7)[1],
    "brier_uncertainty": lambda y, s, w: (w @ y) / w.sum() * (w @ (1 - y)) / w.sum(),
}


def weighing(n: int) -> np.ndarray:
    return np.random.default_rng(n).choice([0.5, 1.0, 2.0, 3.25], size=n)


def test_every_metric_has_a_reference() -> None:
    elsewhere = {"calibration_intercept", "calibration_slope", "ks", "debiased_ece"}
    assert {name.partition("@")[0] for name in VALUES} | elsewhere == set(metric_names())


@pytest.mark.parametrize("metric", sorted(VALUES))
@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_values_equal_the_reference(metric: str, weighted: bool, data: st.DataObject) -> None:
    asked = get_metric(metric)
    truth, score = data.draw(rows(ranked=asked.needs == "score"))
    weight = weighing(truth.size) if weighted else np.ones(truth.size)
    found = measure(metric, truth, score, weight if weighted else None)
    if isinstance(found, Absence):  # a share of no rows
        assert found.reason
        assume(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = VALUES[metric](truth, score, weight)  # type: ignore[operator]
    assert isinstance(found, Influence)
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert found.influence.mean() == pytest.approx(0, abs=1e-9 * (1 + abs(found.influence).max()))


@pytest.mark.parametrize("metric", sorted(VALUES))
@pytest.mark.parametrize("positives", [1, 7, 2_500, 4_999])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_equal_the_reference_under_extreme_imbalance(
    metric: str, positives: int, weighted: bool
) -> None:
    rng = np.random.default_rng(positives)
    truth = np.zeros(5_000, dtype=np.int8)
    truth[rng.choice(5_000, positives, replace=False)] = 1
    score = np.round(rng.random(5_000) * 0.9 + 0.1 * truth, 3)
    weight = weighing(5_000) if weighted else np.ones(5_000)
    found = measure(metric, truth, score, weight if weighted else None)
    assert isinstance(found, Influence)
    expected = VALUES[metric](truth, score, weight)  # type: ignore[operator]
    assert found.value == pytest.approx(expected, rel=1e-12, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=rows(ranked=True))
def test_the_greatest_distance_is_scipys(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = data
    found = measure("ks", truth, score)
    assert isinstance(found, Influence)
    expected = ks_2samp(score[truth == 1], score[truth == 0], method="asymp").statistic
    assert found.value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(data=rows())
def test_calibration_error_is_kumars(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = data
    found = measure("debiased_ece@7", truth, score)
    if isinstance(found, Absence):
        assert "nothing shows" in found.reason
        return
    reliability, _, noise = parts(truth, score, np.ones(truth.size), 7)
    assert found.value**2 == pytest.approx(max(0.0, reliability - noise), abs=1e-12)


def test_reliability_less_resolution_plus_uncertainty_is_the_brier_score_of_bins() -> None:
    """Murphy's identity, exact where all probabilities in a bin are equal."""
    rng = np.random.default_rng(1)
    score = rng.integers(0, 10, 500) / 10 + 0.05
    truth = (rng.random(500) < score**2).astype(np.int8)
    weight = weighing(500)
    reliability, resolution, uncertainty, brier = (
        measure(name, truth, score, weight).value  # type: ignore[union-attr]
        for name in ("brier_reliability", "brier_resolution", "brier_uncertainty", "brier")
    )
    assert reliability - resolution + uncertainty == pytest.approx(brier, rel=1e-13)


def test_equal_scores_at_the_edge_are_taken_in_part_whatever_their_order() -> None:
    truth, score = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0], [0.9, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0]
    for order in (slice(None), slice(None, None, -1)):
        found = measure("recall_top@0.3", truth[order], score[order])
        assert isinstance(found, Influence)
        # the first row, and two of the four that are equal, half of which are positive
        assert found.value == pytest.approx((1 + 2 * 0.5) / 3, abs=1e-15)


@settings(max_examples=120, deadline=None)
@given(data=rows(ranked=True), negate=st.booleans())
def test_the_quick_area_is_that_of_the_influences(
    data: tuple[np.ndarray, np.ndarray], negate: bool
) -> None:
    truth, score = data[0], -data[1] if negate else data[1]
    quick = estimate("roc_auc", truth, score)
    slow = estimate_of("roc_auc", measure("roc_auc", truth, score))
    if isinstance(quick, Absence) or isinstance(slow, Absence):
        assert quick == slow
        return
    assert quick.value == slow.value
    assert (quick.lo, quick.hi, quick.se) == pytest.approx((slow.lo, slow.hi, slow.se), rel=1e-9)
    assert quick.method == slow.method


@pytest.mark.parametrize("scale", [1.0, -1.0, 1e-310, 1e300, -1e300])
def test_the_quick_area_takes_any_finite_scores(scale: float) -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 500)
    score = np.nextafter(0.5, rng.choice([0, 1], 500)) * scale + 0.0 * truth
    score[::5] = scale * rng.normal(size=100)
    score[::50] = -0.0
    quick, slow = estimate("roc_auc", truth, score), measure("roc_auc", truth, score)
    assert quick.value == slow.value  # type: ignore[union-attr]


def test_other_metrics_and_designs_go_the_long_way() -> None:
    rng = np.random.default_rng(3)
    truth, score = rng.integers(0, 2, 200), rng.random(200)
    weight, cluster = rng.random(200), np.arange(200) % 20
    for metric in ("roc_auc", "f1"):
        assert estimate(metric, truth, score, weight, cluster=cluster) == estimate_of(
            metric, measure(metric, truth, score, weight), cluster=cluster
        )


@pytest.mark.parametrize("seed", range(40))
def test_no_sample_makes_an_interval_without_its_value_or_a_failure(seed: int) -> None:
    """Few rows, one class, one score, weights of 0, clusters of any size."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 3, 5, 12, 40, 150]))
    truth = (rng.random(n) < rng.choice([0.02, 0.3, 0.5, 1])).astype(np.int8)
    coarse = np.round(rng.random(n), int(rng.integers(0, 3)))
    kinds = [rng.random(n), np.full(n, 0.5), truth * 1.0, np.where(truth, 0.6, 0.4), coarse]
    score, other = kinds[seed % 5], kinds[(seed + 1) % 5]
    weight = [None, rng.exponential(size=n), rng.integers(0, 3, n) + (np.arange(n) == 0)][seed % 3]
    cluster = None if seed % 2 else rng.integers(0, n // 4 + 2, n)
    for metric in [*metric_names(), "precision@0.9", "debiased_ece@1", "precision_top@0.001"]:
        one, two = (measure(metric, truth, column, weight) for column in (score, other))
        found = [estimate_of(metric, one, cluster=cluster)]
        found += [difference_of(metric, one, two, cluster=cluster)]
        for item in found:
            if isinstance(item, Absence):
                assert item.reason
            else:
                assert np.isfinite([item.lo, item.hi, item.se]).all(), item
                assert item.lo - 1e-12 <= item.value <= item.hi + 1e-12, item
                assert item.lo < item.hi or "the same" in item.method, item
