"""Metrics of one class of several: scikit-learn's values, binary ones for two, and hard samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.spread import spread_of

Score = Callable[..., float]


def averaged(function: Score, average: str) -> Score:
    return lambda truth, label, **known: function(
        truth, label, average=average, zero_division=0, **known
    )


def one_against_others(truth: Any, label: Any, **known: Any) -> np.ndarray:
    """Each class's specificity and negative predictive value: (2, K), by hand."""
    matrix = reference.multilabel_confusion_matrix(truth, label, **known)
    (tn, fp), (fn, _) = matrix.transpose(1, 2, 0)
    return np.array([tn / (tn + fp), np.where(tn + fn > 0, tn / np.maximum(tn + fn, 1e-300), 0)])


OF_LABELS: dict[str, Score] = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "f1_macro": averaged(reference.f1_score, "macro"),
    "f1_weighted": averaged(reference.f1_score, "weighted"),
    "f_beta_macro@0.5": averaged(partial(reference.fbeta_score, beta=0.5), "macro"),
    "jaccard_macro": averaged(reference.jaccard_score, "macro"),
    "kappa": reference.cohen_kappa_score,
    "mcc": reference.matthews_corrcoef,
    "npv_macro": lambda *columns, **known: one_against_others(*columns, **known)[1].mean(),
    "precision_macro": averaged(reference.precision_score, "macro"),
    "precision_weighted": averaged(reference.precision_score, "weighted"),
    "recall_macro": averaged(reference.recall_score, "macro"),
    "specificity_macro": lambda *columns, **known: one_against_others(*columns, **known)[0].mean(),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What scikit-learn warns of (a class that is never called) is asked for here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def found(name: str, truth: Any, score: Any, weight: Any = None) -> Influence | Absence:
    return measure(get_metric(name, "multiclass"), truth, score, weight)


def value(name: str, truth: Any, score: Any, weight: Any = None) -> float:
    got = found(name, truth, score, weight)
    assert isinstance(got, Influence), got
    return got.value


def reason(name: str, truth: Any, score: Any) -> str:
    got = found(name, truth, score)
    assert isinstance(got, Absence), got
    return got.reason


def sample(
    n: int, classes: int, seed: int = 1, sharp: float = 2.0, decimals: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Truth with a row of every class, the later the rarer, and probabilities."""
    rng = np.random.default_rng(seed)
    rate = 0.6 ** np.arange(classes)
    truth = rng.choice(classes, n, p=rate / rate.sum())
    truth[:classes] = np.arange(classes)
    odds = sharp * np.eye(classes)[truth] + rng.normal(size=(n, classes))
    if decimals is not None:
        odds = odds.round(decimals)
    chance = np.exp(odds)
    return truth, chance / chance.sum(axis=1, keepdims=True)


@st.composite
def called(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Truth and calls among a few codes with gaps, so that classes lack rows, or calls; weights."""
    codes = draw(st.lists(st.integers(0, 12), min_size=2, max_size=5, unique=True))
    rows = draw(st.lists(st.tuples(*[st.sampled_from(codes)] * 2), min_size=2, max_size=30))
    truth, label = np.array(rows).T
    weighted = draw(st.booleans())
    some = st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=len(rows), max_size=len(rows))
    weight = np.array(draw(some)) if weighted else None
    return truth, label, None if weight is None or not weight.any() else weight


@given(called())
@settings(max_examples=80, deadline=None)
def test_metrics_of_calls_are_those_of_scikit_learn(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray | None],
) -> None:
    truth, label, weight = rows
    there = np.ones(truth.size, bool) if weight is None else weight > 0
    held = (truth[there], label[there])
    known = {} if weight is None else {"sample_weight": weight[there]}
    for name, function in OF_LABELS.items():
        got = found(name, truth, label, weight)
        if isinstance(got, Absence):
            assert "of one class" in got.reason or "called the same" in got.reason
            assert np.unique(held[0]).size == 1 or np.unique(held[1]).size == 1
            continue
        assert got.value == pytest.approx(function(*held, **known), rel=1e-12, abs=1e-12), name
        assert abs(got.influence.mean()) < 1e-12 * (1 + np.abs(got.influence).max())
        assert np.isfinite(got.influence).all()


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Truth with every class, and probabilities in eighths, so that many tie."""
    classes = draw(st.integers(2, 5))
    rows = draw(st.integers(classes, 30))
    truth = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    truth[:classes] = range(classes)
    parts = np.array(
        draw(
            st.lists(
                st.lists(st.integers(0, 3), min_size=classes, max_size=classes),
                min_size=rows,
                max_size=rows,
            )
        ),
        dtype=float,
    )
    parts[parts.sum(axis=1) == 0] = 1
    weight = None
    if draw(st.booleans()):
        weight = np.array(
            draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=rows, max_size=rows))
        )
    return np.array(truth), parts / parts.sum(axis=1, keepdims=True), weight


@given(judged())
@settings(max_examples=60, deadline=None)
def test_metrics_of_probabilities_are_those_of_scikit_learn(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray | None],
) -> None:
    truth, chance, weight = rows
    classes = chance.shape[1]
    labels = list(range(classes))
    known: dict[str, Any] = {} if weight is None else {"sample_weight": weight}

    def near(name: str, expected: float) -> None:
        assert value(name, truth, chance, weight) == pytest.approx(
            expected, rel=1e-12, abs=1e-12
        ), name

    near("log_loss", reference.log_loss(truth, chance, labels=labels, **known))
    near("brier", brier_by_hand(truth, chance, weight))
    if classes < 3:  # scikit-learn takes one column there
        return
    near("brier", reference.brier_score_loss(truth, chance, labels=labels, **known))
    for name, average in (("roc_auc_ovr", "macro"), ("roc_auc_ovr_weighted", "weighted")):
        near(
            name,
            reference.roc_auc_score(truth, chance, multi_class="ovr", average=average, **known),
        )
    if weight is None:  # which scikit-learn does not have with weights
        near("roc_auc_ovo", reference.roc_auc_score(truth, chance, multi_class="ovo"))
    # of equal ones scikit-learn has the last ahead, so the columns go in reverse
    for k in range(1, classes):
        near(
            f"top_accuracy@{k}",
            reference.top_k_accuracy_score(
                classes - 1 - truth, chance[:, ::-1], k=k, labels=labels, **known
            ),
        )


def brier_by_hand(truth: np.ndarray, chance: np.ndarray, weight: np.ndarray | None) -> float:
    off = [
        sum((p - (k == y)) ** 2 for k, p in enumerate(row))
        for y, row in zip(truth, chance, strict=True)
    ]
    return float(np.average(off, weights=weight))


def test_two_classes_are_a_yes_or_no() -> None:
    rng = np.random.default_rng(3)
    truth = (rng.random(300) < 0.3).astype(np.int8)
    score = np.clip(0.3 * truth + rng.random(300) * 0.6, 0, 1).round(2) + 0.005
    chance = np.column_stack([1 - score, score])
    weight = rng.uniform(0.2, 3, 300)
    pairs = {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced_accuracy",
        "recall_macro": "balanced_accuracy",
        "kappa": "kappa",
        "mcc": "mcc",
        "roc_auc_ovr": "roc_auc",
        "roc_auc_ovr_weighted": "roc_auc",
        "roc_auc_ovo": "roc_auc",
        "log_loss": "log_loss",
    }
    for many, two in pairs.items():
        for heavy in (None, weight):
            here, there = found(many, truth, chance, heavy), measure(two, truth, score, heavy)
            assert isinstance(here, Influence)
            assert isinstance(there, Influence)
            assert here.value == pytest.approx(there.value, rel=1e-12), many
            np.testing.assert_allclose(here.influence, there.influence, atol=1e-10, err_msg=many)
            if many in ("balanced_accuracy", "kappa", "mcc"):
                assert here.centre == pytest.approx(there.centre, rel=1e-12)
                made = estimate_of(get_metric(many, "multiclass"), here)
                known = estimate_of(two, there)
                assert isinstance(made, Estimate)
                assert isinstance(known, Estimate)
                assert made.se == pytest.approx(known.se, rel=1e-9)
    assert value("brier", truth, chance) == pytest.approx(2 * measured("brier", truth, score))
    halves = [measured("f1", truth, score), measured("f1", 1 - truth, 1 - score)]
    assert value("f1_macro", truth, chance) == pytest.approx(sum(halves) / 2)


def measured(name: str, truth: np.ndarray, score: np.ndarray) -> float:
    got = measure(name, truth, score)
    assert isinstance(got, Influence)
    return got.value


def test_the_geometric_mean_of_recalls_takes_classes_that_have_rows() -> None:
    truth, chance = sample(300, 4, seed=2)
    label = chance.argmax(axis=1)
    label[(truth == 0) & (np.arange(300) % 9 == 0)] = 7  # which no row is
    weight = np.random.default_rng(4).uniform(0.5, 2, 300)
    for heavy in (None, weight):
        recall = reference.recall_score(
            truth, label, labels=range(4), average=None, sample_weight=heavy
        )
        expected = float(np.prod(recall) ** 0.25)
        assert value("g_mean", truth, label, heavy) == pytest.approx(expected, rel=1e-12)
    label[label == 3] = 0
    assert reason("g_mean", truth, label) == (
        "1 class has no row that is found, so that the product is 0"
    )


def test_one_row_in_a_million_of_the_rarest_class_keeps_every_digit() -> None:
    n = 1_000_000
    truth, label = np.zeros(n, np.int64), np.zeros(n, np.int64)
    truth[:3], label[1:4] = [1, 1, 2], [1, 2, 1]
    # the reference has the rows that are alike once, with their number as their weight
    often = np.array([1, 1, 1, 1, n - 4])
    for name, function in OF_LABELS.items():
        expected = function(truth[:5], label[:5], sample_weight=often)
        assert value(name, truth, label) == pytest.approx(expected, rel=1e-12), name


def test_a_class_that_is_never_called_has_a_precision_of_zero_that_no_row_moves() -> None:
    truth = np.repeat([0, 1, 2], [50, 40, 10])
    label = np.repeat([0, 1, 0, 1, 0], [40, 10, 5, 40, 5])
    got = found("precision_macro", truth, label)
    assert isinstance(got, Influence)
    assert got.value == pytest.approx((40 / 50 + 35 / 50 + 0) / 3)
    # its rows count as the calls that they spoil, and as nothing else
    of_two = found("precision_macro", np.where(truth == 2, 1 - label, truth), label)
    assert isinstance(of_two, Influence)
    np.testing.assert_allclose(got.influence, of_two.influence * 2 / 3, atol=1e-12)
    estimate = estimate_of(get_metric("precision_macro", "multiclass"), got)
    assert isinstance(estimate, Estimate)
    # what is not known of the third is between 0 and 1, and most of the interval
    assert estimate.hi - estimate.lo > 0.3


def test_a_class_that_is_called_and_has_no_row_counts_for_recall_and_not_for_balance() -> None:
    truth, label = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    assert value("recall_macro", truth, label) == pytest.approx(0.5)
    assert value("balanced_accuracy", truth, label) == pytest.approx(0.75)


def test_a_class_without_a_row_has_no_area_and_is_counted_not_named() -> None:
    truth, chance = sample(60, 5)
    for name in ("roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo"):
        lost = truth != 3
        assert reason(name, truth[lost], chance[lost]).startswith("1 of 5 classes has no row")
        lost &= truth != 4
        assert reason(name, truth[lost], chance[lost]).startswith("2 of 5 classes have no row")
    # a row without weight is no row
    got = found("roc_auc_ovr", truth, chance, (truth != 3).astype(float))
    assert isinstance(got, Absence)
    assert "1 of 5 classes" in got.reason


def test_what_one_class_cannot_say_is_not_said() -> None:
    truth, label = np.zeros(20, np.int64), np.arange(20) % 2
    for name in ("balanced_accuracy", "f1_macro", "precision_weighted", "mcc"):
        assert reason(name, truth, label) == "every row is of one class"
    assert reason("mcc", label, truth) == "every row is called the same class"
    assert reason("kappa", truth, truth) == "every row is of one class, and called so"
    assert reason("roc_auc_ovr", truth, np.ones((20, 1))).startswith("there is one class")
    assert reason("top_accuracy@3", truth, np.full((20, 3), 1 / 3)).startswith("there are 3")
    assert value("kappa", label, truth) == 0.0


def test_labels_alone_have_no_probabilities() -> None:
    truth, chance = sample(50, 3)
    label = chance.argmax(axis=1)
    for name in ("log_loss", "brier", "top_accuracy", "roc_auc_ovr", "debiased_ece"):
        assert "takes probabilities" in reason(name, truth, label)
    for name in OF_LABELS:
        assert value(name, truth, label) == value(name, truth, chance)


def test_codes_far_apart_take_no_more_memory() -> None:
    truth, label = np.array([0, 10**15, 10**15, 7]), np.array([0, 10**15, 0, 7])
    assert value("f1_macro", truth, label) == pytest.approx(
        reference.f1_score(truth, label, average="macro")
    )


def test_the_likeliest_class_is_the_first_of_equals() -> None:
    truth, chance = sample(500, 4, decimals=0)
    assert value("top_accuracy@1", truth, chance) == value("accuracy", truth, chance)


def test_everything_right_is_not_certain() -> None:
    truth, _ = sample(200, 4)
    chance = np.eye(4)[truth] * 0.8 + 0.05
    for name in (*OF_LABELS, "roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo"):
        metric = get_metric(name, "multiclass")
        got = estimate_of(metric, found(name, truth, chance))
        assert isinstance(got, Estimate), (name, got)
        assert got.value == pytest.approx(1.0, abs=1e-15)
        assert got.lo < 0.995, (name, got)
        assert got.hi == pytest.approx(1.0)


def test_a_rarest_class_of_one_row_widens_the_interval() -> None:
    """Its spread cannot be seen in one row, and is not taken to be none."""
    rng = np.random.default_rng(6)
    truth = np.r_[np.repeat([0, 1], 500), 2]
    right = rng.random(1001) < 0.9
    right[-1] = True
    label = np.where(right, truth, (truth + 1) % 2)
    metric = get_metric("balanced_accuracy", "multiclass")
    got = estimate_of(metric, found("balanced_accuracy", truth, label))
    assert isinstance(got, Estimate)
    assert got.hi - got.lo > 0.2
    assert got.method.startswith("second-order error")


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "kappa", "roc_auc_ovo"])
def test_a_paired_difference_has_the_jackknife_s_error(name: str) -> None:
    truth, chance = sample(300, 4)
    other = np.roll(chance, 3, axis=0) * 0.4 + chance * 0.6
    metric = get_metric(name, "multiclass")
    first, second = found(name, truth, chance), found(name, truth, other)
    assert isinstance(first, Influence)
    assert isinstance(second, Influence)
    gaps = np.array(
        [
            value(name, truth[rest], chance[rest]) - value(name, truth[rest], other[rest])
            for rest in (np.arange(300) != i for i in range(300))
        ]
    )
    jackknife = (299 / 300 * ((gaps - gaps.mean()) ** 2).sum()) ** 0.5
    one_kind = np.zeros(300, np.int8)
    plain = spread_of(first.influence - second.influence, one_kind, None).se
    assert plain == pytest.approx(jackknife, rel=0.04)
    gap = difference_of(metric, first, second)
    assert isinstance(gap, Estimate)
    assert jackknife * 0.98 < gap.se < jackknife * 1.25


def test_a_calibrated_model_is_near_its_line_and_a_sharpened_one_is_not() -> None:
    rng = np.random.default_rng(5)
    chance = rng.dirichlet([1.0, 1.0, 1.0], 20_000)
    truth = (chance.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    sharp = chance**3 / (chance**3).sum(axis=1, keepdims=True)
    assert value("debiased_ece", truth, chance) < 0.012
    assert value("debiased_ece", truth, sharp) > 0.1
    # by hand: each class's bins, the square of each bin's miss less its own noise
    squares = []
    for k in range(3):
        for b in range(10):
            rows = np.minimum((sharp[:, k] * 10).astype(int), 9) == b
            rate, said, n = (truth[rows] == k).mean(), sharp[rows, k].mean(), rows.sum()
            squares.append(n / 20_000 * ((said - rate) ** 2 - rate * (1 - rate) / (n - 1)))
    assert value("debiased_ece", truth, sharp) == pytest.approx((sum(squares) / 3) ** 0.5)
