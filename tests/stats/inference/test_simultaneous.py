"""Levels that make many intervals hold together, and the step-down test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from trackrecord.errors import BadInput
from trackrecord.stats.simultaneous import BUCKETS, apart, joint_level, unit_sums
from trackrecord.stats.stepdown import step_down


def with_correlation(matrix: np.ndarray, units: int = 20_000, seed: int = 1) -> np.ndarray:
    """Unit sums whose sample correlation is ``matrix``, exactly."""
    noise = np.random.default_rng(seed).standard_normal((units, len(matrix)))
    noise -= noise.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(noise.T @ noise), noise.T).T
    return white @ np.linalg.cholesky(matrix).T


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.95])
def test_the_critical_value_is_that_of_the_gaussian_it_stands_for(rho: float) -> None:
    """Two and three correlated Gaussians, whose probabilities scipy integrates."""
    for k in (2, 3):
        matrix = np.full((k, k), rho) + (1 - rho) * np.eye(k)
        found = joint_level(with_correlation(matrix))
        c = np.full(k, found.critical)
        inside = multivariate_normal(np.zeros(k), matrix).cdf(c, lower_limit=-c)
        assert inside == pytest.approx(0.95, abs=0.006)  # 10,000 draws: 0.002


def test_independent_estimates_have_sidaks_level() -> None:
    found = joint_level(with_correlation(np.eye(40)))
    assert found.each == pytest.approx(0.95 ** (1 / 40), abs=4e-4)
    assert found.each <= 0.95 ** (1 / 40)


def test_copies_of_one_estimate_cost_nothing() -> None:
    one = np.random.default_rng(1).standard_normal((1000, 1))
    assert joint_level(one).each == 0.95
    copies = joint_level(np.repeat(one, 30, axis=1) * np.arange(1, 31))
    assert copies.each == pytest.approx(0.95, abs=0.003)
    assert copies.shrunk < 1e-9


def test_nested_slices_cost_less_than_disjoint_ones() -> None:
    loss = np.random.default_rng(1).standard_normal(20_000)
    loss -= loss.mean()
    nested = [(np.arange(1000 * j), loss[: 1000 * j]) for j in range(1, 21)]
    disjoint = [(np.arange(1000 * j, 1000 * j + 1000), loss[:1000]) for j in range(20)]
    narrow, wide = (joint_level(unit_sums(one, 20_000)) for one in (nested, disjoint))
    assert narrow.critical < wide.critical - 0.2
    assert wide.critical == pytest.approx(norm.ppf((1 + 0.95 ** (1 / 20)) / 2), abs=0.03)


def test_few_units_are_taken_as_telling_little_of_correlation() -> None:
    few = joint_level(np.random.default_rng(1).standard_normal((5, 500)))
    assert few.shrunk > 0.3
    assert few.each > 0.9995
    assert few.units == 5


def test_results_are_the_same_at_every_call() -> None:
    sums = np.random.default_rng(1).standard_normal((50, 7))
    assert joint_level(sums) == joint_level(sums)
    # a change of SEED, of the draws or of their order shows here
    assert joint_level(np.eye(3)).critical == pytest.approx(2.386, abs=0.02)


def test_unit_sums_add_up_within_clusters() -> None:
    psi = np.array([1.0, 2.0, 3.0, 4.0])
    sums = unit_sums([(None, psi), ([0, 3], [5.0, 7.0])], 4, cluster=[9, 9, -2, -2])
    np.testing.assert_allclose(sums, [[7 / 4, 7 / 2], [3 / 4, 5 / 2]])


def test_rows_beyond_the_buckets_are_folded_and_the_answer_stays() -> None:
    rng = np.random.default_rng(1)
    n = 4 * BUCKETS + 17
    psi = rng.standard_normal(n)
    columns = [(np.flatnonzero(rng.random(n) < share), share) for share in (0.5, 0.6, 0.9)]
    sums = unit_sums([(rows, psi[rows]) for rows, _ in columns], n)
    assert sums.shape == (BUCKETS, 3)
    whole = np.zeros((n, 3))
    for j, (rows, _) in enumerate(columns):
        whole[rows, j] = psi[rows]
    assert joint_level(sums).critical == pytest.approx(joint_level(whole).critical, abs=0.03)


def test_a_slice_minus_the_whole_has_the_influence_of_the_difference() -> None:
    loss = np.random.default_rng(1).exponential(size=50)
    rows = np.array([3, 4, 40])
    inside = loss[rows] - loss[rows].mean()
    nobody, influence = apart(rows, inside, loss - loss.mean())
    assert nobody is None
    h = 1e-6
    for i in (3, 7):
        weight = np.ones(50)
        weight[i] += h
        moved = np.average(loss[rows], weights=weight[rows]) - np.average(loss, weights=weight)
        slope = (moved - (loss[rows].mean() - loss.mean())) / h * 50
        assert influence[i] == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize(
    ("columns", "cluster"),
    [
        ([(None, [1.0, 2.0])], None),
        ([([0, 3], [1.0, 2.0])], None),
        ([([-1], [1.0])], None),
        ([([], [])], None),
        ([(None, [1.0, np.nan, 0.0])], None),
        ([(None, [1.0, 2.0, 3.0])], [1, 2]),
        ([(None, [1.0, 2.0, 3.0])], [0.5, 1.0, 2.0]),
    ],
)
def test_columns_of_other_rows_are_refused(columns: list, cluster: list | None) -> None:
    with pytest.raises(BadInput):
        unit_sums(columns, 3, cluster)


def test_nothing_that_varies_is_refused() -> None:
    for sums in (np.zeros((5, 3)), np.empty((5, 0)), np.empty((0, 3))):
        with pytest.raises(BadInput, match="no estimate varies"):
            joint_level(sums)
    varies = np.random.default_rng(1).standard_normal((50, 2))
    padded = joint_level(np.column_stack([varies, np.zeros(50)]))
    assert padded == joint_level(varies)


def test_the_adjusted_p_of_independent_tests_is_holm_and_sidaks() -> None:
    """Step-down Šidák, 1 − (1 − p_(i))^(k − i + 1) with a running maximum (Holland 1987)."""
    t = np.array([-3.2, -2.4, 0.3, -1.0, -2.5])
    found = step_down(t, np.ones(5), np.full(5, np.inf), with_correlation(np.eye(5)), side="below")
    order = np.argsort(t)
    expected = np.maximum.accumulate(1 - (1 - norm.cdf(t[order])) ** np.arange(5, 0, -1))
    np.testing.assert_allclose(found.p[order], expected, atol=0.015)
    np.testing.assert_allclose(found.alone, norm.cdf(t))
    assert found.picked.tolist() == [True, True, False, False, True]


def test_stepping_down_finds_more_than_one_step() -> None:
    gaps = np.array([-9.0, -9, -9, -9, -9, -9, -9, -9, -1.9, 0.0])
    found = step_down(
        gaps, np.ones(10), np.full(10, np.inf), with_correlation(np.eye(10)), side="below"
    )
    assert found.p[8] == pytest.approx(1 - (1 - norm.cdf(-1.9)) ** 2, abs=0.01)
    assert found.p[0] == pytest.approx(1 / 10_001)


def test_sides_are_mirrored_and_either_counts_both() -> None:
    gaps, se, sums = np.array([2.5, -1.0]), np.ones(2), with_correlation(np.eye(2))
    degrees = np.full(2, 9.0)
    above = step_down(gaps, se, degrees, sums, side="above")
    either = step_down(gaps, se, degrees, sums, side="either")
    np.testing.assert_array_equal(
        step_down(-gaps, se, degrees, -sums, side="below").alone, above.alone
    )
    np.testing.assert_allclose(either.alone, [2 * above.alone[0], 2 * (1 - above.alone[1])])


def test_few_degrees_make_a_difference_less_certain() -> None:
    sums = with_correlation(np.eye(3))
    few, many = (
        step_down([-3.0, 0, 0], np.ones(3), np.full(3, df), sums, side="below").p[0]
        for df in (4.0, np.inf)
    )
    assert few > 5 * many


@pytest.mark.parametrize(
    "wrong",
    [
        {"se": [1.0, 0.0]},
        {"degrees": [1.0, 0.0]},
        {"degrees": [np.nan, 1.0]},
        {"sums": [[1.0, 0.0], [1.0, 0.0]]},
        {"sums": [[1.0], [1.0]]},
        {"side": "lower"},
        {"alpha": 0.0},
        {"differences": []},
        {"differences": [np.nan, 1.0]},
    ],
    ids=str,
)
def test_what_cannot_be_tested_is_refused(wrong: dict) -> None:
    right = {
        "differences": [1.0, 2.0],
        "se": [1.0, 1.0],
        "degrees": [5.0, 5.0],
        "sums": [[1.0, 0.5], [-1.0, 2.0]],
        "side": "below",
    }
    step_down(**right)
    with pytest.raises(BadInput):
        step_down(**right | wrong)
