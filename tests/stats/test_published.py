"""Numbers that others published, from their own data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.proportions import exact_proportion, normal_quantile

ASAH = Path(__file__).parent / "published" / "asah.csv"


def asah(marker: str) -> tuple[np.ndarray, np.ndarray]:
    with ASAH.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return (
        np.array([row["outcome"] == "Poor" for row in rows], dtype=np.int8),
        np.array([float(row[marker]) for row in rows]),
    )


def area(marker: str) -> tuple[Influence, Estimate]:
    measured = measure("roc_auc", *asah(marker))
    assert isinstance(measured, Influence)
    found = estimate_of("roc_auc", measured)
    assert isinstance(found, Estimate)
    return measured, found


@pytest.mark.parametrize(
    ("marker", "value", "lo", "hi"),
    [("s100b", 0.7314, 0.6301, 0.8326), ("ndka", 0.6120, 0.5012, 0.7227)],
)
def test_areas_have_procs_error(marker: str, value: float, lo: float, hi: float) -> None:
    """DeLong's interval as pROC prints it: value and 1.96 errors (Robin et al. 2011).

    Ours has the same error, on the logit scale with Student's t.
    """
    _, found = area(marker)
    z = normal_quantile(0.95)
    assert found.value == pytest.approx(value, abs=5e-5)
    assert found.value - z * found.se == pytest.approx(lo, abs=5e-5)
    assert found.value + z * found.se == pytest.approx(hi, abs=5e-5)


def test_two_markers_of_the_same_patients_have_delongs_z() -> None:
    """Z = 1.3908, as pROC's test of two paired areas gives it."""
    gap = difference_of("roc_auc", area("s100b")[0], area("ndka")[0])
    assert isinstance(gap, Estimate)
    assert gap.value / gap.se == pytest.approx(1.3908, abs=5e-5)


@pytest.mark.parametrize(
    ("right", "n", "lo", "hi"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684)],
)
def test_shares_have_newcombes_published_exact_bounds(
    right: int, n: int, lo: float, hi: float
) -> None:
    """Newcombe 1998, table I, method 5: Clopper and Pearson's."""
    found = exact_proportion(right, n)
    assert found == pytest.approx((lo, hi), abs=5e-5)
    assert found == pytest.approx(proportion_confint(right, n, method="beta"), rel=1e-10)
