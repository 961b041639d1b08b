"""trackrecord.evaluate and compare on classes, labels, numbers, rankings; beside scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import hamming_loss, log_loss, mean_absolute_error, roc_auc_score

import trackrecord as tr
from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.text import decimals_for, in_decimals, plain_number

IRIS = load_iris()
NAMES = IRIS.target_names[IRIS.target]
FITTED = LogisticRegression(max_iter=500).fit(IRIS.data[::2], IRIS.target[::2])
CHANCES = FITTED.predict_proba(IRIS.data)
PRIOR = np.full((150, 3), 1 / 3)
Y = load_diabetes().target
DRAW = np.random.default_rng(8)
GUESS = Y + DRAW.normal(0, 40, Y.size)


WIDE: dict[str, Any] = {
    "array": CHANCES,
    "float32": CHANCES.astype("f4"),
    "list": CHANCES.tolist(),
    "pandas": pd.DataFrame(CHANCES, columns=IRIS.target_names),
    "pandas, another order": pd.DataFrame(CHANCES, columns=IRIS.target_names)[
        ["virginica", "setosa", "versicolor"]
    ],
    "polars, behind a prefix": pl.DataFrame(
        {f"p_{name}": CHANCES[:, k] for k, name in enumerate(IRIS.target_names)}
    ),
}


@pytest.mark.parametrize("kind", WIDE)
def test_probabilities_of_every_library_give_the_same_result(kind: str) -> None:
    found = tr.evaluate(NAMES, WIDE[kind], metrics=["log_loss", "accuracy"])
    assert found.plan.task == "multiclass"
    exact = 1e-6 if kind == "float32" else 1e-12
    assert found["log_loss"].value == pytest.approx(log_loss(NAMES, CHANCES), abs=exact)
    assert found["accuracy"].value == (CHANCES.argmax(1) == IRIS.target).mean()


def test_classes_of_an_array_are_in_scikit_learns_order_or_named() -> None:
    codes = np.repeat([2, 10, 7], 50)  # as text 10 would come first
    chances = CHANCES[:, [0, 2, 1]]
    found = tr.evaluate(codes, chances, metrics=["accuracy"])
    assert found["accuracy"].value == pytest.approx((CHANCES.argmax(1) == IRIS.target).mean())
    named = tr.evaluate(NAMES, CHANCES, classes=FITTED.classes_.astype(str), task="multiclass")
    assert named["accuracy"].value == 0  # classes called 0, 1, 2 are not the names
    with pytest.raises(BadInput, match="has 2 columns, and the truth 3 classes") as caught:
        tr.evaluate(NAMES, CHANCES[:, :2])
    assert caught.value.next == "say what the columns are: classes=model.classes_"
    with pytest.raises(DataError, match="writes the class 'setosa' as 'Setosa'"):
        tr.evaluate(NAMES, CHANCES, classes=["Setosa", "versicolor", "virginica"])


def test_models_of_probabilities_and_of_labels_are_compared() -> None:
    found = tr.evaluate(NAMES, {"fit": CHANCES}, baseline={"rule": NAMES[::-1]})
    assert found.plan.baselines == ["rule"]
    assert found.difference("accuracy").value > 0
    with pytest.raises(BadInput, match="there is no estimate of log_loss"):
        found.difference("log_loss")
    compared = tr.compare(NAMES, CHANCES, PRIOR, classes=IRIS.target_names)
    assert compared["log_loss"].value == pytest.approx(log_loss(NAMES, CHANCES) - np.log(3))
    assert "150 rows, 3 classes (50 rows each)" in repr(compared)


def test_scores_that_are_no_probabilities_still_name_a_class() -> None:
    found = tr.evaluate(NAMES, 5 * CHANCES)
    assert found["accuracy"].value == (CHANCES.argmax(1) == IRIS.target).mean()
    with pytest.raises(BadInput, match="there is no estimate of log_loss") as caught:
        found["log_loss"]
    assert "outside [0, 1]" in (caught.value.why or "")
    half = CHANCES * np.where(np.arange(150) == 3, 0.5, 1)[:, None]
    with pytest.raises(BadInput) as caught:
        tr.evaluate(NAMES, half)["brier"]
    assert caught.value.why == "the probabilities of 1 of 150 rows do not add up to 1"


def test_a_class_that_a_model_does_not_know_leaves_what_takes_labels() -> None:
    two = pd.DataFrame({"setosa": CHANCES[:, 0], "versicolor": 1 - CHANCES[:, 0]})
    table = pl.DataFrame({"truth": NAMES, "score.two.setosa": two["setosa"].to_numpy(),
                          "score.two.versicolor": two["versicolor"].to_numpy()})  # fmt: skip
    found = tr.evaluate(table)
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert "'two' has no probability of virginica, so it never predicts that" in found.guesses
    with pytest.raises(BadInput):
        found["log_loss"]


def test_both_columns_of_a_yes_or_no_stay_one() -> None:
    both = np.stack([1 - CHANCES[:, 0], CHANCES[:, 0]], axis=1)
    truth = (IRIS.target == 0).astype(int)
    assert tr.evaluate(truth, both).plan.task == "binary"
    forced = tr.evaluate(truth, both, classes=[0, 1])
    assert forced.plan.task == "multiclass"


def test_labels_are_matrices() -> None:
    truth = DRAW.integers(0, 2, (200, 3))
    score = np.clip(truth + DRAW.normal(0, 0.5, truth.shape), 0, 1)
    found = tr.evaluate(truth, score, classes=["x", "y", "z"])
    assert found.plan.task == "multilabel"
    assert found["hamming_loss"].value == pytest.approx(hamming_loss(truth, score > 0.5))
    assert found["roc_auc_macro"].value == pytest.approx(roc_auc_score(truth, score))
    frame = tr.evaluate(pd.DataFrame(truth, columns=list("xyz")),
                        pd.DataFrame(score, columns=list("xyz"))[["z", "x", "y"]])  # fmt: skip
    assert frame["hamming_loss"] == found["hamming_loss"]
    pairs = [np.stack([1 - score[:, k], score[:, k]], axis=1) for k in range(3)]
    assert tr.evaluate(truth, pairs)["hamming_loss"].value == found["hamming_loss"].value
    with pytest.raises(BadInput, match="has 2 columns, and the truth 3 labels"):
        tr.evaluate(truth, score[:, :2])


def test_numbers_and_their_quantiles() -> None:
    found = tr.evaluate(Y, GUESS)
    assert found.plan.task == "regression"
    assert found["mae"].value == pytest.approx(mean_absolute_error(Y, GUESS), rel=1e-12)
    spread = pd.DataFrame({"q0.05": GUESS - 66, 0.5: GUESS, "q0.95": GUESS + 66})
    held = tr.evaluate(Y, {"wide": spread}, metrics=["coverage", "mae"])
    inside = np.mean((spread["q0.05"] <= Y) & (spread["q0.95"] >= Y))
    assert held["coverage"].value == pytest.approx(inside)
    assert held["mae"] == tr.evaluate(Y, {"wide": GUESS}, metrics=["mae"])["mae"]
    crossed = tr.evaluate(Y, {"m": {"point": GUESS, "q0.05": GUESS + 1, "q0.95": GUESS - 1}},
                          metrics=["coverage", "mae"])  # fmt: skip
    assert crossed["mae"] == held["mae"]
    with pytest.raises(BadInput) as caught:
        crossed["coverage"]
    assert caught.value.why == "the quantiles of 442 of 442 rows are not ascending"


def test_forecasts_have_a_past() -> None:
    steps = np.arange(40.0)
    past = pd.DataFrame({"series": ["x"] * 40 + ["y"] * 40, "value": [*steps, *(10 * steps)]})
    truth = [40, 41.5, 42, 43, 400, 410, 421, 430]
    guess = [41, 42.5, 43, 44, 410, 420, 431, 440]
    found = tr.evaluate(truth, guess, series=["x"] * 4 + ["y"] * 4, history=past,
                        metrics=["mase"])  # fmt: skip
    assert found.models[0].absent[0].metric == "mase"  # every error is one step of its series
    wider = [42, *guess[1:]]
    again = tr.evaluate(truth, wider, series=["x"] * 4 + ["y"] * 4, history=past,
                        cluster=np.arange(8), metrics=["mase"])  # fmt: skip
    assert again.models[0].estimates == [] or again["mase"].value == pytest.approx(9 / 8)


def test_lists_of_one_length_are_labels_unless_they_are_graded_and_that_is_said() -> None:
    truth = [[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]] * 3
    score = [[0.9, 0.1, 0.2], [0.2, 0.3, 0.4], [0.4, 0.5, 0.1], [0.1, 0.2, 0.6]] * 3
    found = tr.evaluate(truth, score)
    assert found.plan.task == "multilabel"
    assert found.guesses[0].endswith("a 0 or 1 for each label (task='ranking' says otherwise)")
    assert tr.evaluate(truth, score, task="ranking").plan.task == "ranking"
    assert "each list" not in found.guesses[1]
    graded = tr.evaluate([[2, 0, 1], *truth[1:]], score)
    assert graded.plan.task == "ranking"
    assert graded.guesses[0].endswith("a query, with the relevance of each document")
    as_array = tr.evaluate(np.array(truth), np.array(score))
    assert not any("each list" in said for said in as_array.guesses)


def test_rankings_are_lists_or_a_table() -> None:
    relevance = [[0, 1, 0], [2, 0], [0, 0, 0, 1]] * 20
    scores = [[0.1, 0.2, 0.3], [0.9, 0.1], [0.3, 0.2, None, 0.1]] * 20
    found = tr.evaluate(relevance, scores, metrics=["mrr"])
    assert found.plan.task == "ranking"
    assert found["mrr"].value == pytest.approx((1 / 2 + 1 + 1 / 3) / 3)
    flat = [(f"q{q}", d, rel, scores[q][d]) for q, one in enumerate(relevance)
            for d, rel in enumerate(one)]  # fmt: skip
    table = pd.DataFrame(flat, columns=["query", "doc", "truth", "score"])
    assert tr.evaluate(table, metrics=["mrr"])["mrr"].value == pytest.approx(found["mrr"].value)
    columns = tr.evaluate(table["truth"], table["score"], query=table["query"], metrics=["mrr"])
    assert columns["mrr"].value == pytest.approx(found["mrr"].value)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((NAMES, CHANCES[:-1]), "the columns are not of one length"),
        ((NAMES, np.where(CHANCES > 0.9, np.nan, CHANCES)), "missing or NaN in"),
        ((NAMES[:1], CHANCES[:1]), "has 3 columns, and the truth 1 classes"),
        ((np.full(150, "ant"), NAMES), "not 0 or 1: it has one value only"),
        ((Y, np.full(Y.size, np.inf)), "is infinite in 442 rows"),
        ((Y, NAMES[: Y.size]), "not of one length"),
        ((NAMES, np.zeros((150, 3, 2))), "cannot be read as one column"),
        ((Y * 1e200, GUESS), "is greater than 1e+60"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_in_words(words: Any, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        tr.evaluate(*words)
    assert what in caught.value.what


def test_a_task_that_there_is_not_is_suggested() -> None:
    with pytest.raises(BadInput, match="there is no task 'regresion'") as caught:
        tr.evaluate(Y, GUESS, task="regresion")  # type: ignore[arg-type]
    assert caught.value.why == "did you mean 'regression'?"


@pytest.mark.parametrize(
    ("value", "lo", "hi", "shown"),
    [
        (48213.7, 47702.1, 48725.4, "48,214"),
        (0.00042, 0.0004, 0.00044, "0.000420"),
        (0.9734, 0.93, 0.99, "0.973"),
        (36.04, 33.4, 38.8, "36.0"),
        (25.0, 19.6, 30.1, "25.0"),
        (7.13, 0.05, 920.0, "7.1"),
        (1.0, 0.9914, 1.0, "1.0000"),
        (0.0, 0.0, 0.0, "0.000"),
        (3.2e12, 3.1e12, 3.3e12, "3.200e+12"),
        (-1.5e-11, -2e-11, -1e-11, "-1.500e-11"),
        (float("inf"), 0.0, float("inf"), "inf"),
    ],
)
def test_a_number_has_the_digits_that_its_interval_knows(
    value: float, lo: float, hi: float, shown: str
) -> None:
    assert in_decimals(value, decimals_for(value, lo, hi)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(152.133, "152.1"), (48213.7, "48,214"), (-1.0, "-1"), (0.00042, "0.00042"), (0.0, "0"),
     (3e20, "3.000e+20"), (25.0, "25")],
)  # fmt: skip
def test_a_plain_number_is_short(value: float, shown: str) -> None:
    assert plain_number(value, digits=4) == shown
