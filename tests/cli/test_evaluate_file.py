"""``trackrecord evaluate FILE``: roles, verdicts, the report, and what cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import trackrecord

KEYS = ["metric", "value", "lo", "hi", "level", "se", "n", "clusters", "method"]


def flights(rows: int = 400) -> pl.DataFrame:
    draw = np.random.default_rng(6)
    score = draw.random(rows)
    return pl.DataFrame(
        {
            "flight": [f"f{n}" for n in range(rows)],
            "late": np.where(draw.random(rows) < score, "yes", "no"),
            "p_late": score,
            "p_seasonal": np.round(score, 1),
            "plane": np.arange(rows) // 4,
            "day": [f"2024-{1 + n // 10 // 28:02d}-{1 + n // 10 % 28:02d}" for n in range(rows)],
            "w": 1 + np.arange(rows) % 3,
            "hour": np.arange(rows) % 24,
            "carrier": np.where(np.arange(rows) % 2 == 0, "AA", "UA"),
        }
    )


ROLES = [
    "--target", "late", "--positive", "yes", "--score", "p_late", "--baseline", "p_seasonal",
    "--id", "flight", "--cluster", "plane", "--time", "day", "--weight", "w",
    "--slice", "carrier", "--slice", "hour>=18", "--metric", "roc_auc", "--metric", "brier",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    flights().write_csv(tmp_path / "p.csv")
    return tmp_path


def test_every_role_metric_and_verdict_is_in_the_answer(folder: Path) -> None:
    told = trackrecord(
        "evaluate", "p.csv", *ROLES, "--criterion", "roc_auc >= 0.6", "--level", "0.9",
        "--out", "report.html", "--costs", "1:5", "--json", at=folder,
    )  # fmt: skip
    assert told.code == 0
    answer = told.json
    assert answer["plan"]["models"] == ["p_late"]
    assert answer["plan"]["baselines"] == ["p_seasonal"]
    assert answer["plan"]["slices"] == ["carrier", "hour >= 18"]
    assert answer["plan"]["metrics"] == ["roc_auc", "brier"]
    assert (answer["plan"]["clustered"], answer["plan"]["weighted"]) == (True, True)
    assert answer["plan"]["level"] == 0.9
    estimates = answer["result"]["models"][1]["estimates"]
    assert [e["metric"] for e in estimates] == ["roc_auc", "brier"]
    assert all(sorted(e) == sorted(KEYS) for e in estimates)
    assert answer["result"]["verdicts"][0]["verdict"] == "accepted"
    assert answer["result"]["slices"][0]["bands"][0]["each"] > 0.9
    page = (folder / "report.html").read_text("utf-8")
    assert "Where it helps, and where not" in page
    assert "such lines hold for all slices at once" in page


@pytest.mark.parametrize(
    ("criterion", "code"),
    [("roc_auc >= 0.6", 0), ("roc_auc >= 0.99", 1), ("roc_auc difference > 0.0000001", 1)],
)
def test_the_exit_code_says_whether_every_criterion_holds(
    folder: Path, criterion: str, code: int
) -> None:
    told = trackrecord("evaluate", "p.csv", *ROLES, "--criterion", criterion, at=folder)
    assert told.code == code


def test_the_same_page_is_written_whatever_the_order_of_the_rows(folder: Path) -> None:
    flights().sample(fraction=1, shuffle=True, seed=2).write_csv(folder / "qp.csv")
    pages = []
    for name in ("p.csv", "qp.csv"):
        trackrecord("evaluate", name, *ROLES, "--out", "report.html", at=folder)
        pages.append((folder / "report.html").read_text("utf-8").replace("qp.csv", "p.csv"))
    assert pages[0] == pages[1]


def written(folder: Path, frame: pl.DataFrame) -> None:
    frame.write_csv(folder / "p.csv")


BASIC = flights().select(
    pl.col("flight").alias("id"), (pl.col("late") == "yes").cast(pl.Int8).alias("truth"),
    pl.col("p_late").alias("score"), "plane", "w",
)  # fmt: skip

BAD = {
    "no target": (BASIC.drop("truth"), [], "p.csv has no column 'truth'"),
    "all scores missing": (
        BASIC.with_columns(score=pl.lit(None, pl.Float64)), [], "missing or NaN in 400 rows"),
    "labels never seen": (
        BASIC.with_columns(truth=pl.col("truth") + 1), [], "'truth' is not 0 or 1"),
    "three labels": (
        BASIC.with_columns(truth=pl.int_range(pl.len()) % 3), [], "it has 3 different values"),
    "one class": (BASIC.with_columns(truth=pl.lit(1)), [], "the truth has one class"),
    "one row": (BASIC.head(1), [], "the truth has one class: its only row"),
    "no rows": (BASIC.clear(), [], "has a header but no rows"),
    "one cluster": (
        BASIC.with_columns(plane=pl.lit("N1")), ["--cluster", "plane"], "in one cluster, 'N1'"),
    "negative weight": (
        BASIC.with_columns(w=-pl.col("w")), ["--weight", "w"], "the weight is negative"),
    "zero weights": (
        BASIC.with_columns(w=pl.lit(0)), ["--weight", "w"], "every weight is 0"),
    "weight in one class only": (
        BASIC.with_columns(w=pl.col("truth")), ["--weight", "w"], "one class"),
    "doubled ids": (BASIC.with_columns(id=pl.lit("x")), [], "399 rows repeat an id"),
    "one doubled id": (pl.concat([BASIC, BASIC.head(1)]), [], "1 row repeats an id"),
    "mixed types": (
        BASIC.with_columns(score=pl.col("score").cast(pl.String).replace(
            BASIC["score"].cast(pl.String)[5], "high")), [], "'score' holds text, not numbers"),
    "unknown metric": (BASIC, ["--metric", "rocauc"], "there is no metric 'rocauc'"),
    "unknown metric in a criterion": (
        BASIC, ["--criterion", "rocauc > 0.5"], "there is no metric 'rocauc'"),
    "unreadable criterion": (BASIC, ["--criterion", "roc_auc > "], "cannot read the criterion"),
    "a difference to nothing": (
        BASIC, ["--criterion", "roc_auc difference > 0"], "does not say which baseline"),
    "a misspelt column": (BASIC, ["--score", "scor"], "p.csv has no column 'scor'"),
    "a slice of no column": (BASIC, ["--slice", "hours>=18"], "names 'hours'"),
    "a level that is none": (BASIC, ["--level", "95"], "intervals at level 95"),
    "costs that are none": (BASIC, ["--out", "r.html", "--costs", "5"], "cannot read the costs"),
    "costs without a page": (BASIC, ["--costs", "1:5"], "--costs is for the report"),
    "a folder that is not there": (
        BASIC, ["--out", "no/r.html"], "there is no folder no"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_input_that_cannot_be_used_ends_in_2_with_words(tmp_path: Path, name: str) -> None:
    frame, words, what = BAD[name]
    written(tmp_path, frame)
    before = sorted(tmp_path.iterdir())
    told = trackrecord("evaluate", "p.csv", *words, at=tmp_path)
    assert told.code == 2, told.out
    assert what in told.err
    assert "next:" in told.err
    assert "Traceback" not in told.err
    assert sorted(tmp_path.iterdir()) == before
    as_json = trackrecord("evaluate", "p.csv", *words, "--json", at=tmp_path)
    assert what in json.loads(as_json.out)["error"]["what"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"id|truth|score\na|1|0.7\nb|0|0.2\n", "does not separate its columns with ','"),
        (b"id,truth,score\na,1,\"0,7\"\nb,0,\"0.2\"\n", "'score' holds text, not numbers"),
        (b"id,truth,score\na,1,0.7\nb,0\n", "is not a table"),
        (b"PAR1 and then nothing", "is damaged"),
        (b"", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_ends_in_2_with_words(
    tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    told = trackrecord("evaluate", "p.csv", at=tmp_path)
    assert told.code == 2
    assert what in told.err


def test_a_pipe_is_no_case_and_the_words_say_what_to_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    told = trackrecord("evaluate", "pipe", at=tmp_path)
    assert told.code == 2
    assert "pipe is no file on a disk" in told.err
    assert "write it into a file first" in told.err


def test_scores_that_are_no_probabilities_give_what_still_holds(folder: Path) -> None:
    written(folder, BASIC.with_columns(score=20 * pl.col("score") - 10))
    told = trackrecord("evaluate", "p.csv", "--out", "r.html", at=folder)
    assert told.code == 0
    assert "score: roc_auc 0." in told.out
    assert "outside [0, 1]" in told.out
    assert "Decision curve" not in (folder / "r.html").read_text("utf-8")


def test_a_report_never_writes_over_what_is_measured(tmp_path: Path) -> None:
    BASIC.write_csv(tmp_path / "p.csv")
    before = (tmp_path / "p.csv").read_bytes()
    for words in (["evaluate", "p.csv"], ["power", "roc_auc > 0.5", "--pilot", "p.csv"]):
        told = trackrecord(*words, "--out", "../" + tmp_path.name + "/p.csv", at=tmp_path)
        assert told.code == 2
        assert "would write over p.csv" in told.err
        assert (tmp_path / "p.csv").read_bytes() == before


def test_a_column_with_two_roles_is_said_to_have_them(tmp_path: Path) -> None:
    BASIC.write_csv(tmp_path / "p.csv")
    told = trackrecord("evaluate", "p.csv", "--cluster", "truth", at=tmp_path)
    assert told.code == 2
    assert "the column 'truth' was named for something else" in told.err


@pytest.mark.parametrize("column", ["prediction", "score"])
def test_predictions_make_slices_and_stay_predictions(tmp_path: Path, column: str) -> None:
    numbers = pl.DataFrame({"truth": [1.5 * n % 7 for n in range(90)]})
    numbers.with_columns((pl.col("truth") + pl.int_range(90) % 4).alias(column)).write_csv(
        tmp_path / "n.csv"
    )
    told = trackrecord(
        "evaluate", "n.csv", "--slice", f"{column}>4", "--metric", "mae", "--json", at=tmp_path
    )
    assert [part["value"] for part in told.json["result"]["slices"]] == ["yes", "no"]
