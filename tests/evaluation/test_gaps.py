"""Slices against each other and against all rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import plan_for_outcomes
from trackrecord.evaluation.result import Evaluation, Gap

METRICS = ["accuracy", "roc_auc", "brier", "selection_rate", "bias"]


def outcomes(worse: int = 0, groups: int = 4, n: int = 4000, seed: int = 0) -> pl.DataFrame:
    """The first ``worse`` groups have noisier scores; otherwise all are alike."""
    rng = np.random.default_rng(seed)
    group, risk = rng.integers(0, groups, n), rng.normal(size=n)
    noise = np.where(group < worse, 2.0, 0.3)
    return pl.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "truth": (rng.random(n) < expit(risk - 1)).astype(np.int8),
            "score.m": expit(risk - 1 + noise * rng.normal(size=n)),
            "cluster": rng.integers(0, 60, n).astype(str),
            "time": rng.integers(0, 50, n),
            "slice.group": group.astype(str),
            "slice.half": rng.integers(0, 2, n),
        }
    )


def evaluated(table: pl.DataFrame, **plan: object) -> Evaluation:
    asked = plan_for_outcomes(
        table.drop("cluster"), metrics=METRICS, slices=["group", "half"], **plan  # type: ignore[arg-type]
    )  # fmt: skip
    return evaluate_outcomes(table, asked)


def gap(result: Evaluation, metric: str, text: str = "group") -> Gap:
    (found,) = (g for g in result.gaps if (g.metric, g.slice) == (metric, text))
    return found


def test_a_gap_is_the_greatest_value_minus_the_least() -> None:
    result = evaluated(outcomes(worse=1))
    for metric in METRICS:
        values = {
            s.value: next(e.value for e in s.estimates if e.metric == metric)
            for s in result.slices
            if s.slice == "group"
        }
        found = gap(result, metric)
        assert found.value == pytest.approx(max(values.values()) - min(values.values()))
        assert values[found.most] == max(values.values())
        assert values[found.least] == min(values.values())
        assert 0 <= found.lo <= found.value <= found.hi
        assert found.slices == 4
        assert 0.95 < found.each < 0.95 ** (1 / 6) + 1e-9


def test_a_group_that_is_worse_shows_as_a_gap_and_by_name() -> None:
    result = evaluated(outcomes(worse=1))
    for metric in ("accuracy", "roc_auc", "brier"):
        assert gap(result, metric).lo > 0
        worse = {s.value for s in result.slices for w in s.worse if w.metric == metric}
        assert worse == {"0"}
    (first,) = (s for s in result.slices if (s.slice, s.value) == ("group", "0"))
    found = next(w for w in first.worse if w.metric == "brier")
    assert found.gap > 0.03
    assert found.p <= 0.01


def test_groups_that_are_alike_show_no_gap() -> None:
    result = evaluated(outcomes(seed=1))
    assert [g.metric for g in result.gaps if g.lo > 0] == []
    assert [w for s in result.slices for w in s.worse] == []


def test_a_ratio_is_there_where_values_are_above_zero() -> None:
    result = evaluated(outcomes(worse=1))
    found = gap(result, "accuracy")
    assert found.ratio is not None
    assert found.ratio_lo is not None
    assert found.ratio_hi is not None
    assert found.ratio_lo < found.ratio < found.ratio_hi < 1
    assert gap(result, "bias").ratio is None


def test_a_metric_without_a_good_side_names_nothing_worse() -> None:
    result = evaluated(outcomes(worse=2))
    named = {w.metric for s in result.slices for w in s.worse}
    assert named <= {"accuracy", "roc_auc", "brier"}


@pytest.mark.parametrize("columns", [["cluster"], ["time"], ["cluster", "time"]])
def test_clusters_and_periods_are_heeded(columns: list[str]) -> None:
    table = outcomes(worse=1)
    asked = plan_for_outcomes(
        table if "cluster" in columns else table.drop("cluster"),
        metrics=["brier"],
        slices=["group"],
        timed="time" in columns,
    )
    result = evaluate_outcomes(table, asked)
    assert gap(result, "brier").lo > 0
    assert {s.value for s in result.slices if s.worse} == {"0"}


def test_one_slice_has_nothing_to_be_compared_with() -> None:
    table = outcomes().with_columns(pl.lit("x").alias("slice.group"))
    asked = plan_for_outcomes(table, metrics=["brier"], slices=["group"])
    result = evaluate_outcomes(table, asked)
    assert result.gaps == []
    assert result.slices[0].worse == []


def test_a_perfect_slice_is_bounded_and_not_called_worse() -> None:
    table = outcomes().with_columns(
        pl.when(pl.col("slice.group") == "1").then(pl.col("truth")).otherwise("score.m")
        .alias("score.m")
    )  # fmt: skip
    asked = plan_for_outcomes(table.drop("cluster"), metrics=["accuracy"], slices=["group"])
    result = evaluate_outcomes(table, asked)
    found = gap(result, "accuracy")
    assert found.most == "1"
    assert found.lo > 0
    assert all(s.value != "1" for s in result.slices if s.worse)


def crowded(seed: int) -> pl.DataFrame:
    """80 clusters whose rows are right or wrong together; a group is some whole clusters."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(80), 50)
    right = np.repeat(rng.normal(0.9, 1.2, 80), 50) + rng.normal(size=cluster.size) > 0
    truth = rng.integers(0, 2, cluster.size)
    return pl.DataFrame(
        {
            "id": [str(i) for i in range(cluster.size)],
            "truth": truth.astype(np.int8),
            "score.m": np.where(right, truth, 1 - truth) * 0.8 + 0.1,
            "cluster": cluster.astype(str),
            "slice.site": (cluster % 4).astype(str),
            "slice.place": (np.arange(cluster.size) % 4).astype(str),
        }
    )


def accuracy_of(table: pl.DataFrame, text: str) -> Evaluation:
    return evaluate_outcomes(table, plan_for_outcomes(table, metrics=["accuracy"], slices=[text]))


def test_groups_of_whole_clusters_are_not_worse_by_chance() -> None:
    """What independent rows would show as a gap, and as worse, are a few clusters' luck."""
    named = {"rows": 0, "clusters": 0}
    apart = {"rows": 0, "clusters": 0}
    for seed in range(10):
        table = crowded(seed)
        for kind, held in (("rows", table.drop("cluster")), ("clusters", table)):
            result = accuracy_of(held, "site")
            named[kind] += any(s.worse for s in result.slices)
            apart[kind] += gap(result, "accuracy", "site").lo > 0
    assert named["rows"] >= 8
    assert apart["rows"] >= 8
    assert named["clusters"] <= 2
    assert apart["clusters"] <= 2


def test_clusters_that_every_group_shares_cancel_in_its_gap() -> None:
    """A gap is known better than the groups' own bands, taken as if they had nothing in common."""
    result = accuracy_of(crowded(0), "place")
    found = gap(result, "accuracy", "place")
    widest = max(b.hi - b.lo for s in result.slices for b in s.bands)
    assert found.hi < 0.5 * widest
