"""Sums over slices of a column, exact: the same for a row alone as among millions, in any order.

A float64 is a whole number of 2^-k for some k. Slices' sums of whole numbers are differences of
running sums, without any rounding: in one int64 where the numbers are small enough, else in
several of 30 bits each. Only the end is rounded, once (as ``math.fsum`` does for one slice).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Numbers = NDArray[np.float64]

LIMB = 30
MASK = (1 << LIMB) - 1


def slice_sums(values: Numbers, starts: Whole, ends: Whole) -> Numbers:
    """The sum of ``values[start:end]`` for each slice, rounded once; 0 for an empty one.

    Parameters
    ----------
    values:
        (n,) without NaN; a slice with infinities of both signs sums to NaN.
    starts, ends:
        (m,) with 0 <= start <= end <= n.
    """
    finite, limits = _without_infinities(values, starts, ends)
    whole, unit = _whole_sums(finite, starts, ends, squares=False)
    if whole.dtype == np.int64:
        with np.errstate(over="ignore"):  # infinite is what is told then
            return np.ldexp(whole.astype(np.float64), unit) + limits
    return np.array([_scaled(one, 1, unit) for one in whole.tolist()], np.float64) + limits


def slice_deviations(values: Numbers, starts: Whole, ends: Whole) -> Numbers:
    """The standard deviation (divisor count - 1) of each slice; NaN for fewer than two values.

    From n Σx² - (Σx)², exactly, and rounded then: no cancellation, however far the mean is from 0.
    """
    finite, limits = _without_infinities(values, starts, ends)
    sums, unit = _whole_sums(finite, starts, ends, squares=False)
    squares, square_unit = _whole_sums(finite, starts, ends, squares=True)
    shift = square_unit - 2 * unit
    found = np.full(len(starts), np.nan)
    rows = zip(
        sums.tolist(), squares.tolist(), (ends - starts).tolist(), limits.tolist(), strict=True
    )
    for row, (total, square, n, limit) in enumerate(rows):
        if n >= 2 and limit == 0:
            # Units of 2^low: the smaller of the two, so that both are whole.
            spread = n * (square << max(shift, 0)) - ((total * total) << max(-shift, 0))
            found[row] = math.sqrt(_scaled(spread, n * (n - 1), 2 * unit + min(shift, 0)))
    return found


def deviation(values: list[float]) -> float | None:
    """The same of one list; None for fewer than two values or infinite ones."""
    n = len(values)
    if n < 2 or not all(map(math.isfinite, values)):
        return None
    ratios = [one.as_integer_ratio() for one in values]
    unit = max(below for _, below in ratios)  # all are powers of two
    whole = [above * (unit // below) for above, below in ratios]
    run = sum(whole)
    spread = n * sum(one * one for one in whole) - run * run
    try:
        return math.sqrt(spread / (n * (n - 1) * unit * unit))
    except OverflowError:
        return math.inf


def total(values: list[float]) -> float:
    """The sum of one list, rounded once; NaN of infinities of both signs."""
    try:
        return math.fsum(values)
    except ValueError:
        return math.nan
    except OverflowError:  # on the way, or in the end
        whole = sum(map(Fraction, values))
        return _scaled(whole.numerator, whole.denominator, 0)


def _scaled(number: int, by: int, unit: int) -> float:
    """number * 2^unit / by, rounded once."""
    try:
        if unit >= 0:
            return (number << unit) / by
        return number / (by << -unit)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _without_infinities(values: Numbers, starts: Whole, ends: Whole) -> tuple[Numbers, Numbers]:
    """The values with 0 for each infinity, and what the infinities of a slice come to: 0, or
    themselves.
    """
    odd = ~np.isfinite(values)
    if not odd.any():
        return values, np.zeros(len(starts))
    up, down = (np.concatenate([[0], np.cumsum(values == one)]) for one in (np.inf, -np.inf))
    has_up, has_down = up[ends] > up[starts], down[ends] > down[starts]
    limits = np.where(has_up, np.inf, 0.0)
    limits[has_down] = -np.inf
    limits[has_up & has_down] = np.nan
    return np.where(odd, 0.0, values), limits


def _whole_sums(
    values: Numbers, starts: Whole, ends: Whole, *, squares: bool
) -> tuple[NDArray[Any], int]:
    """Each slice's sum (of squares) as a whole number of 2^unit: int64, or Python's if large."""
    if not len(values) or not values.any():
        return np.zeros(len(starts), np.int64), 0
    fraction, power = np.frexp(values)
    mantissa = (fraction * (1 << 53)).astype(np.int64)
    # Without its trailing zeros, so that whole and short decimal numbers stay small.
    size = np.abs(mantissa)
    lowest = np.where(size == 0, 1, size & -size)
    trailing = np.frexp(lowest.astype(np.float64))[1] - 1
    power = np.where(size == 0, 0, power.astype(np.int64) - 53 + trailing)
    size >>= trailing
    unit = int(power[size > 0].min())
    shift = np.where(size == 0, 0, power - unit)
    bits = int((np.frexp(size.astype(np.float64))[1] + shift).max())
    room = 62 - len(values).bit_length()
    if bits * (2 if squares else 1) <= room:
        small = size << shift
        small = small * small if squares else np.where(mantissa < 0, -small, small)
        run = np.concatenate([[0], np.cumsum(small)])
        return run[ends] - run[starts], unit * (2 if squares else 1)
    low, high = size & ((1 << 27) - 1), size >> 27
    if not squares:
        sign = np.sign(mantissa)
        return _limb_sums([(low, shift), (high, shift + 27)], sign, starts, ends), unit
    parts = [
        (low * low, 2 * shift),
        (2 * low * high, 2 * shift + 27),
        (high * high, 2 * shift + 54),
    ]
    return _limb_sums(parts, None, starts, ends), 2 * unit


def _limb_sums(
    parts: list[tuple[Whole, Whole]], sign: Whole | None, starts: Whole, ends: Whole
) -> NDArray[Any]:
    """Σ sign · part · 2^shift over each slice, in Python's whole numbers, a limb at a time."""
    pieces = []
    for part, shift in parts:
        for number, more in ((part & MASK, 0), (part >> LIMB, LIMB)):
            limb, offset = np.divmod(shift + more, LIMB)
            moved = number << offset
            pieces += [(limb, moved & MASK), (limb + 1, moved >> LIMB)]
    found = np.zeros(len(starts), object)
    for level in range(int(max(where.max() for where, _ in pieces)) + 1):
        here = np.zeros(len(parts[0][0]), np.int64)
        for where, number in pieces:
            np.add(here, number, out=here, where=where == level)
        if not here.any():
            continue
        run = np.concatenate([[0], np.cumsum(here if sign is None else here * sign)])
        found += (run[ends] - run[starts]).astype(object) * (1 << (LIMB * level))
    return found
