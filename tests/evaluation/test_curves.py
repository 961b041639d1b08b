"""Curves, thresholds and costs against scikit-learn and plain counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from trackrecord.evaluation import curves

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


def test_net_benefit_at_a_threshold_is_its_definition() -> None:
    draw = np.random.default_rng(0)
    score = draw.random(5000)
    truth = (draw.random(5000) < score).astype(np.int8)
    for point in curves.net_benefit(truth, score, cluster=None, level=0.95)[::10]:
        t = point.threshold
        flagged = score >= t
        expected = (flagged & (truth == 1)).mean() - (flagged & (truth == 0)).mean() * t / (1 - t)
        assert point.value == pytest.approx(expected)
        assert point.lo < point.value < point.hi
        assert point.everyone == pytest.approx(truth.mean() - (1 - truth.mean()) * t / (1 - t))


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
