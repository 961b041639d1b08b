from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from trackrecord.cases.spec import BaseRate, Logistic, RateTable
from trackrecord.errors import CaseError
from trackrecord.modeling.baselines import BASELINES, baseline, prepare_baseline
from trackrecord.modeling.learner import Fitted

from .conftest import Load

TRUTH = np.array([1, 0, 0, 1, 1, 0, 0, 0], np.int8)
ROWS = pl.DataFrame({"line": ["A", "A", "A", "B", "B", None, None, None], "load": range(8)})


def fit(spec: Any, rows: pl.DataFrame, truth: Any = TRUTH) -> Fitted:
    prepare_baseline(spec, msgspec.structs.replace(CASELESS, features=rows.columns))
    kind = type(spec).__struct_config__.tag
    return BASELINES[kind][0](spec, rows, truth)


class _Case(msgspec.Struct):
    name: str = "trips"
    features: list[str] = []


CASELESS: Any = _Case()


def test_the_base_rate_is_the_training_share_for_everyone() -> None:
    fitted = fit(BaseRate(name="rate"), ROWS)
    assert fitted.predict(ROWS.head(3)).tolist() == [3 / 8] * 3


def test_a_table_shrinks_each_cell_towards_the_overall_share() -> None:
    fitted = fit(RateTable(name="t", by=["line"], prior_rows=4), ROWS.select("line"))
    asked = pl.DataFrame({"line": ["B", "A"]})
    expected = [(2 + 4 * 3 / 8) / (2 + 4), (1 + 4 * 3 / 8) / (3 + 4)]
    assert fitted.predict(asked).tolist() == pytest.approx(expected, abs=1e-15)


def test_a_table_gives_the_overall_share_in_a_cell_it_never_saw() -> None:
    fitted = fit(RateTable(name="t", by=["line"], prior_rows=0), ROWS.select("line"))
    assert fitted.predict(pl.DataFrame({"line": ["Z", "B"]})).tolist() == [3 / 8, 1.0]


def test_a_missing_value_is_a_cell_of_its_own() -> None:
    fitted = fit(RateTable(name="t", by=["line"], prior_rows=0), ROWS.select("line"))
    assert fitted.predict(pl.DataFrame({"line": [None]}, {"line": pl.String})).tolist() == [0.0]


def test_a_table_keeps_the_order_of_the_rows_it_is_asked_for() -> None:
    fitted = fit(RateTable(name="t", by=["line"], prior_rows=0), ROWS.select("line"))
    asked = pl.DataFrame({"line": ["B", "A", "B", "Z", "A"] * 2000})
    assert fitted.predict(asked).tolist() == [1.0, 1 / 3, 1.0, 3 / 8, 1 / 3] * 2000


def test_logistic_regression_agrees_with_an_independent_fit() -> None:
    """Without a penalty to speak of: Newton's method on the log likelihood of the raw number."""
    draw = np.random.default_rng(1)
    x = draw.normal(3, 2, 400)
    truth = (draw.random(400) < 1 / (1 + np.exp(2 - x))).astype(np.int8)
    fitted = fit(Logistic(name="l", c=1e8), pl.DataFrame({"x": x}), truth)
    design, weights = np.column_stack([np.ones(400), x]), np.zeros(2)
    for _ in range(20):
        p = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (p * (1 - p))[:, None]).T @ design
        weights += np.linalg.solve(curvature, design.T @ (truth - p))
    np.testing.assert_allclose(fitted.predict(pl.DataFrame({"x": x})), p, atol=2e-4)
    assert fitted.notes == []


def test_a_solver_that_gives_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackrecord.modeling.baselines.logistic.MAX_ITERATIONS", 2)
    draw = np.random.default_rng(1)
    rows = pl.DataFrame({f"x{i}": draw.normal(size=200) for i in range(5)})
    truth = (rows["x0"].to_numpy() > 0).astype(np.int8)
    fitted = fit(Logistic(name="l", c=1e6), rows, truth)
    assert any("ConvergenceWarning" in note for note in fitted.notes)
    assert fitted.parameters["iterations"] == 2


def test_a_baseline_may_not_look_at_what_is_known_later(load: Load) -> None:
    with pytest.raises(CaseError, match="'grade' is not known when the question is asked"):
        load(('by = ["clinic"]', 'by = ["grade"]')).train()


def test_a_baseline_that_its_decorator_registered_is_trained(load: Load) -> None:
    class Coin(msgspec.Struct, frozen=True, tag_field="kind", tag="coin"):
        name: str

    try:

        @baseline("coin", columns=lambda spec, features: [])
        def fit_coin(spec: Coin, rows: pl.DataFrame, truth: Any) -> Fitted:
            return Fitted(lambda asked: np.full(asked.height, 0.5))

        loaded = load()
        coin: Any = [Coin("coin")]
        case = msgspec.structs.replace(loaded.case, baseline=coin)
        predictions = type(loaded)(
            loaded.root, case, loaded.table, loaded.parts, loaded.folder
        ).train().predictions  # fmt: skip
        assert set(predictions["score.coin"].to_list()) == {0.5}
    finally:
        BASELINES.pop("coin", None)


def test_an_unknown_kind_of_baseline_is_named_with_a_suggestion() -> None:
    class Tabel(msgspec.Struct, frozen=True, tag_field="kind", tag="tabel"):
        name: str

    with pytest.raises(CaseError) as caught:
        prepare_baseline(Tabel("t"), CASELESS)
    assert caught.value.why == "did you mean 'table'?"


def test_two_baselines_cannot_have_one_kind() -> None:
    prepare_baseline(BaseRate(name="r"), CASELESS)
    with pytest.raises(ValueError, match="two baselines"):
        baseline("base_rate", columns=lambda spec, features: [])(lambda *parts: Fitted(math.sqrt))
