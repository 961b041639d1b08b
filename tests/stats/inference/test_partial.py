"""Parts merged are the whole: moments, estimates, clusters."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.partial import (
    Moments,
    mean_estimate,
    merge,
    merge_all,
    moments_of,
    no_moments,
    weighted_mean_estimate,
)
from trackrecord.stats.partial_clusters import (
    cluster_sums,
    clustered_mean_estimate,
    merge_clusters,
)


def same(a: Moments, b: Moments, rel: float = 1e-10) -> None:
    assert a.n == b.n
    spread = np.sqrt(np.abs(np.diag(b.scatter))) + 1e-300
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-13, atol=rel * float(spread.max()))
    np.testing.assert_allclose(
        a.scatter / np.outer(spread, spread), b.scatter / np.outer(spread, spread), atol=rel
    )


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
    st.sampled_from([0.0, 1.0, 1e6]),
)
def test_parts_merge_into_the_whole_in_any_grouping(
    seed: int, sizes: list[int], far: float
) -> None:
    table = np.random.default_rng(seed).normal(far, 1, size=(sum(sizes) + 2, 3))
    parts = [moments_of(part) for part in np.split(table, np.cumsum(sizes))]
    whole = moments_of(table)
    same(merge_all(parts), whole)
    same(functools.reduce(merge, parts), whole)
    same(functools.reduce(lambda right, left: merge(left, right), reversed(parts)), whole)
    np.testing.assert_allclose(whole.scatter, np.cov(table.T) * (whole.n - 1), atol=1e-6)


def test_a_far_mean_costs_no_digits() -> None:
    """A sum of squares would have lost all of them: 1e9 squared holds 1e18, a double 16 digits."""
    near = np.random.default_rng(1).normal(size=100_000)
    found = moments_of((near + 1e9)[:, None])
    assert found.scatter[0, 0] == pytest.approx(((near + 1e9 - 1e9) ** 2).sum(), rel=1e-4)
    exact = (near + 1e9) - 1e9
    assert found.scatter[0, 0] / found.n == pytest.approx(exact.var(), rel=1e-9)


def test_nothing_merges_as_nothing() -> None:
    some = moments_of(np.arange(6.0).reshape(3, 2))
    assert merge(some, no_moments(2)) is some
    assert merge(no_moments(2), some) is some


def test_a_mean_and_a_paired_difference_have_their_t_intervals() -> None:
    table = np.random.default_rng(2).normal(size=(50, 2))
    found = mean_estimate(moments_of(table), [1, -1], metric="gap", level=0.9)
    assert isinstance(found, Estimate)
    paired = stats.ttest_rel(table[:, 0], table[:, 1]).confidence_interval(0.9)
    assert (found.lo, found.hi) == pytest.approx(tuple(paired), rel=1e-12)
    assert found.method == "mean of merged parts, t(49)"


def test_a_weighted_mean_has_the_robust_error_of_a_weighted_regression() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=200), rng.gamma(2.0, size=200)
    found = weighted_mean_estimate(
        moments_of(np.column_stack([w * x, w])), product=0, weight=1, metric="m"
    )
    assert isinstance(found, Estimate)
    theirs = sm.WLS(x, np.ones(200), weights=w).fit(cov_type="HC1")
    assert found.value == pytest.approx(theirs.params[0], rel=1e-12)
    assert found.se == pytest.approx(theirs.bse[0], rel=1e-12)


def test_weights_of_one_are_no_weights() -> None:
    x = np.random.default_rng(4).normal(size=30)
    moments = moments_of(np.column_stack([x, np.ones(30)]))
    a = weighted_mean_estimate(moments, product=0, weight=1, metric="m")
    b = mean_estimate(moments, [1, 0], metric="m")
    assert isinstance(a, Estimate)
    assert isinstance(b, Estimate)
    assert (a.value, a.lo, a.hi) == pytest.approx((b.value, b.lo, b.hi), rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.empty((0, 1)), "there is no row"),
        (np.ones((1, 1)), "one row cannot show"),
        (np.full((9, 1), 0.1), "every row counts the same"),
        (np.full((70_000, 1), 1e9 + 0.1), "every row counts the same"),
    ],
)
def test_an_interval_that_cannot_be_is_absent(rows: np.ndarray, said: str) -> None:
    found = mean_estimate(moments_of(rows), [1.0], metric="m")
    assert isinstance(found, Absence)
    assert found.reason.startswith(said)


def test_weights_that_cancel_leave_no_mean() -> None:
    moments = moments_of([[1.0, 1.0], [2.0, -1.0]])
    found = weighted_mean_estimate(moments, product=0, weight=1, metric="m")
    assert isinstance(found, Absence)
    assert found.reason == "the weights add up to zero or less"


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(BadInput, match="2 and 3 columns"):
        merge(no_moments(2), no_moments(3))
    with pytest.raises(BadInput, match="no part"):
        merge_all([])
    with pytest.raises(BadInput, match="finite"):
        moments_of([[1.0], [np.nan]])
    with pytest.raises(BadInput, match="2 axes"):
        moments_of([1.0])
    with pytest.raises(BadInput, match="2 weights for 1 columns"):
        mean_estimate(no_moments(1), [1, 1], metric="m")


def test_clusters_cut_by_parts_are_put_together() -> None:
    rng = np.random.default_rng(5)
    table, cluster = rng.normal(size=(300, 2)), rng.integers(-3, 9, size=300)
    whole = cluster_sums(table, cluster)
    parts = [cluster_sums(table[at], cluster[at]) for at in np.split(np.arange(300), [17, 200])]
    merged = functools.reduce(merge_clusters, parts)
    np.testing.assert_array_equal(merged.code, whole.code)
    np.testing.assert_array_equal(merged.rows, whole.rows)
    np.testing.assert_allclose(merged.sums, whole.sums, atol=1e-12)


def test_equal_clusters_have_the_error_of_statsmodels() -> None:
    """With G equal clusters CR2 is the plain sandwich times G / (G - 1)."""
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(15), 8)
    x = rng.normal(size=15)[cluster] + rng.normal(size=120)
    found = clustered_mean_estimate(cluster_sums(x[:, None], cluster), [1.0], metric="m")
    assert isinstance(found, Estimate)
    theirs = sm.OLS(x, np.ones(120)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    assert found.se == pytest.approx(theirs.bse[0] * (15 / 14) ** 0.5, rel=1e-12)
    assert (found.clusters, found.n) == (15, 120)


def test_clusters_too_few_to_differ_are_absent() -> None:
    one = clustered_mean_estimate(cluster_sums(np.eye(3), [7, 7, 7]), [1, 0, 0], metric="m")
    lopsided = clustered_mean_estimate(
        cluster_sums(np.arange(50.0)[:, None], np.repeat([1, 2], [49, 1])), [1.0], metric="m"
    )
    level = clustered_mean_estimate(
        cluster_sums(np.ones((40, 1)), np.arange(40) % 4), [1.0], metric="m"
    )
    for found, said in ((one, "count as 1 equal"), (lopsided, "count as 1"), (level, "same mean")):
        assert isinstance(found, Absence)
        assert said in found.reason


@pytest.mark.parametrize("cluster", [[0.5, 1.0], [1, 2, 3], ["a", "b"], [[1], [2]]])
def test_clusters_are_whole_numbers_one_a_row(cluster: list[float]) -> None:
    with pytest.raises(BadInput):
        cluster_sums([[1.0], [2.0]], cluster)
