"""The error rates that the page promises, measured again on fewer samples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.simulation import (
    inference_folds,
    inference_joint,
    inference_pairs,
    inference_picks,
    inference_streams,
    inference_time,
)
from tests.simulation.inference_joint import Slices
from tests.simulation.inference_tables import GROUPS, SEED, Rate, pasted, table

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "comparisons.md"


def covers(rate: Rate, promised: float = 0.93) -> None:
    error = (promised * (1 - promised) / rate.tried) ** 0.5
    assert rate.share > promised - 2.5 * error, rate


def errs(rate: Rate, promised: float = 0.05) -> None:
    error = (promised * (1 - promised) / rate.tried) ** 0.5
    assert rate.share < promised + 2.5 * error, rate


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        Slices(2000, 50, "nested"),
        Slices(4000, 50, "overlapping"),
        Slices(2000, 50, "overlapping", 8),
        Slices(2000, 50, "cluster-wise", 60),
    ],
    ids=str,
)
def test_all_slices_hold_together(design: Slices) -> None:
    (rate,) = inference_joint.rates(100, SEED, [design])
    covers(rate)


def test_each_slice_at_its_own_level_would_not_hold() -> None:
    (rate,) = inference_joint.rates(12, SEED, [Slices(2000, 50, "overlapping")])
    covers(rate)
    alone = float(rate.note.rsplit(" ", 1)[1])
    assert alone < 60


@pytest.mark.slow
def test_false_picks_are_rare() -> None:
    for rate in inference_picks.rates(60, SEED):
        errs(rate)


def test_margins_ratios_and_judged_rows_err_as_seldom_as_they_say() -> None:
    for rate in inference_pairs.equivalences(1000, SEED):
        if "on the margin" in rate.what:
            errs(rate)
    for rate in (*inference_pairs.ratios(500, SEED), *inference_pairs.powered(500, SEED)):
        covers(rate)


def test_series_hold_their_mean_with_enough_periods() -> None:
    for rate in inference_time.rates(100, SEED, [(0.0, 30), (0.3, 100), (0.6, 365)]):
        covers(rate)
    for rate in inference_time.forecasts(500, SEED):
        errs(rate, 0.07)


@pytest.mark.slow
def test_folds_and_seeds_err_as_seldom_as_they_say() -> None:
    for rate in inference_folds.folds(60, SEED):
        covers(rate)
    for rate in inference_folds.resamples(100, SEED):
        errs(rate)
    for rate in inference_folds.components(400, SEED):
        covers(rate)


@pytest.mark.slow
def test_a_sequence_seldom_ever_misses() -> None:
    for rate in inference_streams.rates(15, SEED, rows=1000):
        errs(rate)


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_shows_every_table(group: str) -> None:
    shown = PAGE.read_text().split(f"<!-- {group}:")[1].split(f"<!-- /{group} -->")[0]
    assert len(re.findall(r"\| \d+\.\d ± \d+\.\d \|", shown)) >= 4


def test_a_table_shows_its_monte_carlo_error_and_replaces_only_its_own() -> None:
    text = table([Rate("d", "w", 95, 100, "95"), Rate("d", "w", 0, 0, "95")])
    assert "| 95.0 ± 2.2 | 100 |" in text
    assert "none offered" in text
    page = "a\n<!-- x: how -->\nold\n<!-- /x -->\nb <!-- y: --><!-- /y -->"
    assert pasted(page, "x", "new") == page.replace("old", "new")
