"""Numbers that others published, from their own data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.proportions import normal_quantile

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
