"""What every registered metric must hold, whoever wrote it; a new one is enrolled by existing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
from msgspec.json import decode, encode
from scipy.special import expit

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import Direction, Needs, Scale, get_metric, metric_names
from trackrecord.stats.spread import spread_of

METRICS = metric_names()
EVERY = pytest.mark.parametrize("metric", METRICS)


def sample(
    n: int = 400, seed: int = 1, ties: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a fair model's scores (many of them equal), and a noisier model's."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n) - 0.8
    truth = (rng.random(n) < expit(risk)).astype(np.int8)
    seen = risk + 0.5 * rng.normal(size=n)
    score = expit(np.round(seen, 1) if ties else seen)
    return truth, score, expit(0.8 * seen + 0.5 * rng.normal(size=n))


def left_out_of(n: int) -> Iterator[np.ndarray]:
    rows = np.arange(n)
    return (np.delete(rows, i) for i in range(n))


def measured(metric: str, truth: np.ndarray, score: np.ndarray) -> Influence:
    found = measure(metric, truth, score)
    assert isinstance(found, Influence), found
    return found


def declined(metric: str, clusters: int, found: Estimate | Absence) -> bool:
    """Whether the metric takes more clusters than these, and then says so."""
    if get_metric(metric).clusters_needed <= clusters:
        return False
    assert isinstance(found, Absence)
    assert "cluster" in found.reason
    return True


@EVERY
def test_it_says_what_it_is(metric: str) -> None:
    asked = get_metric(metric)
    assert asked.name == metric
    assert asked.title
    assert asked.direction in get_args(Direction)
    assert asked.scale in get_args(Scale)
    assert asked.needs in get_args(Needs)


@EVERY
def test_the_order_of_rows_does_not_matter(metric: str) -> None:
    truth, score, _ = sample()
    found = measured(metric, truth, score)
    order = np.random.default_rng(2).permutation(truth.size)
    moved = measured(metric, truth[order], score[order])
    assert moved.value == pytest.approx(found.value, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(moved.influence, found.influence[order], rtol=1e-9, atol=1e-11)


@EVERY
def test_every_row_twice_leaves_the_value(metric: str) -> None:
    truth, score, _ = sample()
    found = measured(metric, truth, score)
    twice = measured(metric, np.tile(truth, 2), np.tile(score, 2))
    if get_metric(metric).counts:
        assert twice.value != found.value
        return
    assert twice.value == pytest.approx(found.value, rel=1e-12, abs=1e-13)
    if not get_metric(metric).irregular:
        np.testing.assert_allclose(twice.influence, np.tile(found.influence, 2), atol=1e-10)


@EVERY
def test_influences_average_to_zero(metric: str) -> None:
    truth, score, _ = sample()
    found = measured(metric, truth, score)
    assert found.influence.shape == truth.shape
    assert abs(found.influence.mean()) < 1e-12 * (1 + np.abs(found.influence).max())


@EVERY
def test_an_influence_is_the_derivative_towards_a_row(metric: str) -> None:
    """Among many copies of the sample, one more copy of a row moves the value by its influence."""
    if get_metric(metric).irregular or get_metric(metric).counts:
        return
    truth, score, _ = sample(n=60, seed=3)
    found = measured(metric, truth, score)
    copies = 500
    many_truth, many_score = np.tile(truth, copies), np.tile(score, copies)
    for row in range(0, truth.size, 7):
        more = measured(
            metric, np.append(many_truth, truth[row]), np.append(many_score, score[row])
        )
        slope = (more.value - found.value) * (many_truth.size + 1)
        assert slope == pytest.approx(
            found.influence[row], rel=5e-3, abs=5e-3 * np.abs(found.influence).mean()
        )


@EVERY
def test_the_jackknife_agrees(metric: str) -> None:
    """Leaving each row out in turn gives nearly the same influences and standard error."""
    if get_metric(metric).irregular or get_metric(metric).counts:
        return  # tests/simulation compares their errors with the spread of many samples
    truth, score, _ = sample(n=500, seed=4)
    found = measured(metric, truth, score)
    n = truth.size
    left_out = np.array(
        [measured(metric, truth[rest], score[rest]).value for rest in left_out_of(n)]
    )
    pseudo = (n - 1) * (found.value - left_out)
    # where the interval is not centred on the value, leaving out moves by the second order too
    alike, off = (0.999, 0.1) if found.centre is None else (0.995, 0.3)
    assert np.corrcoef(pseudo, found.influence)[0, 1] > alike
    # only the very first ranks of a precision can move by more than their derivative
    apart = np.abs(pseudo - found.influence)
    assert np.quantile(apart, 0.99) < off * found.influence.std()
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert spread_of(found.influence, truth, None).se == pytest.approx(jackknife, rel=0.03)


@EVERY
def test_an_interval_holds_its_value_and_is_no_point(metric: str) -> None:
    truth, score, _ = sample()
    cluster = np.random.default_rng(5).integers(0, 40, truth.size)
    for codes in (None, cluster):
        estimate = estimate_of(metric, measured(metric, truth, score), cluster=codes, level=0.95)
        if codes is not None and declined(metric, 40, estimate):
            continue
        assert isinstance(estimate, Estimate)
        assert estimate.lo < estimate.value < estimate.hi
        assert estimate.se > 0
        assert estimate.n == truth.size
        if codes is None:
            assert estimate.clusters is None
        else:  # those with rows that a share is of
            assert estimate.clusters is not None
            assert 25 < estimate.clusters <= 40
        assert estimate.method


@EVERY
def test_a_higher_level_gives_a_wider_interval(metric: str) -> None:
    truth, score, _ = sample()
    found = measured(metric, truth, score)
    narrow = estimate_of(metric, found, level=0.8)
    wide = estimate_of(metric, found, level=0.99)
    assert isinstance(narrow, Estimate)
    assert isinstance(wide, Estimate)
    assert wide.lo < narrow.lo or wide.lo == 0
    assert narrow.lo < narrow.hi < wide.hi


@EVERY
def test_clusters_of_one_row_are_no_clusters(metric: str) -> None:
    truth, score, other = sample()
    found, second = measured(metric, truth, score), measured(metric, truth, other)
    alone = np.arange(truth.size)[::-1].copy()
    free, bound = estimate_of(metric, found), estimate_of(metric, found, cluster=alone)
    if declined(metric, truth.size, bound):
        return
    assert isinstance(free, Estimate)
    assert isinstance(bound, Estimate)
    # a share of independent rows has Wilson's interval, with an error of its own
    assert bound.se == pytest.approx(free.se, rel=0.05 if get_metric(metric).share else 1e-9)
    gap, held = (difference_of(metric, found, second, cluster=c) for c in (None, alone))
    assert isinstance(gap, Estimate)
    assert isinstance(held, Estimate)
    assert held.se == pytest.approx(gap.se, rel=0.02 if get_metric(metric).share else 1e-9)


@EVERY
def test_rows_copied_within_clusters_are_no_new_knowledge(metric: str) -> None:
    truth, score, _ = sample()
    if get_metric(metric).counts:
        return
    copies = 5
    cluster = np.tile(np.arange(truth.size), copies)
    once = estimate_of(metric, measured(metric, truth, score), cluster=np.arange(truth.size))
    if declined(metric, truth.size, once):
        return
    often = estimate_of(
        metric,
        measured(metric, np.tile(truth, copies), np.tile(score, copies)),
        cluster=cluster,
    )
    assert isinstance(once, Estimate)
    assert isinstance(often, Estimate)
    # what the second order adds, and the rate at an edge, depend on the number of rows
    same = not get_metric(metric).irregular and once.method.startswith("influence")
    assert often.se == pytest.approx(once.se, rel=1e-9 if same else 0.15)


@EVERY
def test_codes_may_be_any_whole_numbers(metric: str) -> None:
    truth, score, _ = sample()
    found = measured(metric, truth, score)
    cluster = np.random.default_rng(6).integers(0, 30, truth.size)
    names = 10**12 * cluster - 7
    assert estimate_of(metric, found, cluster=names) == estimate_of(metric, found, cluster=cluster)


@EVERY
def test_a_model_does_not_differ_from_itself(metric: str) -> None:
    truth, score, _ = sample()
    gap = difference_of(
        metric, measured(metric, truth, score), measured(metric, truth, score.copy())
    )
    assert isinstance(gap, Estimate)
    assert (gap.value, gap.lo, gap.hi, gap.se) == (0.0, 0.0, 0.0, 0.0)
    assert gap.method in ("the same scores", "the same truth")


@EVERY
def test_a_difference_turns_round_with_its_sides(metric: str) -> None:
    truth, score, other = sample()
    first, second = measured(metric, truth, score), measured(metric, truth, other)
    there, back = difference_of(metric, first, second), difference_of(metric, second, first)
    assert isinstance(there, Estimate)
    assert isinstance(back, Estimate)
    assert there.value == pytest.approx(first.value - second.value)
    assert (back.value, back.lo, back.hi) == pytest.approx((-there.value, -there.hi, -there.lo))


@EVERY
def test_what_is_found_can_be_written_down(metric: str) -> None:
    truth, score, other = sample()
    first, second = measured(metric, truth, score), measured(metric, truth, other)
    for cluster in (None, np.arange(400) // 8):
        found = [
            estimate_of(metric, first, cluster=cluster),
            difference_of(metric, first, second, cluster=cluster),
        ]
        for one in found:
            assert decode(encode(one), type=type(one)) == one


@EVERY
def test_one_row_has_no_interval_but_an_exact_one(metric: str) -> None:
    found = estimate_of(metric, measure(metric, [1], [0.7]))
    if get_metric(metric).share and isinstance(found, Estimate):
        assert found.hi - found.lo > 0.7
        assert found.value in (found.lo, found.hi)
    else:
        assert isinstance(found, Absence)
        assert found.reason
        assert found.n == 1


@EVERY
def test_one_class_says_which_is_missing(metric: str) -> None:
    scores = np.linspace(0.1, 0.9, 50)
    for truth, word in ((np.ones(50), "negative"), (np.zeros(50), "positive")):
        found = estimate_of(metric, measure(metric, truth, scores))
        if not (get_metric(metric).share and isinstance(found, Estimate)):
            assert isinstance(found, Absence)
            assert word in found.reason or "every row is positive" in found.reason


@EVERY
def test_one_cluster_has_no_interval(metric: str) -> None:
    truth, score, _ = sample()
    found = estimate_of(metric, measured(metric, truth, score), cluster=np.zeros(truth.size, int))
    assert isinstance(found, Absence)
    assert "one cluster" in found.reason


@EVERY
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_counted(metric: str, bad: float) -> None:
    truth, score, _ = sample()
    score[[3, 9]] = bad
    found = measure(metric, truth, score)
    assert isinstance(found, Absence)
    assert found.reason == "2 of 400 scores are not finite numbers"


@EVERY
def test_scores_outside_zero_and_one_are_no_probabilities(metric: str) -> None:
    truth, score, _ = sample()
    found = measure(metric, truth, score * 2)
    if get_metric(metric).needs != "probability":
        assert isinstance(found, Influence)
    else:
        assert isinstance(found, Absence)
        assert "outside [0, 1]" in found.reason


@EVERY
def test_no_rows_are_no_value(metric: str) -> None:
    found = measure(metric, [], [])
    assert isinstance(found, Absence)
    assert found.reason == "there are no rows"


@EVERY
def test_the_same_rows_give_the_same_numbers(metric: str) -> None:
    truth, score, _ = sample(n=5_000)
    cluster = np.arange(5_000) % 70
    first, again = (
        estimate_of(metric, measured(metric, truth, score.copy()), cluster=cluster)
        for _ in range(2)
    )
    assert first == again


@EVERY
def test_the_columns_given_are_left_as_they_were(metric: str) -> None:
    truth, score, _ = sample()
    kept = truth.copy(), score.copy()
    estimate_of(metric, measured(metric, truth, score))
    np.testing.assert_array_equal(truth, kept[0])
    np.testing.assert_array_equal(score, kept[1])
