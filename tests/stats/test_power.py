"""Before training: can this many rows decide the criterion?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, ndtri
from scipy.stats import multivariate_normal

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.metrics import metric_names
from trackrecord.stats.planning import CORRELATION, reference_rows, spread_assumed
from trackrecord.stats.power import Decidability, decidability, design_effect, icc

INF = math.inf


def planned(
    metric: str,
    low: float,
    high: float,
    rows: int,
    *,
    prevalence: float = 0.2,
    paired: bool = False,
    effect: float = 1.0,
    expect: float | None = None,
) -> Decidability:
    return decidability(
        low=low,
        high=high,
        metric=metric,
        is_difference=paired,
        rows=rows,
        prevalence=prevalence,
        design_effect=effect,
        expect=expect,
    )


def test_a_large_test_decides_and_a_small_one_does_not() -> None:
    small = planned("roc_auc", 0.70, INF, 200)
    large = planned("roc_auc", 0.70, INF, 100_000)
    assert not small.decidable
    assert large.decidable
    assert large.chance > 0.999
    assert small.half_width > large.half_width


def test_the_rows_needed_are_the_fewest_with_a_chance_of_four_in_five() -> None:
    found = planned("roc_auc", 0.70, INF, 500)
    assert found.rows_needed is not None
    assert planned("roc_auc", 0.70, INF, found.rows_needed).chance >= 0.8
    assert planned("roc_auc", 0.70, INF, found.rows_needed - 1).chance < 0.8


def test_an_effect_on_the_limit_can_never_be_decided() -> None:
    found = planned("roc_auc", 0.70, INF, 10**9, expect=0.70)
    assert found.rows_needed is None
    assert found.chance == pytest.approx(0.05, abs=0.001)


def test_clusters_multiply_the_rows_needed() -> None:
    alone = planned("brier", -INF, 0.15, 1_000)
    bound = planned("brier", -INF, 0.15, 1_000, effect=4.0)
    assert alone.rows_needed is not None
    assert bound.rows_needed == pytest.approx(4 * alone.rows_needed, rel=0.01)
    assert bound.half_width == pytest.approx(2 * alone.half_width)
    assert "4-fold" in bound.assumption


def test_what_was_assumed_is_said() -> None:
    assert planned("roc_auc", 0.70, INF, 500).assumption == (
        "ROC AUC 0.73, 0.03 beyond the limit; a calibrated model with ROC AUC 0.73; "
        "0.2 of rows positive"
    )
    assert planned("roc_auc", 0, INF, 500, paired=True, expect=0.04).assumption == (
        "ROC AUC difference 0.04 as the case expects; two calibrated models with ROC AUC 0.75 "
        "whose log odds correlate 0.7 within each class; 0.2 of rows positive"
    )
    assert planned("bias", -0.02, 0.02, 500).assumption.startswith("bias 0, its best value")


@pytest.mark.parametrize("metric", metric_names())
@pytest.mark.parametrize(
    ("paired", "prevalence"),
    [
        (False, 0.01),
        (True, 0.5),
        *(
            pytest.param(paired, rate, marks=pytest.mark.slow)
            for paired in (False, True)
            for rate in (0.0, 0.01, 0.5, 1.0)
        ),
    ],
)
def test_any_case_gets_finite_numbers(metric: str, paired: bool, prevalence: float) -> None:
    for rows in (0, 10_000):
        for low, high in ((0.1, INF), (-INF, 0.1), (-0.1, 0.3)):
            found = planned(metric, low, high, rows, prevalence=prevalence, paired=paired)
            assert 0 <= found.chance <= 1
            assert 0 < found.half_width < INF
            assert found.decidable == (found.chance >= 0.8)


def test_where_the_reference_model_calls_nobody_it_is_shifted_and_that_is_said() -> None:
    found = planned("precision", 0.3, INF, 5_000, prevalence=0.01, paired=True)
    assert found.assumption.endswith("0.01 of rows positive, and shifted to call as many so")
    found = planned("precision@0.02", 0.02, INF, 5_000, prevalence=0.01)
    assert "shifted" not in found.assumption


def test_a_model_that_calls_hardly_anyone_is_not_said_to_be_sure() -> None:
    found = planned("precision", 0.3, INF, 5_000, prevalence=0.01)
    assert found.half_width > 0.1


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(BadInput):
        planned("roc_uac", 0.7, INF, 100)


def test_the_reference_model_is_calibrated_and_has_the_area_it_says() -> None:
    truth, score, other = reference_rows(0.2, 0.8)
    for seen in (score, other):
        assert measure("roc_auc", truth, seen).value == pytest.approx(0.8, abs=0.003)  # type: ignore[union-attr]
        assert measure("calibration_slope", truth, seen).value == pytest.approx(1, abs=0.01)  # type: ignore[union-attr]
        assert measure("bias", truth, seen).value == pytest.approx(0, abs=0.002)  # type: ignore[union-attr]


@pytest.mark.parametrize(("auc", "rate"), [(0.65, 0.5), (0.75, 0.2), (0.85, 0.05), (0.95, 0.01)])
def test_the_spread_of_an_area_is_the_binormal_models(auc: float, rate: float) -> None:
    """E V^2 is the chance of one above two: a bivariate normal with correlation one half."""
    z = ndtri(auc)
    both = multivariate_normal.cdf([z, z], cov=[[1, 0.5], [0.5, 1]])
    exact = math.sqrt((both - auc**2) * (1 / rate + 1 / (1 - rate)))
    assert spread_assumed("roc_auc", auc, rate, False)[0] == pytest.approx(exact, rel=0.02)


def drawn(
    rng: np.random.Generator, rows: int, rate: float, auc: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the reference population, at random, with two models' scores."""
    d = math.sqrt(2) * ndtri(auc)
    truth = (rng.random(rows) < rate).astype(np.int8)
    first = rng.normal(size=rows)
    second = CORRELATION * first + math.sqrt(1 - CORRELATION**2) * rng.normal(size=rows)
    middle = math.log(rate / (1 - rate)) + np.where(truth == 1, 1, -1) * d * d / 2
    return truth, expit(middle + d * first), expit(middle + d * second)


@pytest.mark.parametrize(
    ("metric", "low", "high", "rows", "auc"),
    [
        ("roc_auc", 0.70, INF, 2_500, 0.73),
        ("calibration_slope", 0.8, 1.25, 2_000, 0.75),
        ("bias", -0.02, 0.02, 3_000, 0.75),
    ],
)
def test_the_chance_is_that_of_a_simulation(
    metric: str, low: float, high: float, rows: int, auc: float
) -> None:
    rng, decided, samples = np.random.default_rng(1), 0, 300
    for _ in range(samples):
        truth, score, _ = drawn(rng, rows, 0.2, auc)
        found = estimate_of(metric, measure(metric, truth, score))
        assert isinstance(found, Estimate)
        inside = found.lo >= low and found.hi <= high
        decided += inside or found.hi < low or found.lo > high
    assert decided / samples == pytest.approx(planned(metric, low, high, rows).chance, abs=0.1)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "average_precision", "calibration_slope"])
def test_the_half_width_of_a_difference_is_that_of_a_simulation(metric: str) -> None:
    rng, rows = np.random.default_rng(2), 3_000
    halves = []
    for _ in range(20):
        truth, score, other = drawn(rng, rows, 0.2, 0.75)
        gap = difference_of(metric, measure(metric, truth, score), measure(metric, truth, other))
        assert isinstance(gap, Estimate)
        halves.append((gap.hi - gap.lo) / 2)
    expected = planned(metric, 0, INF, rows, paired=True).half_width
    assert float(np.mean(halves)) == pytest.approx(expected, rel=0.06)


def test_the_design_effect_is_kishs() -> None:
    assert design_effect([1, 1, 1, 1], 0.3) == 1
    assert design_effect([10] * 20, 0.1) == pytest.approx(1 + 9 * 0.1)
    assert design_effect([1, 9], 0.1) == pytest.approx(1 + (82 / 10 - 1) * 0.1)
    assert design_effect([10, 10], -0.2) == 1
    assert design_effect([], 0.2) == 1


def test_intra_cluster_correlation_is_found_again() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 400, 12_000)
    values = (0.3 * rng.normal(size=400)[codes] + rng.normal(size=12_000)) > 0
    latent = 0.09 / 1.09
    # on the scale of a share at one half: 2 / pi arcsin(latent)
    assert icc(values, codes) == pytest.approx(2 / math.pi * math.asin(latent), abs=0.012)
    assert icc(values, rng.permutation(codes)) < 0.01


def test_correlation_has_its_extremes() -> None:
    assert icc([0, 0, 1, 1], [7, 7, 9, 9]) == 1
    assert icc([0, 1, 0, 1], [1, 1, 2, 2]) == 0
    assert icc([0, 1, 0, 1], [1, 1, 1, 1]) == 0
    assert icc([0, 1, 0, 1], [1, 2, 3, 4]) == 0
    assert icc([1, 1, 1, 1], [1, 1, 2, 2]) == 0
    assert icc([], []) == 0
    assert icc([0, 0, 1, 1], ["a", "a", "b", "b"]) == 1
