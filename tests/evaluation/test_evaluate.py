"""An Outcomes table evaluated: what is measured, what is absent, and the same bits every time."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

import trackrecord
from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import Plan, PlannedRequirement, plan_for_outcomes
from trackrecord.evaluation.result import CalibrationBin, Evaluation


def outcomes(rows: int = 600, seed: int = 3) -> pl.DataFrame:
    """A good model, a coarse one and a constant one, in clusters of ten rows."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(-1, 1.2, rows)
    share = 1 / (1 + np.exp(-odds))
    truth = (draw.random(rows) < share).astype(np.int8)
    return pl.DataFrame(
        {
            "id": [f"u{row:05d}" for row in range(rows)],
            "truth": truth,
            "score.rate": np.full(rows, 0.3),
            "score.coarse": np.clip(np.round(share, 1), 0.05, 0.95),
            "score.good": np.clip(share, 0.001, 0.999),
            "cluster": [f"day {row // 10}" for row in range(rows)],
            "slice.site": draw.choice(["north", "south"], rows),
            "slice.size": draw.integers(0, 100, rows),
        }
    )


def plan(**changes: Any) -> Plan:
    whole = Plan(
        metrics=["roc_auc", "brier"],
        models=["good"],
        baselines=["rate", "coarse"],
        candidate="good",
        reference="coarse",
        slices=["site", "size > 50"],
        criteria=[PlannedRequirement(name="ranks", require="roc_auc > 0.5")],
        level=0.95,
        clustered=False,
    )
    return msgspec.structs.replace(whole, **changes)


def bits(result: Evaluation) -> bytes:
    return msgspec.json.encode(result)


def test_values_are_those_of_an_independent_implementation() -> None:
    frame = outcomes()
    result = evaluate_outcomes(frame, plan())
    good = next(model for model in result.models if model.name == "good")
    auc, brier = good.estimates
    assert auc.value == pytest.approx(roc_auc_score(frame["truth"], frame["score.good"]))
    assert brier.value == pytest.approx(brier_score_loss(frame["truth"], frame["score.good"]))
    assert (result.rows, result.positives) == (600, int(frame["truth"].sum()))


def test_each_model_is_compared_with_each_baseline_on_the_same_rows() -> None:
    frame = outcomes()
    result = evaluate_outcomes(frame, plan())
    assert [(d.model, d.baseline) for d in result.differences] == [
        ("good", "rate"),
        ("good", "coarse"),
    ]
    by_name = {model.name: model for model in result.models}
    gap = result.differences[1].estimates[1]
    assert gap.value == pytest.approx(
        by_name["good"].estimates[1].value - by_name["coarse"].estimates[1].value
    )
    assert gap.hi - gap.lo < by_name["good"].estimates[1].hi - by_name["good"].estimates[1].lo


def test_slices_add_up_and_are_measured_on_their_own_rows() -> None:
    frame = outcomes()
    result = evaluate_outcomes(frame, plan())
    assert [(s.slice, s.value) for s in result.slices] == [
        ("site", "north"),
        ("site", "south"),
        ("size > 50", "yes"),
        ("size > 50", "no"),
    ]
    assert sum(s.rows for s in result.slices[:2]) == result.rows
    assert sum(s.positives for s in result.slices[2:]) == result.positives
    north = frame.filter(pl.col("slice.site") == "north")
    expected = roc_auc_score(north["truth"], north["score.good"])
    assert result.slices[0].estimates[0].value == pytest.approx(expected)
    assert [e.metric for e in result.slices[0].differences] == ["roc_auc", "brier"]


def test_small_slices_and_slices_of_one_class_have_absences_not_zeros() -> None:
    frame = outcomes().with_columns(
        pl.when(pl.int_range(pl.len()) < 7)
        .then(pl.lit("few"))
        .when(pl.col("truth") == 0)
        .then(pl.lit("none came true"))
        .otherwise(pl.lit("mixed"))
        .alias("slice.site")
    )
    few, _, none = evaluate_outcomes(frame, plan(slices=["site"])).slices
    assert (few.value, few.rows, few.estimates, few.differences) == ("few", 7, [], [])
    assert {a.metric: a.reason for a in few.absent} == dict.fromkeys(
        ["roc_auc", "brier"], "fewer than 30 rows are too few for an interval to mean much"
    )
    assert none.positives == 0
    assert "roc_auc" in [a.metric for a in none.absent]
    assert all("no row is positive" in a.reason for a in none.absent)


def test_calibration_bins_hold_equal_numbers_and_never_part_equal_scores() -> None:
    result = evaluate_outcomes(outcomes(), plan())
    assert [curve.model for curve in result.calibration] == ["good", "rate", "coarse"]
    good, rate, coarse = result.calibration
    assert [item.rows for item in good.bins] == [60] * 10
    assert [(item.low, item.high) for item in rate.bins] == [(0.3, 0.3)]
    edges = [(item.low, item.high) for item in coarse.bins]
    assert all(high < low for (_, high), (low, _) in pairwise(edges))
    for curve in result.calibration:
        assert sum(item.rows for item in curve.bins) == 600
        assert sum(round(item.rate * item.rows) for item in curve.bins) == result.positives


def test_clusters_widen_the_calibration_intervals_when_rows_repeat() -> None:
    frame = outcomes(300)
    thrice = pl.concat(
        [frame.with_columns(pl.col("id") + f"/{n}", cluster=pl.col("id")) for n in range(3)]
    )
    alone = evaluate_outcomes(frame, plan()).calibration[0]
    naive = evaluate_outcomes(thrice, plan()).calibration[0]
    robust = evaluate_outcomes(thrice, plan(clustered=True)).calibration[0]

    def width(item: CalibrationBin) -> float:
        return item.hi - item.lo

    for one, three, clustered in zip(alone.bins, naive.bins, robust.bins, strict=True):
        assert width(three) < width(one) * 0.7
        # A factor G / (G - 1) more than the independent rows.
        assert width(clustered) == pytest.approx(width(one), rel=0.05)
    assert "clusters" in robust.method
    assert naive.method == "wilson"


def test_scores_outside_0_and_1_still_have_their_ranking_metrics() -> None:
    frame = outcomes().with_columns((pl.col("score.good") * 10 - 4).alias("score.good"))
    result = evaluate_outcomes(frame, plan())
    good = result.models[-1]
    assert [estimate.metric for estimate in good.estimates] == ["roc_auc"]
    assert [absence.metric for absence in good.absent] == ["brier"]
    assert "outside [0, 1]" in good.absent[0].reason
    assert "good" not in [curve.model for curve in result.calibration]


@pytest.mark.parametrize("value", [0, 1])
def test_a_truth_of_one_class_is_refused(value: int) -> None:
    frame = outcomes().with_columns(pl.lit(value, pl.Int8).alias("truth"))
    with pytest.raises(DataError, match=f"all 600 rows are {value}"):
        evaluate_outcomes(frame, plan())


def test_one_row_is_refused() -> None:
    with pytest.raises(DataError, match="one class"):
        evaluate_outcomes(outcomes(1), plan())


def test_two_rows_give_absences_or_intervals_but_no_zeros() -> None:
    frame = outcomes(2).with_columns(pl.Series("truth", [0, 1], dtype=pl.Int8))
    result = evaluate_outcomes(frame, plan(slices=[]))
    for model in result.models:
        assert len(model.estimates) + len(model.absent) == 2
        for estimate in model.estimates:
            assert estimate.lo <= estimate.value <= estimate.hi
            assert all(map(math.isfinite, (estimate.lo, estimate.hi, estimate.se)))


@pytest.mark.parametrize("column", ["id", "truth", "score.good", "cluster"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"no column '{column}'"):
        evaluate_outcomes(outcomes().drop(column), plan(clustered=True))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"candidate": "best"}, "not among the plan's models"),
        ({"reference": "other"}, "not among the plan's baselines"),
        ({"models": ["good", "coarse"]}, "names the model 'coarse' twice"),
        ({"metrics": ["roc_auc", "roc_auc"]}, "names the metric 'roc_auc' twice"),
        ({"metrics": ["roc_acu"]}, "no metric 'roc_acu'"),
        ({"metrics": []}, "has no metric"),
        ({"metrics": ["brier"]}, "judges roc_auc"),
        ({"level": 1.0}, "cannot be made"),
        ({"level": math.nan}, "cannot be made"),
        ({"bins": 0}, "at least 1"),
        ({"slices": ["nowhere"]}, "not a slice column"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(BadInput, match=what):
        evaluate_outcomes(outcomes(), plan(**changes))


def test_rows_without_a_cluster_are_clusters_of_their_own() -> None:
    frame = outcomes(100).with_columns(
        pl.when(pl.int_range(pl.len()) >= 20).then(pl.col("cluster")).alias("cluster")
    )
    assert evaluate_outcomes(frame, plan(clustered=True)).clusters == 20 + 8


def test_all_metrics_of_a_file_are_measured_without_a_plan() -> None:
    frame = outcomes()
    made = plan_for_outcomes(frame)
    assert (made.candidate, made.baselines, made.reference) == (
        "good",
        ["rate", "coarse"],
        "coarse",
    )
    assert made.metrics[0] == "roc_auc"
    assert made.clustered
    assert made.slices[0] == "site"
    assert made.slices[1].startswith("size > ")
    assert plan_for_outcomes(frame, candidate="rate").baselines == ["coarse", "good"]
    with pytest.raises(BadInput, match="no scores of a model called 'god'") as caught:
        plan_for_outcomes(frame, candidate="god")
    assert "did you mean 'good'?" in str(caught.value)


def test_the_library_evaluates_a_frame_and_a_file_alike(tmp_path: Path) -> None:
    frame = outcomes().with_columns(pl.col("slice.site").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "p.parquet")
    assert trackrecord.evaluate(frame) == trackrecord.evaluate(tmp_path / "p.parquet")


def test_the_library_takes_columns_and_refuses_what_is_no_table() -> None:
    frame = outcomes().drop("slice.site", "slice.size", "cluster")
    assert trackrecord.evaluate(frame.to_dict(as_series=False)) == trackrecord.evaluate(frame)
    with pytest.raises(BadInput, match="there are no scores"):
        trackrecord.evaluate(3)
    with pytest.raises(BadInput, match="not of one length") as caught:
        trackrecord.evaluate({"truth": [1, 0], "score": [0.5]})
    assert caught.value.why == "truth has 2 rows, score has 1"


AGAIN = """
import hashlib, msgspec, sys
from pathlib import Path
import trackrecord
print(hashlib.sha256(msgspec.json.encode(trackrecord.evaluate(sys.argv[1]))).hexdigest())
"""


def test_the_result_is_the_same_bit_for_bit_whatever_the_number_of_threads(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.parquet"
    outcomes(30_000).write_parquet(path)
    found = set()
    for threads in ("1", "2"):
        limits = dict.fromkeys(
            ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS"), threads
        )
        words = [sys.executable, "-c", AGAIN, str(path)]
        done = subprocess.run(
            words, env=os.environ | limits, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_the_order_of_rows_and_columns_does_not_change_a_bit() -> None:
    frame = outcomes()
    expected = bits(evaluate_outcomes(frame, plan(clustered=True)))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)
    assert bits(evaluate_outcomes(shuffled, plan(clustered=True))) == expected
    turned = frame.select(reversed(frame.columns))
    assert bits(evaluate_outcomes(turned, plan(clustered=True))) == expected
