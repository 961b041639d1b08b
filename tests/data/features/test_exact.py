"""Sums, spreads, extremes and counts of slices, against Python's own."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest

from trackrecord.data.features.exact import deviation, slice_deviations, slice_sums, total
from trackrecord.data.features.windows import slice_distinct, slice_extremes

KINDS = {
    "whole": lambda draw, n: draw.integers(-9, 9, n).astype(float),
    "decimal": lambda draw, n: np.round(draw.normal(size=n), 2),
    "far from zero": lambda draw, n: draw.normal(1e9, 1, n),
    "of all sizes": lambda draw, n: draw.normal(size=n) * 10.0 ** draw.integers(-150, 150, n),
    "denormal": lambda draw, n: draw.integers(-9, 9, n) * 5e-324,
    "huge": lambda draw, n: draw.uniform(-1.7, 1.7, n) * 1e308,
    "infinite": lambda draw, n: draw.choice(
        [np.inf, -np.inf, 1.5, -2.5], n, p=[0.1, 0.1, 0.4, 0.4]
    ),
}


def slices(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    values = KINDS[kind](draw, int(draw.integers(0, 40)))
    bounds = np.sort(draw.integers(0, len(values) + 1, (2, 20)), axis=0)
    return values, bounds[0], bounds[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_is_rounded_once(kind: str) -> None:
    for seed in range(20):
        values, starts, ends = slices(kind, seed)
        for found, start, end in zip(slice_sums(values, starts, ends), starts, ends, strict=True):
            part = values[start:end].tolist()
            assert found == total(part) or (math.isnan(found) and math.isnan(total(part)))
            if all(map(math.isfinite, part)) and abs(sum(map(Fraction, part))) < 1.7e308:
                assert found == float(sum(map(Fraction, part)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_spread_is_as_exact_as_its_fraction(kind: str) -> None:
    for seed in range(20):
        values, starts, ends = slices(kind, seed)
        found = slice_deviations(values, starts, ends)
        for one, start, end in zip(found, starts, ends, strict=True):
            part = values[start:end].tolist()
            alone = deviation(part)
            assert one == alone or (math.isnan(one) and alone is None)
            if alone is not None and 1e-140 < alone < 1e140:
                assert one == pytest.approx(statistics.stdev(part), rel=1e-12)


def test_cancellation_does_not_touch_a_spread() -> None:
    values = np.array([1.7e15, 1.7e15 + 1, 1.7e15 + 2])
    assert slice_deviations(values, np.array([0]), np.array([3]))[0] == 1.0


@pytest.mark.parametrize("seed", range(10))
def test_extremes_and_different_values_of_any_slices(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 60))
    values, codes = draw.normal(size=n), draw.integers(0, 6, n)
    starts, ends = np.sort(draw.integers(0, n + 1, (2, 40)), axis=0)
    least = slice_extremes(values, starts, ends, largest=False)
    most = slice_extremes(values, starts, ends, largest=True)
    different = slice_distinct(codes, starts, ends)
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        assert different[row] == len(set(codes[start:end].tolist()))
        if end > start:
            assert (least[row], most[row]) == (min(values[start:end]), max(values[start:end]))
