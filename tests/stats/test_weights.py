"""Rows that stand for others: what weights mean for every metric, and that errors are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from tests.stats.test_every_metric import EVERY, declined, sample

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric


def weighted(metric: str, truth: object, score: object, weight: object) -> Influence:
    found = measure(metric, truth, score, weight)  # type: ignore[arg-type]
    assert isinstance(found, Influence), found
    return found


def repeats(n: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, n)


@EVERY
def test_whole_weights_are_repeated_rows(metric: str) -> None:
    truth, score, _ = sample()
    times = repeats(truth.size)
    found = weighted(metric, truth, score, times)
    many = measure(metric, np.repeat(truth, times), np.repeat(score, times))
    assert isinstance(many, Influence)
    if get_metric(metric).counts:
        return  # a value that depends on the number of rows takes weights for what was drawn
    assert found.value == pytest.approx(many.value, rel=1e-12, abs=1e-13)
    first = np.cumsum(times) - times
    there = times > 0
    scale = times[there] * truth.size / times.sum()
    assert (found.influence[~there] == 0).all()
    if not get_metric(metric).irregular:
        np.testing.assert_allclose(
            found.influence[there], scale * many.influence[first[there]], atol=1e-9
        )


@EVERY
def test_the_error_is_that_of_the_rows_drawn(metric: str) -> None:
    """As if a row's repeats were one cluster: they are no new knowledge."""
    if get_metric(metric).irregular or get_metric(metric).counts:
        return
    truth, score, other = sample()
    times = repeats(truth.size)
    row = np.repeat(np.arange(truth.size), times)
    pair, copies = [], []
    for column in (score, other):
        pair.append(weighted(metric, truth, column, times))
        copies.append(measure(metric, np.repeat(truth, times), np.repeat(column, times)))
    one = estimate_of(metric, pair[0])
    as_clusters = estimate_of(metric, copies[0], cluster=row)
    if declined(metric, np.count_nonzero(times), as_clusters):
        return
    assert isinstance(one, Estimate)
    assert isinstance(as_clusters, Estimate)
    assert one.n == np.count_nonzero(times)
    if one.method.startswith("influence") and as_clusters.method.startswith("influence"):
        assert one.se == pytest.approx(as_clusters.se, rel=1e-9)
    gap, held = difference_of(metric, *pair), difference_of(metric, *copies, cluster=row)
    assert isinstance(gap, Estimate)
    assert isinstance(held, Estimate)
    assert gap.se == pytest.approx(held.se, rel=0.05)


@EVERY
def test_only_the_ratios_of_weights_matter(metric: str) -> None:
    truth, score, _ = sample()
    weight = np.random.default_rng(8).uniform(0.1, 5, truth.size)
    first = estimate_of(metric, measure(metric, truth, score, weight))
    for factor in (1e-300, 4096.0, 1e300):
        scaled = estimate_of(metric, measure(metric, truth, score, weight * factor))
        assert isinstance(scaled, Estimate)
        assert isinstance(first, Estimate)
        assert (scaled.value, scaled.lo, scaled.hi) == pytest.approx(
            (first.value, first.lo, first.hi), rel=1e-9
        )


@EVERY
def test_equal_weights_are_no_weights(metric: str) -> None:
    truth, score, _ = sample()
    plain, equal = measure(metric, truth, score), measure(metric, truth, score, np.full(400, 3.0))
    assert estimate_of(metric, plain) == estimate_of(metric, equal)


@EVERY
def test_a_row_of_no_weight_is_not_there(metric: str) -> None:
    truth, score, _ = sample()
    weight = np.random.default_rng(9).uniform(0.1, 5, truth.size)
    weight[::3] = 0
    there = weight > 0
    spoilt = np.where(there, score, np.nan)
    cluster = np.arange(truth.size) % 50
    for codes in (None, cluster):
        with_them = estimate_of(metric, measure(metric, truth, spoilt, weight), cluster=codes)
        without = estimate_of(
            metric,
            measure(metric, truth[there], score[there], weight[there]),
            cluster=None if codes is None else codes[there],
        )
        if codes is not None and declined(metric, 50, with_them):
            continue
        assert isinstance(with_them, Estimate)
        assert isinstance(without, Estimate)
        assert with_them.n == without.n
        assert (with_them.lo, with_them.hi, with_them.se) == pytest.approx(
            (without.lo, without.hi, without.se), rel=1e-9
        )


@EVERY
def test_weighted_influences_average_to_zero(metric: str) -> None:
    truth, score, _ = sample()
    weight = np.random.default_rng(10).exponential(size=truth.size)
    found = weighted(metric, truth, score, weight)
    assert abs(found.influence.mean()) < 1e-12 * (1 + np.abs(found.influence).max())


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ([1, -1, 2], "1 are below 0, of 3"),
        ([1, np.nan, 2], "1 are not finite numbers"),
        ([1, np.inf, 2], "1 are not finite numbers"),
        ([0, 0, 0], "all weights are 0"),
        ([1, 2], "one weight for each row"),
        (2.0, "one weight for each row"),
        (["a", "b", "c"], "must be numbers"),
    ],
)
def test_weights_that_say_nothing_are_refused(weight: object, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        measure("brier", [0, 1, 1], [0.1, 0.2, 0.3], weight)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_class_of_no_weight_is_missing() -> None:
    found = measure("roc_auc", [0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4], [1, 0, 0, 2])
    assert isinstance(found, Absence)
    assert found.reason == "no row is positive"


def test_one_row_that_outweighs_all_leaves_no_interval() -> None:
    rng = np.random.default_rng(11)
    truth, score = rng.integers(0, 2, 60), rng.random(60)
    weight = np.where(np.arange(60) == np.flatnonzero(truth)[0], 1e6, 1.0)
    found = estimate_of("brier", measure("brier", truth, score, weight))
    assert isinstance(found, Absence)
    assert "weights of the" in found.reason


def test_two_sides_of_a_difference_need_the_same_weights() -> None:
    truth, score, other = sample()
    weight = repeats(truth.size)
    with pytest.raises(BadInput, match="same weights"):
        difference_of(
            "brier", measure("brier", truth, score, weight), measure("brier", truth, other)
        )


@pytest.mark.parametrize("clustered", [False, True])
def test_weighted_means_have_the_sandwich_of_weighted_least_squares(clustered: bool) -> None:
    truth, score, _ = sample()
    rng = np.random.default_rng(12)
    weight, cluster = rng.exponential(size=truth.size), rng.integers(0, 40, truth.size)
    found = weighted("brier", truth, score, weight)
    model = sm.WLS((score - truth) ** 2, np.ones(truth.size), weights=weight)
    if clustered:
        fitted = model.fit(
            cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
        )
        parts = np.bincount(cluster, weights=found.influence)
    else:
        fitted, parts = model.fit(cov_type="HC0"), found.influence
    assert found.value == pytest.approx(fitted.params[0], rel=1e-12)
    error = math.sqrt(float(parts @ parts)) / truth.size
    assert error == pytest.approx(fitted.bse[0], rel=1e-10)
    ours = estimate_of("brier", found, cluster=cluster if clustered else None)
    assert isinstance(ours, Estimate)
    assert ours.se == pytest.approx(fitted.bse[0], rel=0.03)


def test_intervals_of_an_unequal_sample_hold_the_populations_value() -> None:
    """Rows drawn with chances that depend on truth and score, weighted by one over the chance."""
    rng = np.random.default_rng(13)
    risk = rng.normal(size=40_000) - 1
    truth = (rng.random(risk.size) < expit(risk)).astype(np.int8)
    score = expit(risk + 0.5 * rng.normal(size=risk.size))
    chance = np.where(truth == 1, 0.03, 0.005 + 0.02 * score)
    names = ["roc_auc", "brier", "precision@0.3", "recall@0.3", "mcc@0.3", "calibration_slope"]
    true = {name: measure(name, truth, score).value for name in names}  # type: ignore[union-attr]
    held = dict.fromkeys(names, 0)
    samples = 300
    for _ in range(samples):
        drawn = rng.random(risk.size) < chance
        for name in names:
            found = measure(name, truth[drawn], score[drawn], 1 / chance[drawn])
            estimate = estimate_of(name, found)
            assert isinstance(estimate, Estimate)
            held[name] += estimate.lo <= true[name] <= estimate.hi
    assert min(held.values()) > (0.93 - 0.03) * samples, held
