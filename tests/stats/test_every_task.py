"""What every metric of classes, labels, numbers and rankings must hold; new ones enrol themselves.

Of a yes or no, ``test_every_metric`` and ``test_weights`` ask more.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from msgspec.json import decode, encode

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import TASKS, Metric, get_metric, metric_names
from trackrecord.stats.samples import Lists, Predicted, Quantiles, Scaled
from trackrecord.stats.spread import spread_of

METRICS = [(task, name) for task in TASKS if task != "binary" for name in metric_names(task)]
EVERY = pytest.mark.parametrize("asked", METRICS, ids="-".join)
Sample = tuple[Any, Any, Any]
ROWS = 400


@cache
def sample(task: str, n: int = ROWS, seed: int = 1) -> Sample:
    """Truth, a fair model's prediction, and a worse one's."""
    rng = np.random.default_rng(seed)
    return {
        "multiclass": of_classes,
        "multilabel": of_labels,
        "regression": of_numbers,
        "ranking": of_rankings,
    }[task](n, rng)


def of_classes(n: int, rng: np.random.Generator) -> Sample:
    truth = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    right = np.eye(4)[truth]
    return truth, *(softmax(right * s + rng.normal(size=(n, 4)).round(1)) for s in (2.0, 1.2))


def of_labels(n: int, rng: np.random.Generator) -> Sample:
    risk = rng.normal(size=(n, 3)) - 0.3
    truth = (rng.random((n, 3)) < 1 / (1 + np.exp(-2 * risk))).astype(np.int8)
    noisy = (risk + s * rng.normal(size=(n, 3)) for s in (0.5, 1.2))
    return truth, *(1 / (1 + np.exp(-seen.round(1))) for seen in noisy)


def of_numbers(n: int, rng: np.random.Generator) -> Sample:
    mean = rng.gamma(4, 2, n)
    truth = mean + 1 + rng.normal(size=n)
    series = np.arange(n) // 4  # four rows each
    scale = np.repeat(rng.uniform(0.5, 2, series.max() + 1), 4)[:n]
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    predicted = []
    for noise in (0.5, 1.5):
        point = mean + 1 + noise * rng.normal(size=n)
        wide = (1 + noise) * rng.uniform(0.5, 1.5, n)
        values = point[:, None] + np.array([-1.6, -0.7, 0.0, 0.7, 1.6]) * wide[:, None]
        predicted.append(
            Predicted(
                point,
                Quantiles(levels, values),
                Scaled(point, scale, scale**2 * 1.3, series.astype(np.int64)),
            )
        )
    return truth, *predicted


def of_rankings(n: int, rng: np.random.Generator) -> Sample:
    sizes = rng.integers(5, 80, n)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    relevance = rng.choice([0.0] * 38 + [1.0, 2.0], starts[-1])
    relevance[starts[:-1]] = 1.0  # every query has an answer
    scores = []
    for noise in (1.0, 3.0):
        score = (relevance + noise * rng.normal(size=starts[-1])).round(1)
        score[rng.random(starts[-1]) < 0.1] = np.nan
        scores.append(Lists(score, starts))
    return Lists(relevance, starts), *scores


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def metric_of(asked: tuple[str, str]) -> Metric:
    return get_metric(asked[1], asked[0])  # type: ignore[arg-type]


def measured(metric: Metric, truth: Any, score: Any, weight: Any = None) -> Influence:
    found = measure(metric, truth, score, weight)
    assert isinstance(found, Influence), found
    return found


def repeated(metric: Metric, truth: Any, score: Any, times: int) -> tuple[Any, Any]:
    """Every row ``times`` times; copies of a series are series of their own."""
    rows = np.tile(np.arange(len(truth)), times)
    many = score[rows]
    if metric.needs == "scaled":
        held = many.scaled
        series = held.series + np.repeat(np.arange(times), len(truth)) * (held.series.max() + 1)
        many = Scaled(held.point, held.scale, held.square, series)
    return truth[rows], many


@EVERY
def test_it_says_what_it_is(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    assert (metric.task, metric.name) == asked
    assert metric.title
    assert metric.compute.__doc__ or metric.parameter is not None


@EVERY
def test_the_order_of_rows_does_not_matter(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    found = measured(metric, truth, score)
    order = np.random.default_rng(2).permutation(ROWS)
    moved = measured(metric, truth[order], score[order])
    assert moved.value == pytest.approx(found.value, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(moved.influence, found.influence[order], rtol=1e-9, atol=1e-11)


@EVERY
def test_every_row_twice_leaves_the_value(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    found = measured(metric, truth, score)
    twice = measured(metric, *repeated(metric, truth, score, 2))
    if metric.counts:
        return
    assert twice.value == pytest.approx(found.value, rel=1e-12, abs=1e-13)
    if not metric.irregular:
        np.testing.assert_allclose(twice.influence, np.tile(found.influence, 2), atol=1e-10)


@EVERY
def test_influences_average_to_zero(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    found = measured(metric, truth, score)
    assert found.influence.shape == (ROWS,)
    assert abs(found.influence.mean()) < 1e-12 * (1 + np.abs(found.influence).max())


@EVERY
def test_an_influence_is_the_derivative_by_a_weight(asked: tuple[str, str]) -> None:
    """A little more weight on a row moves the value by its influence."""
    metric = metric_of(asked)
    if metric.irregular or metric.counts or metric.needs == "scaled":
        return
    truth, score, _ = sample(asked[0], n=240, seed=3)
    found, step = measured(metric, truth, score), 1e-4
    for row in range(0, 240, 11):
        weight = np.ones(240)
        weight[row] += step
        up = measured(metric, truth, score, weight).value
        weight[row] -= 2 * step
        down = measured(metric, truth, score, weight).value
        slope = (up - down) / (2 * step) * 240
        assert slope == pytest.approx(
            found.influence[row], rel=1e-3, abs=1e-3 * (1e-9 + np.abs(found.influence).mean())
        )


@EVERY
def test_the_jackknife_agrees(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    if metric.irregular or metric.counts:
        return
    truth, score, _ = sample(asked[0], n=300, seed=4)
    found = measured(metric, truth, score)
    # rankings take longest to measure, so that three queries are left out at once
    together = {"scaled": 4, "ranked": 3}.get(metric.needs, 1)
    units = np.arange(300) // together
    m = int(units.max()) + 1
    left_out = np.array(
        [measured(metric, truth[units != u], score[units != u]).value for u in range(m)]
    )
    jackknife = np.sqrt((m - 1) / m * ((left_out - left_out.mean()) ** 2).sum())
    codes = units if together > 1 else None
    spread = spread_of(found.influence, np.zeros(300, dtype=np.int8), codes)
    assert spread.se == pytest.approx(jackknife, rel=0.04)


@EVERY
def test_an_interval_holds_its_value_and_is_no_point(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    for codes in (None, np.arange(ROWS) // 8):
        estimate = estimate_of(metric, measured(metric, truth, score), cluster=codes)
        if isinstance(estimate, Absence):
            assert metric.rows_needed > 0 or metric.clusters_needed > 0 or codes is None
            continue
        assert estimate.lo < estimate.value < estimate.hi
        assert estimate.se > 0
        assert (estimate.n, estimate.metric) == (ROWS, metric.name)
        assert estimate.clusters == (None if codes is None else 50)


@EVERY
def test_whole_weights_are_repeated_rows(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    if metric.counts or metric.needs == "scaled":
        return
    truth, score, _ = sample(asked[0])
    times = np.random.default_rng(7).integers(0, 4, ROWS)
    rows = np.repeat(np.arange(ROWS), times)
    found = measured(metric, truth, score, times)
    many = measured(metric, truth[rows], score[rows])
    assert found.value == pytest.approx(many.value, rel=1e-12, abs=1e-13)
    assert (found.influence[times == 0] == 0).all()


@EVERY
def test_a_model_does_not_differ_from_itself(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    same = score[np.arange(ROWS)]
    gap = difference_of(metric, measured(metric, truth, score), measured(metric, truth, same))
    assert isinstance(gap, Estimate)
    assert (gap.value, gap.lo, gap.hi, gap.se) == (0.0, 0.0, 0.0, 0.0)


@EVERY
def test_a_difference_turns_round_with_its_sides(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, other = sample(asked[0])
    first, second = measured(metric, truth, score), measured(metric, truth, other)
    there, back = difference_of(metric, first, second), difference_of(metric, second, first)
    assert isinstance(there, Estimate)
    assert isinstance(back, Estimate)
    assert there.value == pytest.approx(first.value - second.value)
    assert (back.value, back.lo, back.hi) == pytest.approx((-there.value, -there.hi, -there.lo))


@EVERY
def test_what_is_found_can_be_written_down(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, other = sample(asked[0])
    first, second = measured(metric, truth, score), measured(metric, truth, other)
    for cluster in (None, np.arange(ROWS) // 8):
        found = [
            estimate_of(metric, first, cluster=cluster),
            difference_of(metric, first, second, cluster=cluster),
        ]
        for one in found:
            assert decode(encode(one), type=type(one)) == one


@EVERY
def test_one_row_has_no_interval_but_an_exact_one(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    rows = np.array([5])
    found = estimate_of(metric, measure(metric, truth[rows], score[rows]))
    if metric.share and isinstance(found, Estimate):
        assert found.hi - found.lo > 0.7
    else:
        assert isinstance(found, Absence)
        assert found.reason


@EVERY
def test_one_cluster_has_no_interval(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    found = estimate_of(metric, measured(metric, truth, score), cluster=np.zeros(ROWS, int))
    assert isinstance(found, Absence)
    assert "cluster" in found.reason


@EVERY
def test_no_rows_are_no_value(asked: tuple[str, str]) -> None:
    metric = metric_of(asked)
    truth, score, _ = sample(asked[0])
    rows = np.array([], dtype=np.intp)
    found = measure(metric, truth[rows], score[rows])
    assert isinstance(found, Absence)
    assert found.reason == "there are no rows"
