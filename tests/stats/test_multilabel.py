"""Metrics of many labels: scikit-learn's values, binary ones for one, and hard samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric

Score = Callable[..., float]


def averaged(function: Score, average: str) -> Score:
    return lambda truth, label, **known: function(
        truth, label, average=average, zero_division=0, **known
    )


FAMILIES = {
    "f1": reference.f1_score,
    "jaccard": reference.jaccard_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
}
OF_LABELS: dict[str, Score] = {
    f"{name}_{average}": averaged(function, average)
    for name, function in FAMILIES.items()
    for average in ("micro", "macro", "samples", "weighted")
    if (name, average) not in {("jaccard", "weighted"), ("recall", "weighted")}
} | {"subset_accuracy": reference.accuracy_score, "hamming_loss": reference.hamming_loss}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What scikit-learn warns of (a label that is never called) is asked for here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def found(name: str, truth: Any, score: Any, weight: Any = None) -> Influence | Absence:
    return measure(get_metric(name, "multilabel"), truth, score, weight)


def value(name: str, truth: Any, score: Any, weight: Any = None) -> float:
    got = found(name, truth, score, weight)
    assert isinstance(got, Influence), got
    return got.value


def reason(name: str, truth: Any, score: Any) -> str:
    got = found(name, truth, score)
    assert isinstance(got, Absence), got
    return got.reason


def sample(n: int, labels: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Truth, the later a label the rarer, and probabilities in hundredths."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=(n, labels)) + rng.normal(size=(n, 1)) - np.arange(labels) / 2
    truth = (rng.random((n, labels)) < 1 / (1 + np.exp(-2 * risk))).astype(np.int8)
    return truth, (1 / (1 + np.exp(-risk - 0.5 * rng.normal(size=risk.shape)))).round(2)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Truth and calls (n, K), with empty rows and columns; probabilities in fifths; weights."""
    n, k = draw(st.integers(2, 15)), draw(st.integers(2, 4))

    def table(most: int) -> np.ndarray:
        row = st.lists(st.integers(0, most), min_size=k, max_size=k)
        return np.array(draw(st.lists(row, min_size=n, max_size=n)))

    truth = table(1).astype(np.int8)
    weight = None
    if draw(st.booleans()):
        weight = np.array(draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=n, max_size=n)))
    return truth, table(1).astype(np.int8), table(5) / 5.0, weight


@given(tables())
@settings(max_examples=60, deadline=None)
def test_metrics_of_calls_are_those_of_scikit_learn(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None],
) -> None:
    truth, label, _, weight = rows
    known = {} if weight is None else {"sample_weight": weight}
    for name, function in OF_LABELS.items():
        got = found(name, truth, label, weight)
        if isinstance(got, Absence):
            assert "no label is called" in got.reason or "no row has a label" in got.reason
            assert not (truth.any() and label.any())
            continue
        assert got.value == pytest.approx(function(truth, label, **known), rel=1e-12, abs=1e-12), (
            name
        )
        assert abs(got.influence.mean()) < 1e-12 * (1 + np.abs(got.influence).max())


@given(tables())
@settings(max_examples=60, deadline=None)
def test_metrics_of_probabilities_are_those_of_scikit_learn(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None],
) -> None:
    truth, _, chance, weight = rows
    known: dict[str, Any] = {} if weight is None else {"sample_weight": weight}
    ranked = reference.label_ranking_average_precision_score(truth, chance, **known)
    assert value("ranking_precision", truth, chance, weight) == pytest.approx(ranked, rel=1e-12)
    columns = list(zip(truth.T, chance.T, strict=True))
    for name, function in (
        ("log_loss", lambda y, p: reference.log_loss(y, p, labels=[0, 1], **known)),
        ("brier", lambda y, p: reference.brier_score_loss(y, p, pos_label=1, **known)),
    ):
        mean = np.mean([function(y, p) for y, p in columns])
        assert value(name, truth, chance, weight) == pytest.approx(mean, rel=1e-12), name
    for name, function in (
        ("roc_auc", reference.roc_auc_score),
        ("average_precision", reference.average_precision_score),
    ):
        for average in ("macro", "micro"):
            got = found(f"{name}_{average}", truth, chance, weight)
            if isinstance(got, Absence):
                share = truth.mean(axis=0) if average == "macro" else truth.mean(keepdims=True)
                assert ((share == 0) | (share == 1)).any()
                continue
            expected = function(truth, chance, average=average, **known)
            assert got.value == pytest.approx(expected, rel=1e-12, abs=1e-12), (name, average)


def test_one_label_is_a_yes_or_no() -> None:
    truth, chance = sample(300, 1)
    weight = np.random.default_rng(2).uniform(0.2, 3, 300)
    pairs = {name: name.partition("_")[0] for name in OF_LABELS if "_m" in name}
    pairs |= {"subset_accuracy": "accuracy", "log_loss": "log_loss", "brier": "brier"}
    pairs |= {f"{name}_{a}": name for name in ("roc_auc", "average_precision")
              for a in ("macro", "micro")}  # fmt: skip
    for many, two in pairs.items():
        for heavy in (None, weight):
            here = found(many, truth, chance, heavy)
            there = measure(two, truth[:, 0], chance[:, 0], heavy)
            assert isinstance(here, Influence)
            assert isinstance(there, Influence)
            assert here.value == pytest.approx(there.value, rel=1e-12), many
            np.testing.assert_allclose(here.influence, there.influence, atol=1e-10, err_msg=many)
            if two == "f1":
                assert (here.centre, here.least) == pytest.approx((there.centre, there.least))


def test_a_macro_average_is_the_mean_of_its_labels() -> None:
    truth, chance = sample(400, 4)
    for many, two in (("f1_macro", "f1"), ("roc_auc_macro", "roc_auc"), ("brier", "brier")):
        parts = [measure(two, truth[:, k], chance[:, k]) for k in range(4)]
        got = found(many, truth, chance)
        assert isinstance(got, Influence)
        influence = np.mean([part.influence for part in parts if isinstance(part, Influence)], 0)
        np.testing.assert_allclose(got.influence, influence, atol=1e-10, err_msg=many)


def test_labels_that_lack_rows_are_counted_not_named() -> None:
    truth, chance = sample(50, 4)
    truth[:, 1] = 0
    for name in ("roc_auc_macro", "average_precision_macro"):
        assert reason(name, truth, chance).startswith("1 of 4 labels is on no row")
        truth[:, 3] = 0
        assert reason(name, truth, chance).startswith("2 of 4 labels are on no row")
        truth[:, 3] = 1
    assert "every row" in reason("roc_auc_macro", truth[:, [0, 3]], chance[:, [0, 3]])
    assert reason("roc_auc_micro", np.ones((5, 2)), chance[:5, :2]) == "every row is positive"


def test_nothing_true_and_nothing_called_is_said() -> None:
    none, some = np.zeros((6, 3), np.int8), np.ones((6, 3), np.int8)
    assert reason("precision_micro", some, none) == "no label is called"
    assert reason("recall_macro", none, some) == "no row has a label"
    assert reason("f1_micro", none, none) == "no row has a label, nor is called one"
    assert value("subset_accuracy", none, none) == 1.0
    assert value("hamming_loss", none, some) == 1.0
    assert value("f1_samples", none, none) == 0.0


def test_labels_alone_have_no_probabilities() -> None:
    truth, chance = sample(50, 3)
    label = (chance > 0.5).astype(np.int8)
    for name in ("log_loss", "brier", "roc_auc_macro", "ranking_precision"):
        assert "takes probabilities" in reason(name, truth, label)
    for name in OF_LABELS:
        assert value(name, truth, label) == value(name, truth, chance)


def test_everything_right_is_not_certain() -> None:
    truth, _ = sample(200, 4)
    chance = truth * 0.8 + 0.1
    names = [*OF_LABELS, "roc_auc_macro", "roc_auc_micro", "average_precision_macro"]
    for name in [*names, "average_precision_micro"]:
        got = estimate_of(get_metric(name, "multilabel"), found(name, truth, chance))
        assert isinstance(got, Estimate), (name, got)
        if name.endswith("_samples"):
            assert got.value == pytest.approx(truth.any(axis=1).mean())
            continue
        best = 0.0 if name == "hamming_loss" else 1.0
        assert got.value == pytest.approx(best, abs=1e-15)
        assert got.hi - got.lo > 0.004, (name, got)


def test_labels_of_one_row_that_go_together_are_no_new_knowledge() -> None:
    """Four copies of one label have that label's error, not half of it."""
    truth, chance = sample(500, 1)
    for many, two in (("f1_macro", "f1"), ("f1_micro", "f1"), ("roc_auc_micro", "roc_auc")):
        here = estimate_of(
            get_metric(many, "multilabel"),
            found(many, np.tile(truth, 4), np.tile(chance, 4)),
        )
        there = estimate_of(two, measure(two, truth[:, 0], chance[:, 0]))
        assert isinstance(here, Estimate)
        assert isinstance(there, Estimate)
        assert here.se == pytest.approx(there.se, rel=0.05)
