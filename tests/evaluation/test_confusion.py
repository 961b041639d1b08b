"""The candidate's confusion table in an evaluation of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import plan_for_outcomes
from trackrecord.evaluation.result import Confusion

NAMES = ["ash", "beech", "elm"]


def outcomes(n: int = 300, names: list[str] | None = None) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    kinds = np.array(names or NAMES)
    truth = rng.integers(0, kinds.size, n)
    label = np.where(rng.random(n) < 0.7, truth, rng.integers(0, kinds.size, n))
    return pl.DataFrame(
        {
            "id": [f"{i:04}" for i in range(n)],
            "truth": kinds[truth],
            "score.trees": kinds[label],
            "score.always": kinds[np.zeros(n, int)],
            "cluster": [f"wood {i % 30}" for i in range(n)],
        }
    )


def tables(frame: pl.DataFrame, **changes: Any) -> list[Confusion]:
    planned = plan_for_outcomes(frame, candidate="trees", task="multiclass", **changes)
    return evaluate_outcomes(frame, planned).confusion


def test_each_class_has_a_cell_for_each_and_its_shares_add_up() -> None:
    frame = outcomes()
    (found,) = tables(frame.drop("cluster"))
    assert (found.model, found.classes, found.method) == ("trees", NAMES, "Clopper-Pearson")
    assert [(cell.truth, cell.called) for cell in found.cells] == [
        (a, b) for a in NAMES for b in NAMES
    ]
    for name in NAMES:
        row = [cell for cell in found.cells if cell.truth == name]
        rows = frame.filter(pl.col("truth") == name)
        assert sum(cell.rows for cell in row) == rows.height
        assert sum(cell.share for cell in row) == pytest.approx(1)
        for cell in row:
            called = rows.filter(pl.col("score.trees") == cell.called).height
            assert cell.rows == called
            assert cell.lo is not None
            assert cell.hi is not None
            assert cell.lo < cell.share < cell.hi


def test_clusters_are_honoured() -> None:
    (found,) = tables(outcomes())
    assert found.method == "Korn-Graubard, clusters"
    (alone,) = tables(outcomes().drop("cluster"))
    assert [c.share for c in found.cells] == [c.share for c in alone.cells]
    assert found.cells != alone.cells
    one = outcomes().with_columns(pl.lit("wood").alias("cluster"))
    (none,) = tables(one)
    assert none.cells == []
    assert none.reason is not None
    assert "one cluster" in none.reason


def test_probabilities_are_called_by_the_likeliest_class() -> None:
    frame = outcomes().drop("cluster")
    chances = [
        {name: 0.8 if name == label else 0.1 for name in NAMES} for label in frame["score.trees"]
    ]
    (found,) = tables(frame.with_columns(pl.Series("score.trees", chances)))
    (by_label,) = tables(frame)
    assert found == by_label


def test_rows_without_a_weight_do_not_count() -> None:
    frame = outcomes().drop("cluster")
    weight = pl.Series("weight", [float(i % 3 > 0) for i in range(frame.height)])
    (found,) = tables(frame.with_columns(weight))
    (alone,) = tables(frame.filter(weight > 0))
    assert [c.rows for c in found.cells] == [c.rows for c in alone.cells]


def test_a_class_that_a_model_does_not_know_is_never_called() -> None:
    frame = outcomes().drop("cluster")
    chances = [{"ash": 0.6, "beech": 0.4} for _ in range(frame.height)]
    (found,) = tables(frame.with_columns(pl.Series("score.trees", chances)))
    assert found.classes == NAMES
    assert [cell.rows for cell in found.cells if cell.called != "ash"] == [0] * 6


def test_a_row_without_any_probability_is_a_reason_and_no_cell() -> None:
    frame = outcomes().drop("cluster")
    chances = [dict.fromkeys(NAMES, 1 / 3 if i > 1 else None) for i in range(frame.height)]
    (found,) = tables(frame.with_columns(pl.Series("score.trees", chances)))
    assert found.cells == []
    assert found.reason == "2 of 300 rows lack a score of every class"


def test_more_classes_than_can_be_read_have_no_table() -> None:
    assert len(tables(outcomes(2_000, [f"tree {i:02}" for i in range(20)]))) == 1
    assert tables(outcomes(2_000, [f"tree {i:02}" for i in range(21)])) == []


def test_the_order_of_rows_changes_no_bit() -> None:
    frame = outcomes()
    assert tables(frame) == tables(frame.sample(fraction=1, shuffle=True, seed=3))
