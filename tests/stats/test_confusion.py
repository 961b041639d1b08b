"""Cells of a confusion table: shares, exact bounds, and bands that hold for all at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from trackrecord.stats.confusion import confusion, exact


def sample(n: int, seed: int = 1, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=np.arange(classes, 0, -1) / (classes * (classes + 1) / 2))
    wrong = rng.integers(0, classes, n)
    return truth, np.where(rng.random(n) < 0.7, truth, wrong)


def test_counts_and_shares_are_scikit_learn_s() -> None:
    truth, label = sample(200)
    weight = np.random.default_rng(2).uniform(0.5, 2, 200)
    found = confusion(truth, label, 3, weight)
    np.testing.assert_array_equal(found.count, confusion_matrix(truth, label))
    expected = confusion_matrix(truth, label, sample_weight=weight, normalize="true")
    np.testing.assert_allclose(found.share, expected, rtol=1e-12)


def test_bounds_of_independent_rows_are_clopper_and_pearson_s() -> None:
    truth, label = sample(60)
    found = confusion(truth, label, 3)
    for cell in np.ndindex(3, 3):
        n = int(found.count[cell[0]].sum())
        exactly = binomtest(int(found.count[cell]), n).proportion_ci(found.each, method="exact")
        assert (found.lo[cell], found.hi[cell]) == pytest.approx((exactly.low, exactly.high))


def test_bounds_of_nothing_and_of_all_are_those_of_the_rule_of_three() -> None:
    lo, hi = exact(np.array([0.0, 1.0]), np.array([50.0, 50.0]), 0.95)
    assert (lo[0], hi[1]) == (0.0, 1.0)
    assert hi[0] == pytest.approx(1 - 0.025 ** (1 / 50))
    assert lo[1] == pytest.approx(0.025 ** (1 / 50))


def test_each_cell_is_bound_at_a_level_between_its_own_and_that_of_independence() -> None:
    found = confusion(*sample(3_000), 3)
    assert 0.95 < found.each < 0.95 ** (1 / 9)
    # two classes have two shares that vary, each with its complement
    assert confusion(*sample(3_000, classes=2), 2).each == pytest.approx(0.95**0.5, abs=0.005)


def test_a_cell_that_is_empty_takes_its_part_of_the_error() -> None:
    truth, label = np.repeat([0, 1], 50), np.r_[np.zeros(50, int), np.arange(50) % 2]
    found = confusion(truth, label, 2)
    assert found.each == pytest.approx(0.95 ** (1 / 4))
    assert found.hi[0, 1] > 0.05


def test_a_class_without_rows_has_no_shares() -> None:
    found = confusion(np.array([0, 0, 2]), np.array([0, 1, 2]), 3)
    assert np.isnan(found.share[1]).all()
    assert np.isnan(found.lo[1]).all()
    assert found.count[1].sum() == 0
    assert np.isfinite(found.lo[[0, 2]]).all()


def test_rows_copied_within_clusters_are_no_new_knowledge() -> None:
    truth, label = sample(300)
    once = confusion(truth, label, 3)
    copies = confusion(
        np.repeat(truth, 5), np.repeat(label, 5), 3, cluster=np.repeat(np.arange(300), 5)
    )
    assert copies.each == pytest.approx(once.each, abs=2e-3)
    np.testing.assert_allclose(copies.lo, once.lo, atol=0.02)
    np.testing.assert_allclose(copies.hi, once.hi, atol=0.02)


def test_weights_cost_what_they_are_worth() -> None:
    truth, label = np.zeros(400, int), np.arange(400) % 2
    truth[::40] = 1
    weight = np.where(np.arange(400) < 200, 1.0, 3.0)
    heavy, plain = confusion(truth, label, 2, weight), confusion(truth, label, 2)
    ratio = (heavy.hi - heavy.lo)[0, 0] / (plain.hi - plain.lo)[0, 0]
    assert ratio == pytest.approx((1.25) ** 0.5, rel=0.05)


def test_a_class_within_one_cluster_has_no_bounds() -> None:
    truth, label = sample(90)
    cluster = np.where(truth == 2, 0, np.arange(90) % 9)
    found = confusion(truth, label, 3, cluster=cluster)
    assert np.isnan(found.lo[2]).all()
    assert np.isfinite(found.share[2]).all()
    assert np.isfinite(found.lo[:2]).all()


def test_a_class_that_is_always_right_is_worth_its_clusters() -> None:
    truth = np.repeat([0, 1], 100)
    label = np.r_[np.zeros(100, int), np.arange(100) % 2]
    found = confusion(truth, label, 2, cluster=np.arange(200) % 10)
    # ten clusters of ten rows, none of which shows how much a cluster's rows go together
    assert 0.4 < found.lo[0, 0] < 0.75


@pytest.mark.parametrize("clusters", [0, 40])
@pytest.mark.parametrize("sparse", [False, True])
def test_all_cells_hold_at_once_as_often_as_they_say(clusters: int, sparse: bool) -> None:
    rng = np.random.default_rng(7)
    rate = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    if sparse:
        rate = np.array([[0.97, 0.02, 0.01], [0.001, 0.998, 0.001], [0.05, 0.05, 0.9]])
    held = 0
    for _ in range(150):
        truth = rng.choice(3, 600, p=[0.6, 0.3, 0.1])
        cluster = None
        edges = rate.cumsum(axis=1)[truth]
        draw = rng.random(600)
        if clusters:  # rows of a cluster may share one draw
            cluster = rng.integers(0, clusters, 600)
            shared = rng.random(clusters)[cluster]
            draw = np.where(rng.random(600) < 0.3, shared, draw)
        label = np.minimum((draw[:, None] > edges).sum(axis=1), 2)
        found = confusion(truth, label, 3, cluster=cluster)
        held += bool(((found.lo <= rate) & (rate <= found.hi)).all())
    assert held / 150 > 0.92


def test_many_cells_cost_no_more_than_independent_ones() -> None:
    found = confusion(*sample(20_000, classes=11), 11)
    assert found.each == pytest.approx(0.95 ** (1 / 121))
