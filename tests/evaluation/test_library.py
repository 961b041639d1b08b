"""trackrecord.evaluate and trackrecord.compare, with columns of every kind of library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

import trackrecord as tr
from trackrecord.errors import BadInput, DataError

DRAW = np.random.default_rng(5)
SCORE = DRAW.random(400)
TRUTH = (DRAW.random(400) < SCORE).astype(int)
COARSE = np.round(SCORE, 1)
PLANE = np.arange(400) // 8


def tensor(values: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor(np.asarray(values), requires_grad=np.asarray(values).dtype.kind == "f")


KINDS: dict[str, Callable[[Any], Any]] = {
    "list": lambda v: v.tolist(),
    "tuple": lambda v: tuple(v.tolist()),
    "numpy": lambda v: v,
    "numpy column": lambda v: v.reshape(-1, 1),
    "numpy objects": lambda v: v.astype(object),
    "numpy strided": lambda v: np.repeat(v, 2)[::2],
    "pandas": pd.Series,
    "pandas, another index": lambda v: pd.Series(v, index=range(len(v), 0, -1)),
    "pandas nullable": lambda v: pd.Series(v).convert_dtypes(),
    "pandas arrow": lambda v: pd.Series(v).convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.Series,
    "arrow": pa.array,
    "arrow chunked": lambda v: pa.chunked_array([v[:7], v[7:]]),
    "torch": tensor,
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_every_library_give_the_same_result(kind: str) -> None:
    make = KINDS[kind]
    found = tr.evaluate(make(TRUTH), make(SCORE), cluster=make(PLANE), metrics=["roc_auc"])
    assert found == tr.evaluate(TRUTH, SCORE, cluster=PLANE, metrics=["roc_auc"])
    assert found["roc_auc"].value == pytest.approx(roc_auc_score(TRUTH, SCORE), abs=1e-12)


FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "mapping": dict,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_tables_of_every_library_give_the_same_result(kind: str) -> None:
    frame = FRAMES[kind]({"late": TRUTH, "p": SCORE, "old": COARSE, "plane": PLANE})
    found = tr.evaluate(frame, "p", target="late", baseline="old", cluster="plane")
    columns = tr.evaluate(TRUTH, {"p": SCORE}, baseline={"old": COARSE}, cluster=PLANE)
    assert found.evaluation == columns.evaluation


def test_a_result_is_looked_up_by_metric_and_read_as_a_table() -> None:
    found = tr.evaluate(
        TRUTH, SCORE, baseline=COARSE, cluster=PLANE, metrics=["roc_auc"],
        criteria=["roc_auc >= 0.6"],
    )  # fmt: skip
    auc = found["roc_auc"]
    assert auc.lo < auc.value < auc.hi
    assert (auc.n, auc.clusters, auc.level) == (400, 50, 0.95)
    assert found.difference("roc_auc").value == pytest.approx(
        roc_auc_score(TRUTH, SCORE) - roc_auc_score(TRUTH, COARSE)
    )
    shown = repr(found)
    assert f"{auc.value:.3f} [{auc.lo:.3f}, {auc.hi:.3f}]  400        50" in shown
    assert "score − baseline, paired" in shown
    assert "✓ accepted roc_auc >= 0.6" in shown
    plain = found.to_dict()
    assert list(plain["result"]["models"][1]["estimates"][0]) == [
        "metric", "value", "lo", "hi", "level", "se", "n", "clusters", "method",
    ]  # fmt: skip


def test_the_second_column_of_both_classes_probabilities_is_taken() -> None:
    both = np.stack([1 - SCORE, SCORE], axis=1)
    assert tr.evaluate(TRUTH, both) == tr.evaluate(TRUTH, SCORE)
    with pytest.raises(BadInput, match="cannot be read as one column"):
        tr.evaluate(TRUTH, np.stack([SCORE, SCORE], axis=1))


def test_compare_is_the_paired_difference_of_a_and_b() -> None:
    found = tr.compare(TRUTH, SCORE, COARSE, cluster=PLANE)
    assert found["roc_auc"] == tr.evaluate(TRUTH, SCORE, baseline=COARSE, cluster=PLANE).difference(
        "roc_auc"
    )
    assert (found.a.name, found.b.name) == ("a", "b")
    assert found["roc_auc"].value == -tr.compare(TRUTH, COARSE, SCORE)["roc_auc"].value
    named = tr.compare(pd.DataFrame({"y": TRUTH, "new": SCORE, "old": COARSE}), "new", "old")
    assert (named.a.name, named.b.name) == ("new", "old")
    assert "new − old, paired" in repr(named)


def test_slices_are_given_as_columns_or_by_name() -> None:
    site = np.where(PLANE % 2 == 0, "north", "south")
    found = tr.evaluate(TRUTH, SCORE, slices={"site": site}, metrics=["roc_auc"])
    assert [part.value for part in found.slices] == ["north", "south"]
    frame = pl.DataFrame({"truth": TRUTH, "score": SCORE, "plane": PLANE})
    cut = tr.evaluate(frame, slices=["plane>=25"], metrics=["roc_auc"])
    assert [(part.value, part.rows) for part in cut.slices] == [("yes", 200), ("no", 200)]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((TRUTH,), "there are no scores"),
        ((TRUTH, SCORE[:-1]), "not of one length"),
        ((TRUTH, "score"), "cannot be read as one column: it is a str"),
        ((TRUTH, 0.5), "cannot be read as one column: it is a float"),
        ((TRUTH, object()), "cannot be read as one column"),
        ((None, SCORE), "cannot be read as one column: it is a NoneType"),
        ((TRUTH, np.full(400, np.nan)), "missing or NaN in 400 rows of 400"),
        ((TRUTH * 2, SCORE), "'truth' is not 0 or 1"),
        ((TRUTH * 0, SCORE), "the truth has one class"),
        (([1], [0.5]), "the truth has one class: its only row is 1"),
        (([], []), "the input has no rows"),
    ],
)
def test_columns_that_cannot_be_used_are_refused_in_words(words: Any, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        tr.evaluate(*words)
    assert what in caught.value.what


def test_names_and_metrics_that_are_not_there_are_suggested() -> None:
    with pytest.raises(BadInput, match="there is no metric 'rocauc'") as caught:
        tr.evaluate(TRUTH, SCORE, metrics=["rocauc"])
    assert caught.value.next == "did you mean 'roc_auc'?"
    found = tr.evaluate(TRUTH, SCORE, metrics=["roc_auc"])
    with pytest.raises(BadInput, match="'brier' was not measured"):
        found["brier"]
    with pytest.raises(BadInput, match="there is no baseline"):
        found.difference("roc_auc")


def test_a_score_that_is_no_probability_still_ranks_and_says_why_the_rest_is_absent() -> None:
    found = tr.evaluate(TRUTH, 10 * SCORE)
    assert found["roc_auc"].value == pytest.approx(roc_auc_score(TRUTH, SCORE))
    with pytest.raises(BadInput, match="there is no estimate of brier") as caught:
        found["brier"]
    assert "outside [0, 1]" in (caught.value.why or "")
    assert "brier: none, " in repr(found)


def test_one_cluster_is_refused() -> None:
    with pytest.raises(DataError, match="all rows are in one cluster, '7'"):
        tr.evaluate(TRUTH, SCORE, cluster=np.full(400, 7))
    assert tr.evaluate(TRUTH, SCORE, cluster=[None] * 400)["roc_auc"].clusters == 400


def test_one_metric_and_one_criterion_need_no_list() -> None:
    found = tr.evaluate(TRUTH, SCORE, metrics="brier", criteria="brier < 0.5")
    assert found.plan.metrics == ["brier"]
    assert [verdict.criterion for verdict in found.verdicts] == ["brier < 0.5"]


@pytest.mark.parametrize("level", ["95", None, 1.5, float("nan")])
def test_a_level_that_is_none_is_refused(level: object) -> None:
    with pytest.raises(BadInput, match="intervals at level"):
        tr.evaluate(TRUTH, SCORE, level=level)  # type: ignore[arg-type]


def test_one_time_is_refused_as_a_time() -> None:
    with pytest.raises(DataError, match="all rows are of one time, '7'") as caught:
        tr.evaluate(TRUTH, SCORE, time=np.full(400, 7))
    assert "--time" in str(caught.value.next)


def test_a_baseline_is_predictions_or_the_name_of_one_of_the_models() -> None:
    models = {"new": SCORE, "old": SCORE[::-1]}
    named = tr.evaluate(TRUTH, models, baseline="old")
    given = tr.evaluate(TRUTH, {"new": SCORE}, baseline={"old": SCORE[::-1]})
    assert named.plan.baselines == ["old"]
    assert named.difference("roc_auc") == given.difference("roc_auc")
    with pytest.raises(BadInput, match="there is no model 'odl'") as caught:
        tr.evaluate(TRUTH, models, baseline="odl")
    assert caught.value.why == "models: new, old"


def test_where_nothing_is_exact_that_is_said() -> None:
    alone = tr.evaluate(TRUTH, SCORE, metrics=["accuracy"], exact=True)
    assert alone["accuracy"].method == "Clopper-Pearson"
    assert not [said for said in alone.guesses if "exact" in said]
    shared = {"cluster": np.arange(400) // 4, "metrics": ["accuracy"]}
    held = tr.evaluate(TRUTH, SCORE, exact=True, **shared)
    assert held["accuracy"] == tr.evaluate(TRUTH, SCORE, **shared)["accuracy"]
    assert [said for said in held.guesses if "intervals are as without --exact" in said]


def test_a_column_of_scores_makes_slices_and_stays_one() -> None:
    table = {"truth": TRUTH, "score": SCORE}
    found = tr.evaluate(table, slices=["score > 0.5"], metrics=["accuracy"])
    assert [part.value for part in found.slices] == ["yes", "no"]
    assert found["accuracy"] == tr.evaluate(table, metrics=["accuracy"])["accuracy"]
