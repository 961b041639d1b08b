"""Intervals of ranking metrics hold the truth as often as they say: the quick part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tests.simulation.rankings as rankings
from tests.simulation.rankings import (
    DOCUMENTS,
    FULL,
    METRICS,
    Covered,
    Design,
    cover,
    draw,
    true_values,
)

from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names
from trackrecord.stats.samples import Lists

PROMISED = 0.93
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "intervals.md"


def check(found: Covered) -> None:
    """A share's interval is right on average over rates, and not at each one near 0 or 1."""
    for name, tally in found.tallies.items():
        if not name.startswith("hit_rate"):
            error = (PROMISED * (1 - PROMISED) / max(tally.offered, 1)) ** 0.5
            assert not tally.coverage <= PROMISED - 2.5 * error, (str(found.design), name, tally)


def test_the_true_values_are_those_that_are_measured() -> None:
    truth, scores, _ = draw(Design(300), 300, None, np.random.default_rng(3))
    starts = np.arange(301) * DOCUMENTS
    for score in scores:
        for name, wanted in true_values(truth, score).items():
            lists = Lists(truth.ravel(), starts), Lists(score.ravel(), starts)
            found = measure(get_metric(name, "ranking"), *lists)
            assert isinstance(found, Influence)
            assert found.value == pytest.approx(wanted, rel=1e-12), name


def test_every_metric_is_simulated() -> None:
    assert {name.split("@")[0] for name in METRICS} == set(metric_names("ranking"))


def test_coverage_holds_with_few_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rankings, "POPULATION", 30_000)
    check(cover(Design(100), samples=60))


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        Design(30, relevant=1, sharp=-1.0),
        Design(1_000, relevant=1, sharp=-1.0),
        Design(100, relevant=1, sharp=5.0, spread=0.2),
        Design(1_000, clusters=50),
    ],
    ids=str,
)
def test_coverage_holds(design: Design) -> None:
    check(cover(design, samples=300))


def test_the_page_shows_every_design_and_metric() -> None:
    text = PAGE.read_text("utf-8").split("<!-- rankings:")[1].split("<!-- /rankings -->")[0]
    for design in FULL:
        assert f" {design} |" in text
    for name in METRICS:
        assert text.count(f"\n| {name} |") == -(-len(FULL) // 5)
