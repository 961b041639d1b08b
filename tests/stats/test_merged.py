"""What parts leave behind gives the estimates that the rows give."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from trackrecord.stats.cells import Tally
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.merged import (
    CELLS,
    MEANS,
    cells_gap_of_parts,
    cells_of_parts,
    mean_gap_of_parts,
    mean_of_parts,
    thresholds_of,
)
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.powers import (
    NONE,
    Powers,
    merge_powers,
    powers_about,
    powers_counted,
    spread_of_powers,
)
from trackrecord.stats.spread import spread_of

LEVEL = 0.95
FAMILIES = [*sorted(CELLS), "accuracy@0.3", "precision@0.8", "expected_cost@5-1", "f_beta@2"]


def powers(values: Any) -> Powers:
    return powers_about(float(values.mean()), values - values.mean()) if values.size else NONE


def same(found: Estimate | Absence, whole: Estimate | Absence) -> None:
    assert type(found) is type(whole), (found, whole)
    for name, value in asdict(whole).items():
        expected = pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
        assert getattr(found, name) == expected, (whole.metric, name)


def samples() -> Any:
    draw = np.random.default_rng(3)
    designs = ((40, 0.3, 1.0), (3, 0.5, 1.0), (900, 0.01, 1.0), (4000, 0.2, 1.0), (300, 0.2, 0.0))
    for n, rate, noise in designs:
        truth = (draw.random(n) < rate).astype(np.int8)
        truth[:2] = 0, 1
        a, b = (np.clip(0.5 * noise * draw.random(n) + s * truth, 0, 1) for s in (0.5, 0.4))
        yield truth, a, b
        yield truth, a, a.copy()


@pytest.mark.parametrize("name", FAMILIES)
def test_counts_of_the_cells_give_estimates_and_paired_differences(name: str) -> None:
    asked = get_metric(name)
    (threshold,) = thresholds_of(asked)
    for truth, a, b in samples():
        ups = [(score > threshold).astype(int) for score in (a, b)]
        tallies = [
            Tally({threshold: tuple(np.bincount(2 * truth + up, minlength=4).astype(float))})
            for up in ups
        ]
        joint = np.bincount(4 * truth + 2 * ups[0] + ups[1], minlength=8)
        rows = [measure(name, truth, score) for score in (a, b)]
        same(cells_of_parts(asked, tallies[0], LEVEL), estimate_of(name, rows[0]))
        gap = cells_gap_of_parts(asked, *tallies, joint, LEVEL, same=bool(np.array_equal(a, b)))
        same(gap, difference_of(name, *rows))


@pytest.mark.parametrize("name", sorted(MEANS))
def test_powers_of_the_losses_give_estimates_and_paired_differences(name: str) -> None:
    asked = get_metric(name)
    for truth, a, b in samples():
        rows = [measure(name, truth, score) for score in (a, b)]
        losses = [row.influence + row.value for row in rows if not isinstance(row, Absence)]
        classes = [
            (powers(loss[truth == 0]), powers(loss[truth == 1]))
            for loss in (*losses, losses[0] - losses[1])
        ]
        same(mean_of_parts(asked, classes[0], LEVEL), estimate_of(name, rows[0]))
        alike = bool(np.array_equal(a, b))
        gap = mean_gap_of_parts(asked, *classes, LEVEL, same=alike)
        same(gap, difference_of(name, *rows))


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.sampled_from([0.0, 1.0, 1e4]),
)
def test_powers_merge_into_those_of_the_whole_in_any_order(
    seed: int, sizes: list[int], far: float
) -> None:
    values = np.random.default_rng(seed).normal(far, 1, sum(sizes) + 3)
    parts = [powers(part) for part in np.split(values, np.cumsum(sizes))]
    for order in itertools.islice(itertools.permutations(parts), 4):
        found = NONE
        for part in order:
            found = merge_powers(found, part)
        apart = values - values.mean()
        assert found.n == values.size
        assert found.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-12)
        assert found.two == pytest.approx((apart**2).sum(), rel=1e-9)
        assert found.three == pytest.approx((apart**3).sum(), rel=1e-7, abs=1e-7)
        assert found.four == pytest.approx((apart**4).sum(), rel=1e-7)


def test_counted_powers_are_those_of_the_values_repeated() -> None:
    draw = np.random.default_rng(6)
    values, count = draw.normal(size=50), draw.integers(0, 9, 50)
    found, whole = powers_counted(values, count), powers(np.repeat(values, count))
    for name, value in asdict(whole).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-12)
    assert powers_counted(values, np.zeros(50, np.int64)) == NONE


def test_a_spread_from_powers_is_that_of_the_influences() -> None:
    draw = np.random.default_rng(7)
    truth = (draw.random(500) < 0.1).astype(np.int8)
    influence = draw.exponential(size=500) * (1 + 5 * truth)
    influence -= influence.mean()
    classes = (powers(influence[truth == 0]), powers(influence[truth == 1]))
    found, whole = spread_of_powers(classes, (0.0, 0.0)), spread_of(influence, truth, None)
    assert (found.units, found.sparse, found.rows) == (whole.units, whole.sparse, whole.rows)
    assert found.se == pytest.approx(whole.se, rel=1e-12)
    assert found.carriers == pytest.approx(whole.carriers, rel=1e-12)
