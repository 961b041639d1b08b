"""Intervals of classes and labels hold the truth as often as they say: the quick part."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.simulation.classes import (
    CLASSES_FULL,
    LABELS_FULL,
    THREE,
    Design,
    cover,
    draw,
    falling,
    ranked,
    true_values,
)
from tests.simulation.test_coverage import PAGE, PROMISED

from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(Design("multiclass", 300, (0.7, 0.2, 0.1)), id="classes"),
        pytest.param(Design("multilabel", 300, (0.4, 0.1)), id="labels", marks=pytest.mark.slow),
        pytest.param(
            Design("multiclass", 2_000, THREE, clusters=50),
            id="classes in clusters",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_coverage_holds(design: Design) -> None:
    found = cover(design, samples=100, truths=true_values(design, 40_000))
    for name, tally in found.tallies.items():
        error = (PROMISED * (1 - PROMISED) / tally.offered) ** 0.5
        assert tally.offered > 95, name
        assert tally.coverage > PROMISED - 2.5 * error, (name, tally)


@pytest.mark.slow
def test_the_true_values_are_those_of_a_very_large_sample() -> None:
    for design in (Design("multiclass", 9, (0.6, 0.3, 0.1)), Design("multilabel", 9, (0.4, 0.1))):
        true = true_values(design, 100_000)[1]
        sample = draw(design, 50_000, None, np.random.default_rng(8))
        assert sorted(true) == metric_names(design.task)  # type: ignore[arg-type]
        for name, value in true.items():
            metric = get_metric(name, design.task)  # type: ignore[arg-type]
            found = measure(metric, sample.truth, sample.scores[1])
            assert isinstance(found, Influence)
            error = found.influence.std() * (1 / 50_000 + 1 / 100_000) ** 0.5
            assert found.value == pytest.approx(value, abs=5 * error + 1e-4), name


def test_the_rates_are_the_design_s() -> None:
    rng = np.random.default_rng(2)
    rates = falling(6, 0.02)
    assert sum(rates) == pytest.approx(1)
    assert min(rates) == pytest.approx(0.02)
    truth = draw(Design("multiclass", 9, rates), 100_000, None, rng).truth
    assert np.bincount(truth) / 100_000 == pytest.approx(rates, abs=0.005)
    for clusters in (None, 100_000):
        design = Design("multilabel", 9, (0.5, 0.1, 0.02), clusters)
        labels = draw(design, 100_000, clusters, rng).truth
        assert labels.mean(axis=0) == pytest.approx(design.rates, abs=0.006)


def test_a_perfect_order_of_labels_has_a_ranking_precision_of_one() -> None:
    truth = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    assert ranked(truth, truth * 0.5 + 0.1) == 1
    assert ranked(truth, 0.9 - truth * 0.5) == pytest.approx(
        (0.5 * (2 / 3 + 2 / 3) + 1 / 3 + 1) / 3
    )


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_the_page_shows_the_full_table_and_it_keeps_its_promise(task: str) -> None:
    text = PAGE.read_text("utf-8").split(f"<!-- {task}:")[1].split(f"<!-- /{task} -->")[0]
    designs = CLASSES_FULL if task == "multiclass" else LABELS_FULL
    (samples,) = re.findall(r"^([\d,]+) samples", text, re.MULTILINE)
    for design in designs:
        assert f"| {design} |" in text
    for metric in metric_names(task):  # type: ignore[arg-type]
        for name in (metric, f"{metric}, paired"):
            lines = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
            cells = [cell.strip() for line in lines for cell in line.split("|")[2:-1]]
            assert len(cells) == len(designs), name
            for cell in cells:
                if cell == "none offered":
                    continue
                covered, declined = re.findall(r"^([\d.]+)(?: \(([\d.]+) declined\))?$", cell)[0]
                offered = int(samples.replace(",", "")) * (1 - float(declined or 0) / 100)
                # of hundreds of cells some are unlucky
                error = 100 * (0.95 * 0.05 / offered) ** 0.5
                least = min(100 * PROMISED - error, 95 - 3.5 * error)
                assert float(covered) >= least, (name, cell)


@pytest.mark.parametrize(
    ("task", "head"), [("multiclass", "Multi-class"), ("multilabel", "Multi-label")]
)
def test_the_reference_names_every_metric(task: str, head: str) -> None:
    section = REFERENCE.read_text("utf-8").split(f"\n## {head}\n")[1].split("\n## ")[0]
    named = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
    assert sorted(named) == metric_names(task)  # type: ignore[arg-type]
