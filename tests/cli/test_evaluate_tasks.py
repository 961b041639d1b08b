"""``trackrecord evaluate``, ``compare`` and ``power`` of classes, labels, numbers and rankings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, mean_absolute_error

from .conftest import trackrecord

KEYS = {"metric", "value", "lo", "hi", "level", "se", "n", "clusters", "method"}
IRIS, DIABETES = load_iris(), load_diabetes()
FITTED = LogisticRegression(max_iter=500).fit(IRIS.data[::3], IRIS.target[::3])
CHANCES = FITTED.predict_proba(IRIS.data)
LINE = LinearRegression().fit(DIABETES.data[::2], DIABETES.target[::2]).predict(DIABETES.data)


def iris() -> pl.DataFrame:
    names = IRIS.target_names
    return pl.DataFrame(
        {
            "flower": [f"i{n}" for n in range(150)],
            "species": names[IRIS.target],
            **{f"fit_{name}": CHANCES[:, k] for k, name in enumerate(names)},
            "rule": np.where(IRIS.data[:, 2] < 2.5, "setosa",
                             np.where(IRIS.data[:, 2] < 4.8, "versicolor", "virginica")),
            "long": np.where(IRIS.data[:, 0] > 5.8, "yes", "no"),
        }
    )  # fmt: skip


def diabetes() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [f"d{n}" for n in range(442)],
            "truth": DIABETES.target,
            "score.mean": np.full(442, DIABETES.target.mean()) + np.arange(442) % 2,
            "score.line": LINE,
        }
    )


def rankings() -> pl.DataFrame:
    draw = np.random.default_rng(9)
    truth = draw.integers(0, 2, 400)
    return pl.DataFrame(
        {
            "query": np.repeat([f"q{n}" for n in range(40)], 10),
            "document": np.tile([f"d{n}" for n in range(10)], 40),
            "truth": truth,
            "score": truth + draw.normal(0, 1, 400),
            "other": draw.normal(0, 1, 400),
        }
    )


ROLES = ["--target", "species", "--id", "flower", "--score", "fit_", "--baseline", "rule"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    iris().write_csv(tmp_path / "iris.csv")
    diabetes().write_csv(tmp_path / "diabetes.csv")
    rankings().write_csv(tmp_path / "rankings.csv")
    return tmp_path


def test_classes_are_measured_from_a_file(folder: Path) -> None:
    words = ["iris.csv", *ROLES, "--slice", "long", "--criterion", "accuracy >= 0.9"]
    told = trackrecord("evaluate", *words, at=folder)
    assert told.code == 0
    assert "'species' is one class of 3 (--task says otherwise)" in told.out
    assert "150 rows, 3 classes (50 rows each) · 95 % intervals" in told.out
    assert "truth ↓ called →" in told.out
    assert "✓ accepted  accuracy >= 0.9" in told.out
    answer = trackrecord("evaluate", *words, "--json", at=folder).json
    assert answer["plan"]["task"] == "multiclass"
    assert answer["plan"]["baselines"] == ["rule"]
    found = {e["metric"]: e for e in answer["result"]["models"][1]["estimates"]}
    assert set(found["f1_macro"]) == KEYS
    exact = f1_score(IRIS.target, CHANCES.argmax(1), average="macro")
    assert found["f1_macro"]["value"] == pytest.approx(exact, abs=1e-12)


def test_numbers_have_the_digits_that_are_known(folder: Path) -> None:
    told = trackrecord("evaluate", "diabetes.csv", "--baseline", "mean", at=folder)
    assert "442 rows, mean 152.1, from 25 to 346 · 95 % intervals" in told.out
    mae = mean_absolute_error(DIABETES.target, LINE)
    assert f"line: mae {mae:.1f} [" in told.out
    pl.read_csv(folder / "diabetes.csv").with_columns(
        pl.col("truth", "score.mean", "score.line") * 1e4
    ).write_csv(folder / "big.csv")
    big = trackrecord("evaluate", "big.csv", "--baseline", "mean", "--metric", "mae", at=folder)
    assert f"line: mae {1e4 * mae:,.0f} [" in big.out
    assert ".000" not in big.out


def test_the_report_of_each_task_is_written(folder: Path) -> None:
    for words in (["iris.csv", *ROLES], ["diabetes.csv"], ["rankings.csv"]):
        told = trackrecord("evaluate", *words, "--out", "r.html", at=folder)
        assert told.code == 0
        page = (folder / "r.html").read_text("utf-8")
        assert "How the intervals were made" in page
        assert "Where to put the threshold" not in page


def test_forecasts_have_series_and_a_history(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    walk = np.cumsum(draw.normal(0, 1, (40, 60)), axis=1) + 50
    past, ahead = walk[:, :50], walk[:, 50:]
    pl.DataFrame(
        {"sku": np.repeat(np.arange(40), 50), "day": np.tile(np.arange(50), 40),
         "sold": past.ravel()}
    ).write_csv(tmp_path / "h.csv")  # fmt: skip
    pl.DataFrame(
        {"sku": np.repeat(np.arange(40), 10), "day": np.tile(np.arange(50, 60), 40),
         "sold": ahead.ravel(), "naive": np.repeat(past[:, -1], 10)}
    ).write_csv(tmp_path / "f.csv")  # fmt: skip
    words = ["f.csv", "--target", "sold", "--score", "naive", "--series", "sku", "--time", "day",
             "--history", "h.csv", "--slice", "horizon", "--metric", "mase"]  # fmt: skip
    told = trackrecord("evaluate", *words, "--json", at=tmp_path)
    assert told.code == 0
    found = told.json["result"]["models"][0]["estimates"][0]
    scale = np.abs(np.diff(past, axis=1)).mean(axis=1)
    exact = (np.abs(ahead - past[:, -1:]) / scale[:, None]).mean()
    assert found["value"] == pytest.approx(exact, abs=1e-9)
    assert found["clusters"] == 40
    assert [part["value"] for part in told.json["result"]["slices"]] == list(map(str, range(1, 11)))
    bare = trackrecord("evaluate", *words[:-6], "--season", "7", at=tmp_path)
    assert bare.code == 2
    assert "--season is of a history" in bare.err


def test_labels_are_measured_from_a_file(tmp_path: Path) -> None:
    truth = np.random.default_rng(1).integers(0, 2, (90, 2))
    pl.DataFrame(
        {"y_a": truth[:, 0], "y_b": truth[:, 1], "m_a": truth[:, 0] * 0.8, "m_b": [0.4] * 90}
    ).write_csv(tmp_path / "l.csv")
    told = trackrecord("evaluate", "l.csv", "--target", "y_", at=tmp_path)
    assert told.code == 0
    assert "90 rows, 2 labels" in told.out
    assert "hamming_loss" in told.out


def test_rankings_are_compared_by_query(folder: Path) -> None:
    frame = rankings()
    frame.drop("other").head(380).write_csv(folder / "a.csv")
    frame.drop("score").rename({"other": "score"}).tail(390).filter(
        pl.col("document") != "d0"
    ).write_csv(folder / "b.csv")
    told = trackrecord("compare", "a.csv", "b.csv", at=folder)
    assert told.code == 0
    assert "37 queries of both" in told.out
    assert "! 2 ids only in a.csv" not in told.out
    assert "! 1 id only in a.csv, left out: q0" in told.out
    assert "! 2 ids only in b.csv, left out: q38, q39" in told.out
    answer = trackrecord("compare", "a.csv", "b.csv", "--json", at=folder).json
    assert answer["plan"]["task"] == "ranking"
    assert answer["result"]["differences"][0]["estimates"][0]["n"] == 37
    spoilt = frame.with_columns(truth=1 - pl.col("truth")).rename({"other": "s"}).drop("score")
    spoilt.write_csv(folder / "b.csv")
    error = trackrecord("compare", "a.csv", "b.csv", "--score", "score", "--score", "s", at=folder)
    assert error.code == 2
    assert "disagree on the relevance" in error.err


def test_trec_runs_are_evaluated_and_compared(folder: Path) -> None:
    rows = rankings().rows()
    (folder / "q.qrels").write_text("".join(f"{q} 0 {d} {t}\n" for q, d, t, _, _ in rows))
    (folder / "a.run").write_text("".join(f"{q} Q0 {d} 1 {s:.6f} a\n" for q, d, _, s, _ in rows))
    (folder / "b.run").write_text("".join(f"{q} Q0 {d} 1 {o:.6f} b\n" for q, d, _, _, o in rows))
    told = trackrecord("evaluate", "a.run", "--qrels", "q.qrels", at=folder)
    assert told.code == 0
    assert "a: ndcg@10 " in told.out
    both = trackrecord("compare", "a.run", "b.run", "--qrels", "q.qrels", "--json", at=folder)
    assert (both.json["pairing"]["a"], both.json["pairing"]["b"]) == ("a", "b")
    flat = trackrecord(
        "evaluate", "rankings.csv", "--score", "score", "--baseline", "other", "--json", at=folder
    )
    one = both.json["result"]["differences"][0]["estimates"][0]
    other = flat.json["result"]["differences"][0]["estimates"][0]
    assert one["value"] == pytest.approx(other["value"], abs=1e-9)
    alone = trackrecord("evaluate", "a.run", at=folder)
    assert alone.code == 2
    assert "is a TREC run" in alone.err


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_two_files_of_any_task_are_paired_on_their_ids(folder: Path, kind: str) -> None:
    if kind == "classes":
        frame = iris().rename({"flower": "id", "species": "truth"})
        a, b = frame.drop("rule", "long"), frame.select("id", "truth", pl.col("rule").alias("pred"))
        spoilt = b.with_columns(truth=pl.col("truth").reverse())
        gap = (CHANCES.argmax(1) == IRIS.target).mean() - (
            iris()["rule"] == iris()["species"]
        ).mean()
        metric = "accuracy"
    else:
        frame = diabetes()
        a, b = frame.drop("score.mean"), frame.drop("score.line")
        spoilt = b.with_columns(truth=pl.col("truth") + 1)
        gap = mean_absolute_error(DIABETES.target, LINE) - mean_absolute_error(
            DIABETES.target, frame["score.mean"]
        )
        metric = "mae"
    a.write_csv(folder / "a.csv")
    b.sample(fraction=1, shuffle=True, seed=1).write_csv(folder / "b.csv")
    told = trackrecord("compare", "a.csv", "b.csv", "--metric", metric, "--json", at=folder)
    assert told.code == 0, told.out
    found = told.json["result"]["differences"][0]["estimates"][0]
    assert found["value"] == pytest.approx(gap, abs=1e-9)
    spoilt.write_csv(folder / "b.csv")
    error = trackrecord("compare", "a.csv", "b.csv", at=folder)
    assert error.code == 2
    assert "disagree on the truth" in error.err


def test_two_files_of_two_tasks_are_not_compared(folder: Path) -> None:
    iris().select(pl.col("flower").alias("id"), pl.col("species").alias("truth"),
                  pl.col("rule").alias("pred")).write_csv(folder / "a.csv")  # fmt: skip
    told = trackrecord("compare", "a.csv", "diabetes.csv", "--score", "pred", "--score", "line",
                       at=folder)  # fmt: skip
    assert told.code == 2
    assert "is one class of several" in told.err


def test_power_is_planned_from_a_pilot_of_any_task(folder: Path) -> None:
    words = ["--pilot", "diabetes.csv", "--score", "line", "--baseline", "mean"]
    told = trackrecord("power", "mae difference < -10", *words, "--json", at=folder)
    assert told.code == 0
    assert 0 < told.json["needed"] < 442
    wrong = trackrecord("power", "mae < 3", "--rate", "0.2", at=folder)
    assert wrong.code == 2
    assert "it judges a number" in wrong.err


NO: dict[str, tuple[list[Any], str]] = {
    "a metric of another task": (["diabetes.csv", "--metric", "roc_auc"], "where the truth is a n"),
    "costs": (["diabetes.csv", "--out", "r.html", "--costs", "1:5"], "--costs is for a yes or no"),
    "positive": (["iris.csv", *ROLES, "--task", "multiclass", "--positive", "setosa"],
                 "--positive is for a yes or no"),
    "a prefix that is none": (["iris.csv", *ROLES[:4], "--score", "fot_"], "no column 'fot_'"),
    "no history": (["diabetes.csv", "--history", "no.csv"], "there is no file no.csv"),
    "no series": (["diabetes.csv", "--series", "sku"], "has no column 'sku'"),
    "a season that is none": (
        ["diabetes.csv", "--series", "id", "--history", "diabetes.csv", "--season", "0"],
        "a season is a whole number of steps"),
    "judgements that are none": (["rankings.csv", "--qrels", "no.qrels"], "no.qrels"),
    "a query that is none": (["rankings.csv", "--query", "queri"], "has no column 'queri'"),
}  # fmt: skip


@pytest.mark.parametrize("name", NO)
def test_what_does_not_fit_ends_in_2_with_words(folder: Path, name: str) -> None:
    words, what = NO[name]
    told = trackrecord("evaluate", *words, at=folder)
    assert told.code == 2, told.out
    assert what in told.err
    assert "Traceback" not in told.err
