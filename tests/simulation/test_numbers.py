"""Intervals of numbers and forecasts hold the truth as often as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.simulation.coverage import Tally
from tests.simulation.numbers import (
    DESIGNS,
    SERIES_METRICS,
    Forecasts,
    Numbers,
    cover,
    table,
    true_scaled,
    true_values,
)

from trackrecord.stats.metrics import get_metric, metric_names

PROMISED = 0.93
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "intervals.md"
# designs and metrics whose shortfall the page tells of
TOLD = {("30 rows, prices", "bias, paired")}


def check(found: dict[str, Tally], clustered: bool = False) -> None:
    for name, tally in found.items():
        asked = get_metric(name.removesuffix(", paired"), "regression")
        if not (asked.rows_needed or clustered):
            assert tally.offered > 0.9 * tally.tried, name
        error = (PROMISED * (1 - PROMISED) / max(tally.offered, 1)) ** 0.5
        assert not tally.coverage <= PROMISED - 2.5 * error, (name, tally)


def test_coverage_holds_with_few_rows() -> None:
    some = ["mae", "rmse", "r2", "median_ae", "bias", "spearman", "coverage", "wape"]
    check(cover(Numbers(100, "skewed"), samples=150, metrics=some))


def test_coverage_holds_with_few_series() -> None:
    check(cover(Forecasts(20, "normal"), samples=300), clustered=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [Numbers(100, "heavy"), Numbers(1_000, "prices"), Numbers(1_000, "heavy", 20)],
    ids=str,
)
def test_coverage_holds(design: Numbers) -> None:
    check(cover(design, samples=400), clustered=design.clusters is not None)


def test_the_populations_are_what_they_are_said_to_be() -> None:
    """Of normal errors, e = 0.1 - 0.2 a - z, so that all moments are known."""
    true = true_values("normal")[0]
    square = 0.1**2 + 0.2**2 + 1
    assert true["mse"] == pytest.approx(square, rel=1e-9)
    assert true["r2"] == pytest.approx(1 - square / 5, rel=1e-9)
    assert true["bias"] == pytest.approx(0.1, rel=1e-9)
    assert true["pearson"] == pytest.approx(2 / 5**0.5, rel=1e-9)
    # of normal numbers Spearman's is 6 / pi asin(r / 2) (Pearson 1907)
    assert true["spearman"] == pytest.approx(6 / np.pi * np.arcsin(1 / 5**0.5), rel=1e-4)


def test_true_scaled_errors_are_those_of_a_normal_series() -> None:
    """E exp(0.3 g) E|z|, g and z standard normal."""
    assert true_scaled("normal")[0]["mase"] == pytest.approx(
        np.exp(0.3**2 / 2) * (2 / np.pi) ** 0.5, rel=2e-3
    )


def test_the_page_shows_every_metric_on_every_design_as_promised() -> None:
    part = PAGE.read_text().split("<!-- numbers:")[1].split("<!-- /numbers -->")[0]
    samples = int(re.search(r"([\d,]+) samples", part)[1].replace(",", ""))  # type: ignore[index]
    error = (PROMISED * (1 - PROMISED) / samples) ** 0.5
    seen: set[tuple[str, str]] = set()
    designs: list[str] = []
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split(" | ")]
        if line.startswith("| |"):
            designs = [cell.strip() for cell in line.strip().strip("|").split("|")[1:]]
        elif line.startswith("| ") and not line.startswith("| ---"):
            for design, cell in zip(designs, cells[1:], strict=True):
                seen.add((design, cells[0]))
                if cell != "none offered" and (design, cells[0]) not in TOLD:
                    assert float(cell.split()[0]) / 100 > PROMISED - 2.5 * error, (design, line)
    for design in DESIGNS:
        series = isinstance(design, Forecasts)
        for name in metric_names("regression"):
            if series == (name in SERIES_METRICS):
                assert (str(design), name) in seen
                assert (str(design), f"{name}, paired") in seen


def test_the_table_shows_what_was_declined() -> None:
    found = {"a design": {"rmse": Tally(10, 0, 0, 0), "mae": Tally(10, 8, 1, 0)}}
    text = table(found, 10)
    assert "| rmse | none offered |" in text
    assert "| mae | 87.5 (20.0 declined) |" in text
