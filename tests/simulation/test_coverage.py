"""Intervals hold the truth as often as they say: the quick part of the coverage simulation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri
from tests.simulation.coverage import CLOSES, FULL, OPENS, Covered, cover, pasted, table
from tests.simulation.population import Design, centre, draw, named, true_values

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names

PROMISED = 0.93
# near 0, a greatest distance, or a share of rows whose number is uncertain too: here the interval
# is rather wide than wrong
WIDE = {
    "brier_reliability",
    "brier_resolution",
    "brier_uncertainty",
    "debiased_ece",
    "ks",
    "lift",
    "recall_top",
}
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "intervals.md"


def check(found: Covered) -> None:
    for name, tally in found.tallies.items():
        asked = get_metric(name.removesuffix(", paired"))
        if not (asked.rows_needed or asked.clusters_needed):
            assert tally.offered > 0.75 * tally.tried, (str(found.design), name)
        error = (PROMISED * (1 - PROMISED) / max(tally.offered, 1)) ** 0.5
        assert not tally.coverage <= PROMISED - 2.5 * error, (str(found.design), name, tally)


def test_coverage_holds_with_few_rows() -> None:
    check(cover(Design(100, 0.2), samples=100))


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        Design(1_000, 0.01),
        Design(1_000, 0.02, tau=8.0),
        Design(1_000, 0.3, clusters=20),
        Design(2_000, 0.1, clusters=50, ties=1.0),
    ],
    ids=str,
)
def test_coverage_holds(design: Design) -> None:
    check(cover(design, samples=400))


@pytest.mark.parametrize(
    ("rows", "rate", "auc"),
    [
        pytest.param(100, 0.05, 0.75, id="86 in 100 with a normal quantile"),
        pytest.param(1_000, 0.02, 0.997, id="79 in 100 without the floor"),
    ],
)
def test_an_area_is_covered_where_the_plain_formula_fails(
    rows: int, rate: float, auc: float
) -> None:
    """Binormal scores of equal variance."""
    rng, d = np.random.default_rng(1), 2**0.5 * float(ndtri(auc))
    offered = held = 0
    for _ in range(500):
        truth = (rng.random(rows) < rate).astype(np.int8)
        score = rng.normal(size=rows) + d * truth
        found = estimate_of("roc_auc", measure("roc_auc", truth, score))
        if isinstance(found, Estimate):
            offered += 1
            held += found.lo <= auc <= found.hi
    assert offered > 450
    assert held / offered > PROMISED


@pytest.mark.slow
def test_intervals_are_no_wider_than_they_need_be() -> None:
    """With rows enough, neither does an interval hold the truth much more often than it says."""
    found = cover(Design(2_000, 0.3), samples=400)
    for name, tally in found.tallies.items():
        if name.partition(",")[0] in WIDE:
            continue
        assert tally.coverage < 0.95 + 2.5 * (0.05 * 0.95 / tally.offered) ** 0.5, (name, tally)


def test_the_true_values_are_those_of_a_very_large_sample() -> None:
    for design in (Design(100_000, 0.1, ties=1.0), Design(100_000, 0.3, clusters=5_000)):
        true = true_values(design, 0)
        sample = draw(design, centre(design), np.random.default_rng(1))
        for name, value in true.items():
            found = measure(named(name, design), sample.truth, sample.scores[0])
            assert isinstance(found, Influence)
            error = found.influence.std() / design.rows**0.5
            assert found.value == pytest.approx(value, abs=6 * error), name


def test_the_page_shows_the_full_table_and_it_keeps_its_promise() -> None:
    text = PAGE.read_text().split(OPENS)[1].split(CLOSES)[0]
    (samples,) = re.findall(r"^([\d,]+) samples", text, re.MULTILINE)
    for design in FULL:
        assert f"| {design} |" in text
    for metric in metric_names():
        for name in (metric, f"{metric}, paired"):
            lines = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
            cells = [cell.strip() for line in lines for cell in line.split("|")[2:-1]]
            assert len(cells) == len(FULL), name
            for cell in cells:
                if cell == "none offered":
                    continue
                covered, declined = re.findall(r"^([\d.]+)(?: \(([\d.]+) declined\))?$", cell)[0]
                offered = int(samples.replace(",", "")) * (1 - float(declined or 0) / 100)
                # of a thousand cells some are unlucky
                error = 100 * (0.95 * 0.05 / offered) ** 0.5
                least = min(100 * PROMISED - error, 95 - 3 * error)
                assert float(covered) >= least, (name, cell)


@pytest.mark.slow
@pytest.mark.parametrize("metric", [m for m in metric_names() if get_metric(m).irregular])
def test_the_error_of_what_has_no_derivative_is_the_spread_of_many_samples(metric: str) -> None:
    design = Design(1_000, 0.2)
    mu, rng = centre(design), np.random.default_rng(5)
    values, errors = [], []
    for _ in range(400):
        sample = draw(design, mu, rng)
        found = measure(metric, sample.truth, sample.scores[0])
        assert isinstance(found, Influence)
        values.append(found.value)
        errors.append(float(found.influence @ found.influence) ** 0.5 / design.rows)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_pasting_replaces_only_what_stands_between_the_markers() -> None:
    page = f"before\n{OPENS} how -->\nold\n{CLOSES}\nafter\n"
    assert pasted(page, "new") == f"before\n{OPENS} how -->\nnew\n{CLOSES}\nafter\n"


def test_the_table_shows_what_was_declined() -> None:
    found = cover(Design(30, 0.05), samples=30)
    text = table([found], 30)
    assert "| roc_auc |" in text
    assert "declined" in text
