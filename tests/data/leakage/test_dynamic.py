from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.data.leakage.planting import diabetes

from trackrecord import audit_pipeline
from trackrecord.errors import BadInput

TRAIN, TEST = diabetes()
NAMES = [name for name in TRAIN.columns if name != "worse"]
A, B = TRAIN.select(NAMES).to_numpy(), TEST.select(NAMES).to_numpy()
Y, Z = TRAIN["worse"].to_numpy(), TEST["worse"].to_numpy()


def test_an_honest_pipeline_moves_nothing_and_scores_chance_on_permuted_labels() -> None:
    found = audit_pipeline(make_pipeline(StandardScaler(), LogisticRegression()), A, B, Y, Z)
    assert (found.verdict, found.moved, found.repeatable) == ("clean", 0.0, True)
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < 0.5 < found.hi


def test_a_scaler_that_saw_the_test_rows_is_proved() -> None:
    def fit(train: Any, truth: Any, test: Any) -> Any:
        scaler = StandardScaler().fit(np.vstack([train, test]))
        model = LogisticRegression(C=0.01).fit(scaler.transform(train), truth)
        return lambda rows: model.predict_proba(scaler.transform(rows))[:, 1]

    found = audit_pipeline(fit, A, B, Y, predict=lambda model, rows: model(rows))
    assert [f.detector for f in found.findings] == ["test-rows-changed"]
    assert found.moved > 0.9
    assert found.permuted == []


def test_features_selected_on_all_labels_score_above_chance_where_nothing_is_to_learn() -> None:
    draw = np.random.default_rng(1)
    train, test = draw.normal(size=(80, 1500)), draw.normal(size=(60, 1500))

    def fit(rows: Any, truth: Any, others: Any, others_truth: Any) -> Any:
        chosen = SelectKBest(k=10).fit(np.vstack([rows, others]), np.r_[truth, others_truth])
        model = LogisticRegression().fit(chosen.transform(rows), truth)
        return lambda asked: model.predict_proba(chosen.transform(asked))[:, 1]

    truth, tested = draw.integers(0, 2, 80), draw.integers(0, 2, 60)
    found = audit_pipeline(fit, train, test, truth, tested, predict=lambda m, rows: m(rows))
    leak = next(f for f in found.findings if f.detector == "permuted-labels")
    assert leak.kind == "L1.3"
    assert leak.lo is not None
    assert leak.lo > 0.55

    def honest(rows: Any, truth: Any, others: Any) -> Any:
        return make_pipeline(SelectKBest(k=10), LogisticRegression()).fit(rows, truth)

    assert audit_pipeline(honest, train, test, truth, tested).verdict == "clean"


def test_a_pipeline_that_is_not_repeatable_is_said_to_be_so_and_not_blamed() -> None:
    draw = np.random.default_rng(9)

    def fit(train: Any, truth: Any, test: Any) -> Any:
        return LogisticRegression().fit(train + draw.normal(size=train.shape), truth)

    found = audit_pipeline(fit, A, B, Y)
    assert not found.repeatable
    assert found.findings == []


def test_frames_of_polars_are_changed_column_by_column() -> None:
    def fit(train: pl.DataFrame, truth: Any, test: pl.DataFrame) -> Any:
        levels = pl.concat([train, test]).group_by("sex").len()
        return levels

    def predict(levels: pl.DataFrame, rows: pl.DataFrame) -> Any:
        return rows.join(levels, on="sex", how="left")["len"].fill_null(0).to_numpy()

    found = audit_pipeline(fit, TRAIN.select(NAMES), TEST.select(NAMES), Y, predict=predict)
    assert found.verdict == "leak"


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(BadInput, match="300 training rows have 142 labels"):
        audit_pipeline(LogisticRegression(), A, B, Z)
    with pytest.raises(BadInput, match="fewer than 5"):
        audit_pipeline(LogisticRegression(), A, B, Y, Z, permutations=2)
    with pytest.raises(BadInput, match="neither"):
        audit_pipeline(3, A, B, Y)  # type: ignore[arg-type]
