"""Curves, thresholds and costs against scikit-learn and plain counting."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from trackrecord.cases.spec import Thresholds
from trackrecord.errors import BadInput
from trackrecord.evaluation import curves
from trackrecord.evaluation.measuring import Columns
from trackrecord.evaluation.plan import Plan
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate

rows = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])),
                min_size=2, max_size=40).filter(lambda r: len({y for y, _ in r}) == 2)  # fmt: skip


def columns(found: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([y for y, _ in found], dtype=np.int8),
        np.array([s for _, s in found], dtype=np.float64),
    )


@settings(max_examples=150, deadline=None)
@given(rows)
def test_curves_are_scikit_learn_s(found: list[tuple[int, float]]) -> None:
    truth, score = columns(found)
    swept = curves.sweep(truth, score)
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    mine = curves.roc_curve(swept)
    assert mine.x == pytest.approx(fpr.tolist())
    assert mine.y == pytest.approx(tpr.tolist())
    precision, recall, _ = precision_recall_curve(truth, score)
    drawn = curves.precision_curve(swept)
    assert drawn.x == pytest.approx(recall[:-1][::-1].tolist())
    assert drawn.y == pytest.approx(precision[:-1][::-1].tolist())


@settings(max_examples=150, deadline=None)
@given(rows, st.sampled_from([-1.0, 0.0, 0.1, 0.2, 0.5, 0.95, 1.0, 2.0]))
def test_a_cut_is_a_count(found: list[tuple[int, float]], threshold: float) -> None:
    truth, score = columns(found)
    cut = curves.cut_at(curves.sweep(truth, score), threshold)
    flagged = score >= threshold
    assert cut.flagged == flagged.sum()
    assert cut.caught == (flagged & (truth == 1)).sum()
    assert cut.missed == (~flagged & (truth == 1)).sum()
    assert cut.alarms == (flagged & (truth == 0)).sum()
    assert (cut.precision is None) == (cut.flagged == 0)


@settings(max_examples=100, deadline=None)
@given(rows, st.sampled_from([0.1, 1.0, 3.0, 50.0]))
def test_no_threshold_is_cheaper_than_the_chosen_one(
    found: list[tuple[int, float]], ratio: float
) -> None:
    truth, score = columns(found)
    (choice,) = curves.choices(curves.sweep(truth, score), [ratio])
    costs = [
        (ratio * ((score < t) & (truth == 1)).sum() + ((score >= t) & (truth == 0)).sum())
        / truth.size
        for t in [*np.unique(score), np.inf]
    ]
    assert choice.cost == pytest.approx(min(costs))
    assert (choice.cut is None) == (min(costs[:-1]) >= costs[-1])


def judged(rows: int = 3000) -> tuple[Columns, Plan]:
    """Scores that come true as often as they say, and a baseline that knows half as much."""
    draw = np.random.default_rng(0)
    score = draw.random(rows)
    truth = (draw.random(rows) < score).astype(np.int8)
    plan = Plan(
        metrics=["roc_auc"], models=["new"], baselines=["old"], candidate="new", reference="old",
        slices=[], criteria=[], level=0.95, clustered=False,
        decision=Thresholds(lowest=0.1, highest=0.6),
    )  # fmt: skip
    found = Columns(truth, {"new": score, "old": 0.25 + score / 2}, None)
    return found, plan


def test_net_benefit_at_a_threshold_is_its_definition() -> None:
    columns_, plan = judged()
    truth = columns_.truth
    new, old, always, _ = curves.decision_curves(columns_, plan)
    assert [new.model, old.model, always.model] == ["new", "old", None]
    for curve in (new, old, always):
        score = np.ones(truth.size) if curve.model is None else columns_.scores[curve.model]
        for point in curve.points[::7]:
            t = point.threshold
            acted = score > t
            price = t / (1 - t)
            expected = (acted & (truth == 1)).mean() - (acted & (truth == 0)).mean() * price
            assert point.value == pytest.approx(expected, abs=1e-12)
            assert point.lo is not None
            assert point.hi is not None
            assert point.lo < point.value < point.hi


def test_the_band_of_a_curve_is_wider_than_each_point_s_interval() -> None:
    columns_, plan = judged()
    new = curves.decision_curves(columns_, plan)[0]
    assert new.each is not None
    assert new.each > 0.95
    point = new.points[10]
    alone = estimate("net_benefit@0.3", columns_.truth, columns_.scores["new"])
    assert isinstance(alone, Estimate)
    assert point.threshold == 0.3
    assert point.value == alone.value
    assert point.lo is not None
    assert point.hi is not None
    assert point.lo < alone.lo < alone.hi < point.hi


def test_the_last_curve_is_the_paired_difference_to_the_baseline() -> None:
    columns_, plan = judged()
    new, old, _, gain = curves.decision_curves(columns_, plan)
    assert (gain.model, gain.minus) == ("new", "old")
    apart = [a.value - b.value for a, b in zip(new.points, old.points, strict=True)]
    assert [point.value for point in gain.points] == pytest.approx(apart, abs=1e-12)
    point, one = gain.points[10], new.points[10]
    assert point.lo is not None
    assert point.hi is not None
    assert one.lo is not None
    assert one.hi is not None
    assert point.hi - point.lo < one.hi - one.lo  # the same rows: what they share falls out


def test_scores_that_are_no_probabilities_have_no_curve_and_say_why() -> None:
    columns_, plan = judged()
    scores = {**columns_.scores, "new": 8 * columns_.scores["new"] - 4}
    new, old, _, gain = curves.decision_curves(dataclasses.replace(columns_, scores=scores), plan)
    assert new.points == gain.points == []
    assert new.reason is not None
    assert new.reason == gain.reason
    assert "probabilit" in new.reason
    assert old.points


def test_too_few_clusters_for_an_interval_leave_the_values_and_say_why() -> None:
    columns_, plan = judged()
    in_ten = dataclasses.replace(columns_, cluster=np.arange(3000) % 10)
    new = curves.decision_curves(in_ten, plan)[0]
    assert {(point.lo, point.hi) for point in new.points} == {(None, None)}
    assert new.reason is not None
    assert "10 clusters" in new.reason


def test_without_thresholds_there_is_no_curve() -> None:
    columns_, plan = judged(100)
    assert curves.decision_curves(columns_, msgspec.structs.replace(plan, decision=None)) == []


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_thresholds_are_few_ascending_and_have_both_ends(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    found = curves.thresholds_between(Thresholds(lowest=low, highest=high))
    assert (found[0], found[-1]) == (low, high)
    assert 2 <= len(found) <= curves.MOST_THRESHOLDS
    assert found == sorted(set(found))


def test_thresholds_between_round_ends_are_round() -> None:
    found = curves.thresholds_between(Thresholds(lowest=0.1, highest=0.5))
    assert found == [round(0.1 + k / 100, 2) for k in range(41)]


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.6, 0.2), (0.0, 0.5), (0.1, 1.0)])
def test_a_span_that_is_none_is_refused(low: float, high: float) -> None:
    plan = msgspec.structs.replace(judged(9)[1], decision=Thresholds(lowest=low, highest=high))
    with pytest.raises(BadInput, match="decision curve"):
        curves.check_thresholds(plan)


def test_weights_count_as_repeated_rows() -> None:
    draw = np.random.default_rng(1)
    score = np.round(draw.random(60), 1)
    truth = draw.integers(0, 2, 60).astype(np.int8)
    weight = draw.integers(0, 4, 60)
    again = np.repeat(np.arange(60), weight)
    one = curves.sweep(truth, score, weight.astype(float))
    two = curves.sweep(truth[again], score[again])
    assert curves.cut_at(one, 0.4) == curves.cut_at(two, 0.4)
    bars = curves.histogram(truth, score, weight.astype(float))
    assert bars.positive == pytest.approx(curves.histogram(truth[again], score[again]).positive)


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_area() -> None:
    draw = np.random.default_rng(2)
    score = draw.random(50_000)
    truth = (draw.random(50_000) < score).astype(np.int8)
    mine = curves.roc_curve(curves.sweep(truth, score))
    assert len(mine.x) <= curves.POINTS
    assert (mine.x[0], mine.y[0], mine.x[-1], mine.y[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert np.trapezoid(mine.y, mine.x) == pytest.approx(5 / 6, abs=0.01)
