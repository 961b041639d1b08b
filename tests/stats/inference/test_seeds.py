"""Seeds and samples: against statsmodels' analysis of variance, and limits known exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from trackrecord.stats.estimate import Absence
from trackrecord.stats.proportions import proportion
from trackrecord.stats.seeds import SeedsAndSamples, chance_of_better, seeds_and_samples


def table(seeds: int, samples: int, by_seed: float, by_sample: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (
        0.3
        + rng.normal(0, by_seed, (seeds, 1))
        + rng.normal(0, by_sample, (1, samples))
        + rng.normal(0, 1, (seeds, samples))
    )


def analysed(values: np.ndarray, **options: float) -> SeedsAndSamples:
    found = seeds_and_samples(values, metric="m", **options)
    assert isinstance(found, SeedsAndSamples), found
    return found


def test_the_variances_are_those_of_an_analysis_of_variance() -> None:
    values = table(6, 9, 0.7, 1.2)
    found = analysed(values)
    seed, sample = np.indices(values.shape)
    columns = {"y": values.ravel(), "seed": seed.ravel(), "sample": sample.ravel()}
    long = pd.DataFrame(columns)
    squares = anova_lm(ols("y ~ C(seed) + C(sample)", long).fit())["mean_sq"]
    rest = squares["Residual"]
    assert found.rest.variance == pytest.approx(rest, rel=1e-9)
    assert found.seed.variance == pytest.approx((squares["C(seed)"] - rest) / 9, rel=1e-9)
    assert found.sample.variance == pytest.approx((squares["C(sample)"] - rest) / 6, rel=1e-9)
    both = (squares["C(seed)"] + squares["C(sample)"] - rest) / 54
    assert found.mean.se**2 == pytest.approx(both, rel=1e-9)


def test_the_rest_has_the_chi_squared_interval() -> None:
    values = table(4, 5, 1, 1)
    found = analysed(values, level=0.9)
    expected = 12 * found.rest.variance / stats.chi2.ppf([0.95, 0.05], 12)
    assert (found.rest.lo, found.rest.hi) == pytest.approx(tuple(expected))


def test_a_component_may_be_estimated_below_zero_and_its_interval_starts_at_zero() -> None:
    values = table(4, 50, 0.0, 1.0, seed=4)
    found = analysed(values)
    assert found.seed.variance < 0
    assert found.seed.lo == 0 < found.seed.hi


def test_seeds_and_samples_change_places() -> None:
    values = table(5, 8, 0.5, 1.5)
    here, there = analysed(values), analysed(values.T)
    assert here.seed.variance == pytest.approx(there.sample.variance)
    assert (here.sample.lo, here.sample.hi) == pytest.approx((there.seed.lo, there.seed.hi))


def test_the_error_of_the_mean_never_falls_under_that_of_either_source() -> None:
    values = np.add.outer(np.arange(4.0), np.zeros(6)) + table(4, 6, 0, 0) * 1e-3
    found = analysed(values)
    assert found.mean.se == pytest.approx(stats.sem(values.mean(axis=1)), rel=1e-3)
    assert "4 seeds crossed with 6 samples" in found.mean.method


@pytest.mark.parametrize("values", [np.ones((1, 9)), np.ones((9, 1)), np.full((3, 3), 0.1)])
def test_one_seed_or_nothing_that_varies_is_absent(values: np.ndarray) -> None:
    assert isinstance(seeds_and_samples(values, metric="m"), Absence)


def test_the_chance_of_better_counts_a_tie_as_half() -> None:
    found = chance_of_better([1.0, 2.0, 0.0, -1.0], metric="m")
    assert found == (2.5 / 4, *proportion(2.5, 4))
    assert isinstance(chance_of_better([], metric="m"), Absence)
