"""What lies between slices, rows in time, and tests of forecasts, as a person sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

import trackrecord as tr

from .conftest import trackrecord


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """3,000 rows in 60 days; the scores of one group of three are noise."""
    rng = np.random.default_rng(0)
    risk, group = rng.normal(size=3000), rng.integers(0, 3, 3000)
    noise = np.where(group == 0, 3.0, 0.2)
    pl.DataFrame(
        {
            "truth": (rng.random(3000) < expit(risk - 1)).astype(int),
            "score": expit(risk - 1 + noise * rng.normal(size=3000)),
            "group": np.array(["north", "south", "west"])[group],
            "day": np.arange(3000) // 50,
            "week": np.arange(3000) // 350,
        }
    ).write_csv(tmp_path / "p.csv")
    return tmp_path


def test_gaps_and_the_worse_group_are_told(folder: Path) -> None:
    told = trackrecord("evaluate", "p.csv", "--slice", "group", "--metric", "brier", at=folder)
    assert told.code == 0
    (line,) = (text for text in told.out.splitlines() if "group: brier" in text)
    assert "to north" in line
    assert "worse than all rows in brier: group: north (p < 0.001)" in told.out
    assert "group: south (p" not in told.out


def test_what_lies_between_slices_stands_below_them_and_verdicts_come_last(folder: Path) -> None:
    words = ["--slice", "group", "--metric", "brier", "--criterion", "brier < 0.5"]
    told = trackrecord("evaluate", "p.csv", *words, at=folder).out
    places = [told.index(text) for text in (" slice ", " between slices ", "came true", "accepted")]
    assert places == sorted(places)


def test_the_gap_is_in_the_answer_for_a_program(folder: Path) -> None:
    told = trackrecord(
        "evaluate", "p.csv", "--slice", "group", "--metric", "selection_rate", "--json", at=folder
    )
    (gap,) = told.json["result"]["gaps"]
    assert (gap["slice"], gap["metric"], gap["slices"]) == ("group", "selection_rate", 3)
    assert gap["lo"] <= gap["value"] <= gap["hi"]
    assert gap["ratio_lo"] <= gap["ratio"] <= gap["ratio_hi"]


def test_a_time_that_is_named_lets_rows_near_each_other_depend(folder: Path) -> None:
    told = trackrecord(
        "evaluate", "p.csv", "--time", "day", "--metric", "brier", "--json", at=folder
    )
    assert told.json["plan"]["timed"] is True
    (estimate,) = told.json["result"]["models"][0]["estimates"]
    assert "60 periods" in estimate["method"]
    assert any("of near 'time's" in text for text in told.json["guesses"])


def test_too_few_times_are_clusters_and_that_is_said(folder: Path) -> None:
    told = trackrecord("evaluate", "p.csv", "--time", "week", "--metric", "brier", at=folder)
    assert "9 different times are too few to know how they follow each other" in told.out
    assert "3,000 rows in 9 clusters" in told.out


def test_a_time_that_nobody_names_changes_nothing(folder: Path) -> None:
    pl.read_csv(folder / "p.csv").rename({"day": "time"}).write_csv(folder / "q.csv")
    told = trackrecord("evaluate", "q.csv", "--json", at=folder)
    assert told.json["plan"]["timed"] is False


def test_forecasts_are_tested_against_each_baseline(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = np.cumsum(rng.normal(size=80))
    pl.DataFrame(
        {
            "day": range(80),
            "y": truth,
            "good": truth + 0.3 * rng.normal(size=80),
            "poor": truth + 2.0 * rng.normal(size=80),
        }
    ).write_csv(tmp_path / "f.csv")
    words = ["evaluate", "f.csv", "--target", "y", "--score", "good", "--baseline", "poor"]
    told = trackrecord(*words, "--time", "day", "--horizon", "1", at=tmp_path)
    assert "good − poor, absolute error 1 ahead: −" in told.out
    assert "p < 0.001 over 80 times (Diebold–Mariano)" in " ".join(told.out.split())
    told = trackrecord(*words, "--horizon", "1", at=tmp_path)
    assert told.code == 2
    assert "a horizon is for forecasts in time" in told.err


def test_python_says_the_same(folder: Path) -> None:
    table = pl.read_csv(folder / "p.csv")
    result = tr.evaluate(table["truth"], table["score"], time=table["day"], metrics=["brier"])
    assert result.plan.timed
    assert "60 periods" in result["brier"].method


def test_exact_bounds_of_a_share_are_there_on_request(folder: Path) -> None:
    words = ["evaluate", "p.csv", "--metric", "accuracy", "--json"]
    found = [
        trackrecord(*words, *more, at=folder).json["result"]["models"][0]["estimates"][0]
        for more in ([], ["--exact"])
    ]
    assert [e["method"] for e in found] == ["Wilson score", "Clopper-Pearson"]
    assert found[1]["lo"] < found[0]["lo"] < found[0]["hi"] < found[1]["hi"]
