"""The strip of a slice in a terminal's table."""

from __future__ import annotations

import pytest

from trackrecord.cli.measured import STRIP, _scale, strip
from trackrecord.stats.estimate import Estimate


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
