from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier
from tests.data.leakage.planting import diabetes
from threadpoolctl import threadpool_limits

from trackrecord import audit_pipeline
from trackrecord.data.leakage.chance import beyond_chance, runs_differ
from trackrecord.data.leakage.dynamic import PipelineAudit
from trackrecord.errors import BadInput

TRAIN, TEST = diabetes()
NAMES = [name for name in TRAIN.columns if name != "worse"]
A, B = TRAIN.select(NAMES).to_numpy()[:120], TEST.select(NAMES).to_numpy()[:80]
Y, Z = TRAIN["worse"].to_numpy()[:120], TEST["worse"].to_numpy()[:80]
FEW = 5


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So small fits are many times slower on more, where other tests keep the cores busy."""
    with threadpool_limits(1):
        yield


def audit(fit: Any, *tables: Any, **more: Any) -> PipelineAudit:
    return audit_pipeline(fit, *(tables or (A, B, Y, Z)), **({"permutations": FEW} | more))


def detectors(found: PipelineAudit) -> list[str]:
    return [one.detector for one in found.findings]


def fitted_on_both(make: Callable[[], Any], model: Callable[[], Any]) -> Callable[..., Any]:
    """The leak itself: a step that is fitted on the rows of train and test."""

    def fit(train: Any, truth: Any, test: Any) -> Any:
        step = make().fit(np.concatenate([train, test]))
        chosen = model().fit(step.transform(train), truth)
        return lambda rows: chosen.predict(step.transform(rows))

    return fit


def frame() -> pd.DataFrame:
    draw = np.random.default_rng(2)
    table = pd.DataFrame(np.vstack([A, B]), columns=NAMES)
    table["ward"] = draw.choice(list("abcdef"), 200)
    return table.assign(gap=table["bmi"].where(draw.random(200) > 0.1))


def test_an_honest_pipeline_moves_nothing_and_scores_chance_on_permuted_labels() -> None:
    found = audit(make_pipeline(StandardScaler(), LogisticRegression()), permutations=10)
    assert (found.verdict, found.moved, found.repeatable) == ("clean", 0.0, True)
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < 0.5 < found.hi
    assert found.fits == 14
    assert not found.mutates


MIXED = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["bmi", "bp", "gap"]),
    (OneHotEncoder(handle_unknown="ignore"), ["ward"]),
)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(MIXED, LogisticRegression()),
        make_pipeline(make_column_transformer((TargetEncoder(), ["ward"])), LogisticRegression()),
        make_pipeline(MIXED, SelectKBest(k=3), PCA(2), LogisticRegression()),
        make_pipeline(MIXED, DecisionTreeClassifier(splitter="random")),
    ],
    ids=["columns", "target encoder", "selected components", "random_state None"],
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_pipelines_on_frames_are_clean(estimator: Any, kind: Any) -> None:
    table = frame() if kind is pd.DataFrame else pl.from_pandas(frame())
    found = audit(estimator, table[:120], table[120:], Y, Z)
    assert (found.verdict, found.repeatable) == ("clean", True)


def test_numbers_classes_texts_and_sparse_rows_are_clean_where_nothing_leaks() -> None:
    words = np.array([f"a{'b ' * n} {n}" for n in range(200)], dtype=object)
    named = np.array(["no", "yes"])
    three = (A[:, 0] // 4 % 3).astype(int), (B[:, 0] // 4 % 3).astype(int)
    assert audit(Ridge(), A, B, A[:, 2] + Y, B[:, 2] + Z).verdict == "clean"
    assert audit(LogisticRegression(), A, B, *three).verdict == "clean"
    assert audit(LogisticRegression(), A, B, named[Y], named[Z]).verdict == "clean"
    assert audit(LogisticRegression(), A, B, list(Y), list(Z)).verdict == "clean"
    assert audit(LogisticRegression(), A, B, pl.Series(Y), pl.Series(Z)).verdict == "clean"
    assert audit(LogisticRegression(), csr_matrix(A), csr_matrix(B), Y, Z).verdict == "clean"
    classes = audit(LogisticRegression(), A, B, *three, predict=lambda m, rows: m.predict(rows))
    assert classes.permuted_mean == pytest.approx(0.5, abs=0.1)
    tfidf = make_pipeline(TfidfVectorizer(), LogisticRegression())
    assert audit(tfidf, words[:120], words[120:], Y, Z).verdict == "clean"


@pytest.mark.parametrize(
    "make", [StandardScaler, MinMaxScaler, lambda: PCA(3)], ids=["scaler", "range", "components"]
)
def test_a_step_that_saw_the_test_rows_is_proved(make: Any) -> None:
    found = audit(fitted_on_both(make, Ridge))
    assert detectors(found) == ["test-rows-changed"]
    assert found.findings[0].kind == "L1.2"
    assert found.moved > 0.9


def test_an_imputer_and_a_vocabulary_that_saw_the_test_rows_are_proved() -> None:
    gaps = frame()[["gap", "bp"]].to_numpy()
    assert detectors(audit(fitted_on_both(SimpleImputer, Ridge), gaps[:120], gaps[120:], Y)) == [
        "test-rows-changed"
    ]
    draw = np.random.default_rng(0)
    words = np.array([" ".join(draw.choice(list("abcdef"), 9) + "x") for _ in range(200)], object)
    for make in (TfidfVectorizer, lambda: CountVectorizer(max_features=3)):
        found = audit(fitted_on_both(make, Ridge), words[:120], words[120:], Y)
        assert detectors(found) == ["test-rows-changed"]


def test_without_the_test_labels_there_is_no_run_on_permuted_ones() -> None:
    found = audit(fitted_on_both(StandardScaler, Ridge), A, B, Y)
    assert (found.verdict, found.permuted, found.permuted_mean) == ("leak", [], None)


@pytest.mark.parametrize("numbers", [False, True])
def test_features_selected_on_all_labels_score_above_chance_where_nothing_is_to_learn(
    numbers: bool,
) -> None:
    draw = np.random.default_rng(1)
    train, test = draw.normal(size=(80, 1500)), draw.normal(size=(60, 1500))
    truth, tested = draw.normal(size=80), draw.normal(size=60)
    if not numbers:
        truth, tested = truth > 0, tested > 0
    how, model = (f_regression, Ridge()) if numbers else (None, LogisticRegression())
    selector = SelectKBest(how, k=10) if how else SelectKBest(k=10)

    def fit(rows: Any, truth: Any, others: Any, others_truth: Any) -> Any:
        chosen = selector.fit(np.vstack([rows, others]), np.r_[truth, others_truth])
        model.fit(chosen.transform(rows), truth)
        return make_pipeline(chosen, model)

    found = audit(fit, train, test, truth, tested, permutations=10)
    assert detectors(found) == ["test-rows-changed", "test-labels-changed", "permuted-labels"]
    leak = found.findings[-1]
    assert leak.kind == "L1.3"
    assert leak.lo is not None
    assert leak.lo > 0.55
    honest = make_pipeline(selector, model)
    assert audit(honest, train, test, truth, tested).verdict == "clean"


def test_over_sampling_before_the_split_is_proved_and_within_train_is_clean() -> None:
    def before(train: Any, truth: Any, test: Any, tested: Any) -> Any:
        rows, labels = np.vstack([train, test]), np.r_[truth, tested]
        more = np.r_[np.arange(200), np.random.choice(np.flatnonzero(labels), 60)]
        kept = np.random.permutation(more)[:120]
        return LogisticRegression().fit(rows[kept], labels[kept])

    def within(train: Any, truth: Any, test: Any) -> Any:
        more = np.r_[np.arange(120), np.random.choice(np.flatnonzero(truth), 60)]
        return LogisticRegression().fit(train[more], truth[more])

    assert "test-rows-changed" in detectors(audit(before))
    assert audit(within).verdict == "clean"


def test_a_generator_of_its_own_is_told_apart_from_a_leak() -> None:
    draw = np.random.default_rng(9)

    def noisy(leaks: bool) -> Callable[..., Any]:
        def fit(train: Any, truth: Any, test: Any) -> Any:
            seen = np.vstack([train, test]) if leaks else train
            scaler = StandardScaler().fit(seen)
            drawn = draw.integers(0, len(truth), len(truth))
            return make_pipeline(
                scaler, LogisticRegression(C=0.1).fit(scaler.transform(train)[drawn], truth[drawn])
            )

        return fit

    honest = audit(noisy(False), A, B, Y)
    assert (honest.repeatable, honest.verdict) == (False, "clean")
    leaks = audit(noisy(True), A, B, Y)
    assert detectors(leaks) == ["test-rows-changed"]
    assert leaks.findings[0].p is not None
    assert leaks.findings[0].p < 0.01


def test_the_exact_test_of_runs_has_462_ways_and_is_uniform_where_nothing_differs() -> None:
    draw = np.random.default_rng(0)
    far = [draw.normal(size=5) + 9 for _ in range(6)]
    near = [draw.normal(size=5) for _ in range(6)]
    assert runs_differ(near, far) == 1 / 462
    p = [runs_differ(near, [draw.normal(size=5) for _ in range(6)]) for _ in range(12)]
    assert 0.1 < np.median(p) < 0.9


def test_what_remembers_its_first_fit_cannot_be_judged() -> None:
    kept: dict[str, Any] = {}

    def fit(train: Any, truth: Any, test: Any) -> Any:
        if not kept:
            kept["model"] = LogisticRegression().fit(train, truth)
        return kept["model"]

    found = audit(fit)
    assert (found.verdict, found.findings) == ("undecided", [])
    assert "remembers" in found.why


def test_what_it_writes_into_its_rows_does_not_reach_the_next_run() -> None:
    before = A.copy()

    def fit(train: Any, truth: Any, test: Any) -> Any:
        train -= train.mean(0)
        return LogisticRegression().fit(train, truth)

    found = audit(fit)
    assert (found.verdict, found.mutates) == ("clean", True)
    assert (before == A).all()


def test_a_pipeline_that_refuses_other_test_rows_is_changed_within_them_or_undecided() -> None:
    def strict(train: Any, truth: Any, test: Any) -> Any:
        if np.abs(test).max() > 30:
            raise ValueError("out of range")
        return LogisticRegression().fit(train, truth)

    def stricter(train: Any, truth: Any, test: Any) -> Any:
        assert len(test) == 80
        return strict(train, truth, test)

    found = audit(strict)
    assert found.verdict == "clean"
    assert "out of range" in found.changes[0].failed
    assert found.changes[1].failed == ""
    assert audit(stricter).verdict == "undecided"


def test_the_result_is_json_whatever_was_found() -> None:
    for fit in (fitted_on_both(StandardScaler, Ridge), LogisticRegression()):
        said = json.loads(msgspec.json.encode(audit(fit)))
        assert said["verdict"] in ("leak", "clean")


def test_scores_agree_with_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score, roc_auc_score

    draw = np.random.default_rng(4)
    truth, score = draw.integers(0, 3, 200), draw.random((200, 3))
    shares = score / score.sum(1, keepdims=True)
    area = roc_auc_score(truth, shares, multi_class="ovr", average="weighted")
    assert beyond_chance(shares, truth) == pytest.approx(area)
    other = draw.integers(0, 3, 200)
    kappa = cohen_kappa_score(truth, other)
    assert beyond_chance(other.astype(float), truth) == pytest.approx((1 + kappa) / 2)
    number = draw.normal(size=200)
    assert beyond_chance(score[:, 0], number) == pytest.approx(
        roc_auc_score(number > np.median(number), score[:, 0])
    )


def test_what_does_not_fit_together_or_fails_is_refused() -> None:
    with pytest.raises(BadInput, match="120 training rows have 80 labels"):
        audit(LogisticRegression(), A, B, Z)
    with pytest.raises(BadInput, match="80 test rows have 120 labels"):
        audit(LogisticRegression(), A, B, Y, Y)
    with pytest.raises(BadInput, match="fewer than 5"):
        audit(LogisticRegression(), permutations=2)
    for wrong in (3, LogisticRegression):
        with pytest.raises(BadInput, match="neither"):
            audit(wrong)
    with pytest.raises(BadInput, match="takes 2 arguments"):
        audit(lambda train, truth: None)
    with pytest.raises(BadInput, match="failed on the rows as they are") as raised:
        audit(lambda train, truth, test: 1 / 0)
    assert raised.value.why is not None
    assert "test_dynamic.py" in raised.value.why
    with pytest.raises(BadInput, match="failed"):
        audit(lambda train, truth, test: lambda rows: np.full(len(rows), np.nan))
