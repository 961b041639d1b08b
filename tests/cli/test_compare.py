"""``trackrecord compare``: paired on ids, with what does not match said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from .conftest import trackrecord


def table(rows: int = 300) -> pl.DataFrame:
    draw = np.random.default_rng(4)
    score = draw.random(rows)
    return pl.DataFrame(
        {
            "id": [f"u{n}" for n in range(rows)],
            "truth": (draw.random(rows) < score).astype(int),
            "score": score,
            "plane": np.arange(rows) // 5,
        }
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """a.csv, and b.csv with a coarser score, other rows, and another order."""
    frame = table()
    frame.head(280).write_csv(tmp_path / "a.csv")
    coarse = frame.with_columns(pl.col("score").round(1)).drop("plane")
    coarse.tail(250).sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / "b.csv")
    return tmp_path


def test_differences_are_a_minus_b_on_the_shared_rows(files: Path) -> None:
    told = trackrecord("compare", "a.csv", "b.csv", "--cluster", "plane", "--json", at=files)
    assert told.code == 0
    shared = table()[50:280]
    gap = roc_auc_score(shared["truth"], shared["score"]) - roc_auc_score(
        shared["truth"], shared["score"].round(1)
    )
    found = told.json["result"]["differences"][0]["estimates"][0]
    assert found["value"] == pytest.approx(gap, abs=1e-12)
    assert (found["n"], found["clusters"]) == (230, 46)
    assert set(found) == {
        "metric", "value", "lo", "hi", "level", "se", "n", "clusters", "method",
    }  # fmt: skip
    assert told.json["pairing"]["shared"] == 230
    assert told.json["pairing"]["only_a"] == {"rows": 50, "examples": ["u0", "u1", "u2"]}


def test_what_did_not_match_is_said_with_examples(files: Path) -> None:
    text = trackrecord("compare", "a.csv", "b.csv", at=files).out
    assert "a (a.csv) minus b (b.csv)" in text
    assert "230 rows of both, paired on their ids" in text
    assert "! 50 rows only in a.csv, left out: u0, u1, u2, …" in text
    assert "! 20 rows only in b.csv" in text


def test_a_column_of_ids_that_is_not_there_is_told_by_the_option_that_named_it(
    files: Path,
) -> None:
    told = trackrecord("compare", "a.csv", "b.csv", "--on", "plan", at=files)
    assert told.code == 2
    assert "a.csv has no column 'plan'" in told.err
    assert "--on plan" in told.err
    assert "--on 'plane'" in told.err
    assert "--id" not in told.err
    told = trackrecord("compare", "a.csv", "b.csv", "--on", "plane", at=files)
    assert "b.csv has no column 'plane'" in told.err


def test_a_criterion_that_does_not_hold_ends_in_1(files: Path) -> None:
    words = ("compare", "a.csv", "b.csv", "--criterion")
    assert trackrecord(*words, "roc_auc difference > 0.5", at=files).code == 1
    assert trackrecord(*words, "roc_auc difference > -0.5", at=files).code == 0


def test_the_same_file_differs_from_itself_by_nothing(files: Path) -> None:
    told = trackrecord("compare", "a.csv", "a.csv", "--json", at=files)
    found = told.json["result"]["differences"][0]["estimates"][0]
    assert (found["value"], found["lo"], found["hi"]) == (0.0, 0.0, 0.0)


def changed(**columns: Any) -> pl.DataFrame:
    return table().with_columns(**columns)


@pytest.mark.parametrize(
    ("b", "words", "what"),
    [
        (changed(id=pl.lit("u7")), [], "repeat an id"),
        (changed(id="x" + pl.col("id")), [], "share no id"),
        (changed(truth=1 - pl.col("truth")), [], "disagree on the truth of 300 shared ids"),
        (changed(plane=pl.col("plane") + 1), ["--cluster", "plane"], "disagree on the cluster"),
        (table().drop("id"), [], "b.csv has no id column"),
        (table().drop("score"), [], "b.csv has no column 'score'"),
        (changed(other=pl.col("score")), ["--on", "unit"], "has no column 'unit'"),
        (changed(score=pl.lit(None, pl.Float64)), [], "missing or NaN in 300 rows"),
        (table(), ["--metric", "rocauc"], "there is no metric 'rocauc'"),
        (table(), ["--criterion", "roc_auc =< 1"], "cannot read the criterion"),
        (table(), ["--score", "score", "--score", "score", "--score", "x"], "--score names one"),
    ],
)
def test_files_that_cannot_be_compared_end_in_2(
    tmp_path: Path, b: pl.DataFrame, words: list[str], what: str
) -> None:
    table().write_csv(tmp_path / "a.csv")
    b.write_csv(tmp_path / "b.csv")
    told = trackrecord("compare", "a.csv", "b.csv", *words, at=tmp_path)
    assert told.code == 2
    assert what in told.err
    assert "next:" in told.err


def test_a_truth_that_differs_is_named_by_its_ids(tmp_path: Path) -> None:
    table().write_csv(tmp_path / "a.csv")
    flipped = pl.when(pl.col("id") == "u9").then(1 - pl.col("truth")).otherwise(pl.col("truth"))
    changed(truth=flipped).write_csv(tmp_path / "b.csv")
    told = trackrecord("compare", "a.csv", "b.csv", at=tmp_path)
    assert "disagree on the truth of 1 shared id" in told.err
    assert "'u9'" in told.err


def test_each_file_may_call_its_scores_differently(tmp_path: Path) -> None:
    table().rename({"score": "p_new"}).write_csv(tmp_path / "a.csv")
    table().rename({"score": "p_old"}).write_csv(tmp_path / "b.csv")
    told = trackrecord(
        "compare", "a.csv", "b.csv", "--score", "p_new", "--score", "p_old", "--json", at=tmp_path
    )
    assert told.json["pairing"]["a"] == "p_new"
    assert told.json["plan"]["baselines"] == ["p_old"]
