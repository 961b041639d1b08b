"""What the truth of a table is, and which columns are a model's: guessed, said, and overridden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.arrays import table_of
from trackrecord.evaluation.outcomes import canonical_outcomes, write_outcomes
from trackrecord.evaluation.reading import Asked, ReadOutcomes, interpret, open_outcomes
from trackrecord.evaluation.reading_numbers import quantile_columns

KINDS = ["ant", "bee", "cat"] * 20
SHARES = {"ant": 0.5, "bee": 0.3, "cat": 0.2}


def read(columns: dict[str, Any], **asked: Any) -> ReadOutcomes:
    return interpret(pl.DataFrame(columns), "p.csv", Asked(**asked))


def refused(columns: dict[str, Any], **asked: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(columns, **asked)
    return caught.value


def wide(prefix: str, classes: dict[str, float] = SHARES, rows: int = 60) -> dict[str, Any]:
    return {f"{prefix}{name}": [share] * rows for name, share in classes.items()}


def scores_of(found: ReadOutcomes) -> dict[str, Any]:
    """Each model's columns: None for one of labels or numbers."""
    models = [c for c in found.frame.columns if c.startswith("score.")]
    return {
        c.removeprefix("score."): found.frame[c].struct.fields
        if isinstance(found.frame.schema[c], pl.Struct)
        else None
        for c in models
    }


NUMBERS = [n + 0.5 for n in range(60)]
TASKS = {
    "0 and 1": ({"truth": [0, 1] * 30, "score": [0.2, 0.7] * 30}, "binary"),
    "true and false": ({"truth": [False, True] * 30, "score": [0.2, 0.7] * 30}, "binary"),
    "a number that was not asked about": ({"truth": [0, 1] * 30, "score": NUMBERS}, "binary"),
    "text and probabilities": ({"truth": KINDS, **wide("p_")}, "multiclass"),
    "text and labels": ({"truth": KINDS, "predicted": KINDS[::-1]}, "multiclass"),
    "two words and labels": (
        {"truth": ["no", "yes"] * 30, "pred": ["yes", "no"] * 30}, "multiclass"),
    "few numbers and a column for each": (
        {"truth": [0, 1, 2] * 20, **wide("p_", {"0": 0.5, "1": 0.3, "2": 0.2})}, "multiclass"),
    "few numbers and the same predicted": (
        {"truth": [1, 2, 3] * 20, "prediction": [3, 2, 1] * 20}, "multiclass"),
    "few numbers and others predicted": (
        {"truth": [1, 2, 3] * 20, "prediction": [2.5, 1.2, 3.9] * 20}, "regression"),
    "numbers": ({"truth": NUMBERS, "score": NUMBERS[::-1]}, "regression"),
    "whole numbers": (
        {"truth": list(range(60)), "score": list(range(1, 61))}, "regression"),
    "labels": (
        {"truth.a": [0, 1] * 30, "truth.b": [1, 1] * 30, "score.m.a": [0.5] * 60,
         "score.m.b": [0.1] * 60}, "multilabel"),
    "a query for several rows": (
        {"qid": [1] * 30 + [2] * 30, "doc": list(range(60)), "truth": [0, 1] * 30,
         "score": NUMBERS}, "ranking"),
    "a query for each row": (
        {"query": list(range(60)), "truth": [0, 1] * 30, "score": NUMBERS}, "binary"),
}  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_the_task_is_guessed_from_truth_and_predictions(name: str) -> None:
    columns, task = TASKS[name]
    found = read(columns)
    assert found.task == task
    said = any("--task says otherwise" in guess for guess in found.guesses)
    assert said == (task != "binary")


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"truth": ["no", "yes"] * 30, "score": [0.5] * 60}, "it has 2 different values"),
        ({"truth": KINDS, "score": [0.5] * 60}, "it has 3 different values"),
        ({"truth": [1, 2] * 30, "score": NUMBERS}, "it has 2 different values"),
        ({"truth": list(range(60)), "score": [0.5] * 60}, "it has 60 different values"),
    ],
)
def test_a_score_for_what_is_no_yes_or_no_is_refused_as_ever(columns: Any, what: str) -> None:
    assert what in refused(columns).what


def test_a_guess_is_overridden() -> None:
    columns = {"truth": [1, 2, 3] * 20, "prediction": [3, 2, 1] * 20}
    assert read(columns, task="regression").frame["truth"].dtype == pl.Float64
    assert read(columns, task="multiclass").frame["truth"].to_list()[:3] == ["1", "2", "3"]
    assert "--task" not in " ".join(read(columns, task="regression").guesses)


@pytest.mark.parametrize(
    ("prefix", "model"),
    [("score.rf.", "rf"), ("p_", "p"), ("prob_", "prob"), ("rf-", "rf"), ("", "score"),
     ("score.", "score")],
)  # fmt: skip
def test_columns_behind_one_prefix_are_a_model(prefix: str, model: str) -> None:
    found = read({"truth": KINDS, **wide(prefix)})
    assert scores_of(found) == {model: ["ant", "bee", "cat"]}
    assert found.frame[f"score.{model}"][0] == SHARES


def test_models_are_named_by_prefix_and_baselines_come_first() -> None:
    columns = {"truth": KINDS, **wide("rf_"), **wide("old."), "rule": KINDS}
    found = read(columns, scores=["rf"], baselines=["old", "rule"])
    assert list(scores_of(found)) == ["old", "rule", "rf"]
    assert found.baselines == ["old", "rule"]
    error = refused(columns, scores=["rg"])
    assert error.what == "p.csv has no column 'rg'"
    assert "rf_" in (error.why or "")
    assert refused(columns, scores=["rf"], baselines=["rf_"]).what.endswith("named twice")


def test_where_probabilities_are_labels_without_a_model_are_left_alone() -> None:
    found = read({"truth": KINDS, **wide("p_"), "predicted": KINDS})
    assert list(scores_of(found)) == ["p"]
    assert any("not used: predicted" in said for said in found.guesses)
    both = read({"truth": KINDS, **wide("score.rf."), "score.rule": KINDS})
    assert list(scores_of(both)) == ["rf", "rule"]


def test_a_class_without_a_column_is_one_that_the_model_never_predicts() -> None:
    found = read({"truth": KINDS, **wide("score.rf.", {"ant": 0.6, "bee": 0.4})})
    assert scores_of(found) == {"rf": ["ant", "bee"]}
    assert "'rf' has no probability of cat, so it never predicts that" in found.guesses


def test_a_column_of_a_class_that_never_came_true_is_one_all_the_same() -> None:
    four = {"ant": 0.4, "bee": 0.3, "cat": 0.2, "dog": 0.1}
    assert scores_of(read({"truth": KINDS, **wide("score.rf.", four)}))["rf"] == list(four)
    assert scores_of(read({"truth": KINDS, **wide("p_", four)}))["p"] == list(four)
    other = {"truth": KINDS, **wide("p_"), "p_value": [0.04] * 60}
    assert scores_of(read(other))["p"] == ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"truth": KINDS, **wide("score.rf.", {"Ant ": 0.5, "bee": 0.3, "cat": 0.2})},
         "the model 'rf' writes the class 'ant' as 'Ant '"),
        ({"truth": KINDS, "score.rule": [k.upper() for k in KINDS[:-1]] + ["cat"]},
         "the model 'rule' writes the class 'ant' as 'ANT'"),
        ({"truth": ["big-ant", "bee"] * 30, "predicted": ["big ant", "bee"] * 30},
         "the model 'predicted' writes the class 'big-ant' as 'big ant'"),
    ],
)  # fmt: skip
def test_a_class_that_is_spelt_in_two_ways_is_pointed_out(columns: Any, what: str) -> None:
    error = refused(columns)
    assert error.what == what
    assert "write it one way" in (error.next or "")


def test_missing_classes_and_probabilities_are_named_by_row() -> None:
    gone = [*KINDS[:5], None, *KINDS[6:]]
    assert "row 6" in (refused({"truth": gone, **wide("p_")}).where or "")
    assert "row 6" in (refused({"truth": KINDS, "score.rule": gone}).where or "")
    nan = wide("p_") | {"p_cat": [0.2] * 3 + [None] + [0.2] * 56}
    error = refused({"truth": KINDS, **nan})
    assert error.what == "'p_cat' is missing or NaN in 1 row of 60"
    assert "row 4" in (error.where or "")


def test_text_of_many_values_without_predictions_says_what_they_would_be() -> None:
    many = [f"kind {n % 9}" for n in range(60)]
    error = refused({"truth": many, "score": [0.1] * 60}, task="multiclass")
    assert "has no predictions of classes" in error.what or "no classes" in error.what
    assert "score.NAME.CLASS" in (error.next or "")


def test_classes_of_numbers_are_the_same_whole_or_not() -> None:
    found = read({"truth": [1, 2, 3] * 20, "prediction": [3.0, 2.0, 1.0] * 20}, task="multiclass")
    assert found.frame["score.prediction"].to_list()[:3] == ["3", "2", "1"]


LABELS = {"truth.a": [0, 1] * 30, "truth.b": [True, True] * 30}


def test_labels_are_a_truth_of_several_columns() -> None:
    found = read({**LABELS, "score.m.a": [0.5] * 60, "score.m.b": [0.1] * 60})
    assert found.frame["truth"][1] == {"a": 1, "b": 1}
    assert scores_of(found) == {"m": ["a", "b"]}


def test_labels_may_have_a_prefix_of_their_own() -> None:
    own = {"y_a": [0, 1] * 30, "y_b": [1, 1] * 30, "y_note": ["x"] * 60}
    found = read({**own, "m_a": [1, 0] * 30, "m_b": [0, 0] * 30}, target="y_")
    assert found.task == "multilabel"
    assert found.frame.schema["score.m"] == pl.Struct({"a": pl.Int8, "b": pl.Int8})


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({**LABELS, "score.m.a": [0.5] * 60}, "no predictions of the labels a, b"),
        ({**LABELS, "truth.c": [0, 1] * 30, "score.m.a": [0.5] * 60, "score.m.b": [0.1] * 60},
         "the model 'm' has no column for the label 'c'"),
        ({**LABELS, "score.m.a": [0.5] * 60, "score.m.B": [0.1] * 60, "score.m.c": [0.1] * 60,
          "truth.c": [0, 1] * 30}, "the model 'm' writes the label 'b' as 'B'"),
        ({**LABELS, "truth.b": [0, 2] * 30, "score.m.a": [0.5] * 60, "score.m.b": [0.1] * 60},
         "'truth.b' is not 0 or 1"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(columns: Any, what: str) -> None:
    assert what in refused(columns).what


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("q0.05", ("", "0.05")),
        ("q05", ("", "0.05")),
        ("q50", ("", "0.5")),
        ("q975", ("", "0.975")),
        ("q.9", ("", "0.9")),
        ("rf.q0.05", ("rf", "0.05")),
        ("score.rf.q0.05", ("rf", "0.05")),
        ("rf_q95", ("rf", "0.95")),
        ("rf_0.95", ("rf", "0.95")),
        ("0.95", None),
        ("q5", None),
        ("q1.5", None),
        ("q100", None),
        ("rf_95", None),
        ("lo", None),
    ],
)
def test_a_quantiles_level_is_read_from_its_name(
    column: str, found: tuple[str, str] | None
) -> None:
    held = {} if found is None else {found[0]: {found[1]: column}}
    assert quantile_columns([column]) == held


def test_quantiles_belong_to_the_model_of_their_name() -> None:
    found = read(
        {"truth": NUMBERS, "score.rf": NUMBERS, "score.rf.q0.9": NUMBERS, "score.rf.q0.1": NUMBERS,
         "score.old": NUMBERS}
    )  # fmt: skip
    assert scores_of(found) == {"rf": ["point", "0.1", "0.9"], "old": None}
    alone = read({"truth": NUMBERS, "q0.1": NUMBERS, "q0.9": NUMBERS, "prediction": NUMBERS})
    assert scores_of(alone) == {"score": ["point", "0.1", "0.9"]}


def test_bounds_without_a_level_are_asked_for_by_their_quantiles() -> None:
    found = read({"truth": NUMBERS, "prediction": NUMBERS, "pred_lo": NUMBERS, "pred_hi": NUMBERS})
    assert scores_of(found) == {"score": None}
    assert any("pred_lo, pred_hi may be bounds" in said for said in found.guesses)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf")])
def test_numbers_that_are_none_are_named_by_row(bad: float | None) -> None:
    broken = [*NUMBERS[:3], bad, *NUMBERS[4:]]
    for columns in (
        {"truth": NUMBERS, "score.rf": broken, "score.old": NUMBERS},
        {"truth": broken, "score": NUMBERS},
        {"truth": NUMBERS, "score": NUMBERS, "q0.1": broken},
    ):
        error = refused(columns, task="regression")
        assert "row 4" in (error.where or "")
        assert "probabilit" not in (error.why or "")


SERIES = {
    "series": ["x"] * 4 + ["y"] * 4,
    "time": list(range(10, 14)) * 2,
    "truth": [1.5, 2, 3, 4, 50, 60, 70, 80],
    "score": [1.5, 2, 2, 2, 50, 55, 60, 65],
}
PAST = {"series": ["x"] * 9 + ["y"] * 9, "time": list(range(1, 10)) * 2, "value": list(range(18))}


def test_rows_of_one_series_depend_on_one_another() -> None:
    found = read(SERIES)
    assert found.frame["cluster"].to_list() == SERIES["series"]
    assert found.frame["id"].to_list()[0] == "x, 10"
    assert any("rows of one 'series' depend" in said for said in found.guesses)
    other = read({**SERIES, "region": ["n"] * 2 + ["s"] * 6}, cluster="region")
    assert other.frame["cluster"].to_list()[2] == "s"


def test_a_history_gives_errors_their_scale(tmp_path: Path) -> None:
    pl.DataFrame(SERIES).write_csv(tmp_path / "f.csv")
    pl.DataFrame(PAST).write_csv(tmp_path / "h.csv")
    found = open_outcomes(tmp_path / "f.csv", Asked(season=2), history=tmp_path / "h.csv")
    assert found.task == "regression"
    assert found.frame["scale"].unique().to_list() == [2.0]
    other = pl.DataFrame(PAST).rename({"value": "truth"})
    assert interpret(pl.DataFrame(SERIES), "f", history=other).frame["scale"][0] == 1.0
    with pytest.raises(DataError, match="no column 'truth'"):
        interpret(pl.DataFrame(SERIES), "f", history=other.rename({"truth": "volume"}))
    late = pl.DataFrame(PAST).with_columns(time=pl.col("time") + 5)
    with pytest.raises(DataError, match="reaches into the forecasts' times"):
        interpret(pl.DataFrame(SERIES), "f", history=late)
    bare = {"truth": NUMBERS, "score": NUMBERS}
    with pytest.raises(BadInput, match="a history is of series"):
        interpret(pl.DataFrame(bare), "f", history=pl.DataFrame(PAST))
    with pytest.raises(BadInput, match="a history is for forecasts"):
        interpret(pl.DataFrame(SERIES), "f", Asked(task="binary"), history=pl.DataFrame(PAST))


def test_the_horizon_is_a_rows_place_in_its_series() -> None:
    found = read(SERIES, slices=["horizon"])
    assert found.frame["slice.horizon"].to_list() == [1, 2, 3, 4] * 2
    assert any("'horizon' is a row's place" in said for said in found.guesses)


def test_documents_are_ranked_for_queries() -> None:
    columns = {"topic": [1, 1, 2, 2], "docno": ["a", "b", "a", "b"], "rel": [1, 0, 2, 1],
               "score": [0.2, 0.1, 0.5, None]}  # fmt: skip
    found = read(columns)
    assert found.frame["truth"].to_list() == [[1.0, 0.0], [2.0, 1.0]]
    assert found.frame["score.score"].to_list()[1] == [0.5, None]
    assert "the column 'docno' names the document" in found.guesses
    assert "query" in refused({"truth": [0, 1], "score": [0.1, 0.2]}, task="ranking").what


def test_a_trec_run_asks_for_its_judgements(tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q1 Q0 d1 1 0.5 a\nq1 Q0 d2 2 0.4 a\n")
    with pytest.raises(BadInput, match="is a TREC run") as caught:
        open_outcomes(tmp_path / "a.run")
    assert "--qrels" in (caught.value.next or "")
    (tmp_path / "q.qrels").write_text("q1 0 d2 1\n")
    found = open_outcomes(tmp_path / "a.run", qrels=tmp_path / "q.qrels")
    assert found.task == "ranking"
    assert "score.a" in found.frame.columns
    with pytest.raises(BadInput, match="--cluster names a column of a table"):
        open_outcomes(tmp_path / "a.run", Asked(cluster="c"), qrels=tmp_path / "q.qrels")


def test_what_counts_as_1_is_for_a_yes_or_no() -> None:
    with pytest.raises(BadInput, match="--positive is for a yes or no"):
        read({"truth": KINDS, **wide("p_")}, positive="ant", task="multiclass")
    assert read({"truth": KINDS, "score": [0.5] * 60}, positive="ant").task == "binary"


def test_options_of_a_table_have_to_be_there() -> None:
    for option in ("series", "query", "document"):
        error = refused({"truth": NUMBERS, "score": NUMBERS}, **{option: "zz"}, task="ranking")
        assert error.what == "p.csv has no column 'zz'" or "query" in error.what


WRITTEN: dict[str, dict[str, Any]] = {
    "classes": {"truth": KINDS, **wide("score.rf."), "score.rule": KINDS},
    "labels": {**LABELS, "score.m.a": [0.5] * 60, "score.m.b": [0.1] * 60},
    "numbers": {"truth": NUMBERS, "score.rf": NUMBERS, "score.rf.q0.1": NUMBERS,
                "score.rf.q0.9": NUMBERS, "score.old": NUMBERS},
    "queries": {"query": ["p", "p", "q", "q"], "document": ["a", "b", "a", "b"],
                "truth": [1, 2, 1, 1], "score.a": [0.1, 0.2, 0.3, None]},
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_outcomes_of_every_task_are_read_as_they_were_written(name: str, tmp_path: Path) -> None:
    frame = canonical_outcomes(read(WRITTEN[name]).frame)
    write_outcomes(frame, tmp_path / "o.parquet")
    again = open_outcomes(tmp_path / "o.parquet")
    assert again.task == read(WRITTEN[name]).task
    assert canonical_outcomes(again.frame).equals(frame)
    if name != "queries":
        assert interpret(table_of(frame), "o").frame.equals(again.frame)


def test_the_scales_of_forecasts_are_read_as_they_were_written(tmp_path: Path) -> None:
    frame = interpret(pl.DataFrame(SERIES), "f", history=pl.DataFrame(PAST)).frame
    write_outcomes(frame, tmp_path / "o.parquet")
    assert open_outcomes(tmp_path / "o.parquet").frame["scale"].to_list() == [1.0] * 8
