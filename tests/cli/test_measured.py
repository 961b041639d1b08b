"""The strip of a slice in a terminal's table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.cli.measured import STRIP, _scale, strip
from trackrecord.stats.estimate import Estimate

from .conftest import trackrecord


def estimate(value: float, lo: float, hi: float) -> Estimate:
    return Estimate(
        metric="roc_auc", value=value, lo=lo, hi=hi, level=0.95, se=0.1, n=9, clusters=None,
        method="made up",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "drawn"),
    [
        (estimate(0.5, 0.0, 1.0), "├─────●─────┤"),
        (estimate(0.5, 0.25, 0.75), "···├──●──┤···"),
        (estimate(0.5, -3.0, 0.75), "◂─────●──┤···"),
        (estimate(0.5, -3.0, 3.0), "◂─────●─────▸"),
        (estimate(2.0, 1.5, 2.5), "············▸"),
        (estimate(-2.0, -2.5, -1.5), "◂············"),
    ],
)
def test_what_goes_on_beyond_the_scale_ends_in_an_arrow(found: Estimate, drawn: str) -> None:
    said = strip(found, 0.0, 1.0)
    assert said.replace("\N{NO-BREAK SPACE}", "·") == drawn
    assert len(said) == STRIP


def test_slices_with_few_rows_do_not_set_the_scale() -> None:
    usual = [(900, estimate(0.6, 0.5, 0.7)), (800, estimate(0.65, 0.6, 0.75))]
    tiny = (5, estimate(0.5, 0.0, 1.0))
    assert _scale([*usual, tiny], least=10.0) == (0.5, 0.75)
    assert _scale([*usual, tiny], least=5000.0) == (0.0, 1.0)


@pytest.mark.parametrize("small", [3, 8, 15])
def test_many_slices_too_small_to_measure_are_counted_and_not_listed(
    tmp_path: Path, small: int
) -> None:
    rows = 200
    shop = [f"s{row // 2}" if row < 2 * small else "large" for row in range(rows)]
    frame = pl.DataFrame({"truth": [row % 3 % 2 for row in range(rows)], "shop": shop})
    frame = frame.with_columns(score=(pl.int_range(rows) % 7) / 7)
    frame.write_csv(tmp_path / "p.csv")
    told = trackrecord("evaluate", "p.csv", "--slice", "shop", at=tmp_path)
    listed = [line for line in told.out.splitlines() if line.lstrip().startswith("shop: ")]
    assert len(listed) == (4 if small == 3 else 1)
    said = f"– {small} slices of {2 * small} rows not measured, not shown"
    assert (said in told.out) == (small > 3)
    assert "fewer than 30 rows are too few" in told.out
