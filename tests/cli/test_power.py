"""``trackrecord power``: how much data decides a criterion, checked by doing it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from trackrecord.evaluation.library import evaluate
from trackrecord.evaluation.power import power_assumed, power_from_pilot
from trackrecord.evaluation.reading import interpret

from .conftest import trackrecord


def sample(rows: int, draw: np.random.Generator, *, per: int = 1) -> pl.DataFrame:
    """Rows of a model and a noisier one; ``per`` rows in a row share half their log odds."""
    shared = np.repeat(draw.normal(0, 1, -(-rows // per)), per)[:rows]
    odds = 0.5 * shared + draw.normal(-1, 0.9, rows)
    truth = draw.random(rows) < 1 / (1 + np.exp(-odds))
    noisy = odds + draw.normal(0, 0.6, rows)
    return pl.DataFrame(
        {
            "truth": truth.astype(int),
            "score.old": 1 / (1 + np.exp(-noisy)),
            "score.new": 1 / (1 + np.exp(-odds)),
            "cluster": np.arange(rows) // per,
        }
    )


def test_the_number_that_is_needed_decides_in_about_80_of_100_samples() -> None:
    draw = np.random.default_rng(1)
    criterion = "roc_auc difference > 0"
    pilot = interpret(sample(4000, draw).drop("cluster"), "pilot")
    found = power_from_pilot(criterion, pilot)
    assert found.needed is not None
    decided = 0
    for _ in range(150):
        frame = sample(found.needed, draw).drop("cluster")
        result = evaluate(frame, metrics=["roc_auc"], criteria=[criterion])
        decided += result.verdicts[0].verdict != "undecided"
    assert 0.68 < decided / 150 < 0.92


def test_clusters_are_the_unit_where_the_pilot_has_them() -> None:
    pilot = interpret(sample(4000, np.random.default_rng(2), per=8), "pilot")
    found = power_from_pilot("roc_auc >= 0.70", pilot, expect=0.73)
    assert (found.unit, found.units, found.rows, found.rows_per_unit) == (
        "clusters", 500, 4000, 8.0,
    )  # fmt: skip
    assert found.needed is not None
    assert found.needed_rows == 8 * found.needed


def test_the_pilot_s_own_pairing_counts() -> None:
    """Two models that agree on most rows need far fewer rows than two that do not."""
    draw = np.random.default_rng(3)
    frame = sample(4000, draw).drop("cluster")
    near = frame.with_columns(
        (pl.col("score.new") * 0.98 + pl.col("score.old") * 0.02).alias("score.old")
    )
    shuffled = frame.with_columns(pl.lit(draw.random(4000)).alias("score.old"))
    criterion = "roc_auc difference > 0.5"
    alike = power_from_pilot(criterion, interpret(near, "p"), expect=0.51)
    unlike = power_from_pilot(criterion, interpret(shuffled, "p"), expect=0.51)
    assert alike.needed is not None
    assert unlike.needed is not None
    assert 100 * alike.needed < unlike.needed


def test_the_curve_rises_and_passes_80_percent_at_the_number_needed() -> None:
    found = power_assumed("roc_auc difference >= 0.01", rate=0.2)
    chances = [point.chance for point in found.curve]
    assert chances == sorted(chances)
    at = {point.units: point.chance for point in found.curve}
    assert found.needed is not None
    assert at[found.needed] == pytest.approx(0.8, abs=0.001)


def test_more_alike_models_and_smaller_clusters_need_fewer_rows() -> None:
    def needed(**options: float) -> int:
        found = power_assumed("roc_auc difference >= 0.01", rate=0.2, **options)
        assert found.needed_rows is not None
        return found.needed_rows

    assert needed(correlation=0.95) < needed(correlation=0.7) == needed() < needed(correlation=0.2)
    assert needed(cluster_size=20, icc=0.1) == pytest.approx(2.9 * needed(), rel=0.02)


def test_a_true_value_on_the_limit_is_never_decided() -> None:
    found = power_assumed("roc_auc >= 0.7", rate=0.2, expect=0.7)
    assert found.needed is None
    told = trackrecord("power", "roc_auc >= 0.7", "--rate", "0.2", "--expect", "0.7")
    assert told.code == 0
    assert "no number of rows has a chance of 80 %" in told.out


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    sample(1000, np.random.default_rng(4), per=5).write_csv(tmp_path / "p.csv")
    return tmp_path


def test_the_answer_is_printed_with_what_it_rests_on_and_the_curve(pilot: Path) -> None:
    told = trackrecord(
        "power", "roc_auc difference >= 0.01", "--pilot", "p.csv", "--rows", "5000",
        "--out", "power.html", at=pilot,
    )  # fmt: skip
    assert told.code == 0
    assert "rows) for a chance of 80 % that it is decided" in told.out
    assert "1,000 clusters (5,000 rows) have a chance of" in told.out
    assert "taken so: how alike 'new' and 'old' are is measured on the pilot's rows" in told.out
    assert "← 80 %" in told.out
    page = (pilot / "power.html").read_text("utf-8")
    assert "<script" not in page
    assert "have a chance of 80 %" in page
    answer = trackrecord("power", "roc_auc >= 0.7", "--pilot", "p.csv", "--json", at=pilot).json
    assert answer["unit"] == "clusters"
    assert {"units", "rows", "chance"} == set(answer["curve"][0])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["roc_auc >= 0.7"], "there is neither a pilot nor a rate"),
        (["roc_auc => 0.7", "--rate", "0.2"], "cannot read the criterion"),
        (["rocauc >= 0.7", "--rate", "0.2"], "there is no metric 'rocauc'"),
        (["roc_auc >= 0.7", "--rate", "1.2"], "must lie between 0 and 1, not at 1.2"),
        (["roc_auc >= 0.7", "--rate", "nan"], "must lie between 0 and 1, not at nan"),
        (["roc_auc >= 0.7", "--rate", "0.2", "--auc", "0.4"], "must lie between 0.5 and 1"),
        (["roc_auc >= 0.7", "--rate", "0.2", "--icc", "0.1"], "belong together"),
        (["roc_auc >= 0.7", "--rate", "0.2", "--rows", "0"], "--rows 0 are no rows"),
        (["roc_auc >= 0.7", "--pilot", "p.csv", "--rate", "0.2"], "without a pilot"),
        (["roc_auc >= 0.7", "--pilot", "none.csv"], "there is no file none.csv"),
        (["roc_auc difference to odl > 0", "--pilot", "p.csv"], "'odl' is not among the baselines"),
        (["roc_auc difference > 0", "--pilot", "p.csv", "--score", "new"], "which baseline"),
    ],
)
def test_what_cannot_be_reckoned_ends_in_2(pilot: Path, words: list[str], what: str) -> None:
    told = trackrecord("power", *words, at=pilot)
    assert told.code == 2
    assert what in told.err
    assert "next:" in told.err


def test_a_pilot_in_which_nothing_differs_is_refused(pilot: Path) -> None:
    frame = pl.read_csv(pilot / "p.csv").with_columns(pl.col("score.new").alias("score.old"))
    frame.write_csv(pilot / "same.csv")
    told = trackrecord("power", "roc_auc difference > 0", "--pilot", "same.csv", at=pilot)
    assert told.code == 2
    assert "shows nothing of how it varies" in told.err


def test_of_a_ranking_queries_are_counted(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    pl.DataFrame(
        {
            "query": [f"q{n // 5}" for n in range(300)],
            "document": [f"d{n % 5}" for n in range(300)],
            "truth": [int(n % 5 == 0) for n in range(300)],
            "score": draw.random(300),
        }
    ).write_csv(tmp_path / "pilot.csv")
    told = trackrecord("power", "mrr > 0.2", "--pilot", "pilot.csv", at=tmp_path)
    assert told.code == 0
    assert "60 queries have a chance of" in told.out
    assert "queries needed" in told.out
    assert "rows" not in told.out
