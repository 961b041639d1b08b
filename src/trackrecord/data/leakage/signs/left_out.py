"""Columns that are the mean target of a group without the row's own: leave-one-out encodings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.scores import as_numbers
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ANCHORS = 100
FIRST = 20
SHARE = 0.15
MOST_MISSING = 0.5
# A group of one row has no other rows: its value is whatever fills the gap.
INSIDE = 0.8
FEWEST_GROUPS = 3
EXACT = 1e-7


@looks_for(
    "target encoding that leaves out the row's own target",
    kind="L1.2",
    needs="a column of broken numbers in the range of the target",
)
def leave_one_out(world: World) -> Iterator[Sign]:
    """The share of drawn training rows whose group can be found from the column and the target.

    In a group of n rows with the sum S of targets, the column is v = (S - y) / (n - 1): all of its
    rows lie on the line y + (n - 1) v = S, whose slope is one less than their number, and their
    targets sum to S. Such a line through a row, with exactly so many rows and that sum, is no
    coincidence; and within a group the column gives y away: the larger it is, the smaller is y.
    Groups need not be known. Several of one size and one sum are one line with a multiple of both;
    other groups whose lines share a row are not counted.
    """
    target = as_numbers(world.train[world.target])
    if target is None or np.isnan(target).any():
        target = world.views[0].truth.astype(float) if world.views else None
    if target is None or target.size < FIRST:
        return
    draw = world.generator()
    for name in world.plain:
        if not world.train[name].dtype.is_float():
            continue
        values = as_numbers(world.train[name])
        if values is None or np.isnan(values).mean() > MOST_MISSING:
            continue
        there = ~np.isnan(values)
        # A mean of targets lies among them.
        inside = (values[there] >= target.min()) & (values[there] <= target.max())
        if inside.mean() < INSIDE:
            continue
        lines, n = _lines(values[there], target[there], draw)
        found = len(lines)
        lo, hi = proportion(found, n, 0.99)
        yield Sign(
            columns=[name],
            measure="share of drawn rows",
            value=found / max(1, n),
            lo=lo,
            hi=hi,
            n=n,
            large=found >= SHARE * n and len(set(lines)) >= FEWEST_GROUPS,
            verdict="leak",
            what=f"{name!r} is the mean target of the other rows of a group, for "
            f"{percent(found / max(1, n))} of the rows: within a group it gives each row's own "
            "target away",
            fix="encode with cross-fitting: each row from the other folds "
            "(sklearn.preprocessing.TargetEncoder does, in fit_transform)",
        )


def _lines(values: Floats, target: Floats, draw: np.random.Generator) -> tuple[list[float], int]:
    """The slopes of the lines found through drawn rows, and how many rows were drawn.

    A column in which the first 20 rows show no line is not looked at further.
    """
    rows = draw.permutation(values.size)[:ANCHORS]
    found: list[float] = []
    for place, row in enumerate(rows):
        if place == FIRST and not found:
            return [], FIRST
        slope = _line_through(int(row), values, target)
        if slope is not None:
            found.append(slope)
    return found, rows.size


def _line_through(row: int, values: Floats, target: Floats) -> float | None:
    """n - 1 of the row's group, where one is found."""
    own_value, own_target = values[row], target[row]
    dv, dy = values - own_value, own_target - target
    apart = np.abs(dv) > EXACT * (abs(own_value) + 1e-300)
    twins = int((~apart & (dy == 0)).sum())
    slopes = dy[apart] / dv[apart]
    whole = np.round(slopes)
    near = (whole >= max(1, twins)) & (np.abs(slopes - whole) <= 1e-5 * np.maximum(whole, 1))
    if not near.any():
        return None
    chosen, count = np.unique(whole[near], return_counts=True)
    others = target[apart]
    times = (count + twins) / (chosen + 1)
    for slope, groups in zip(chosen, times, strict=True):
        if groups != np.round(groups):
            continue
        total = float(others[near & (whole == slope)].sum()) + twins * own_target
        line = groups * (own_target + slope * own_value)
        if abs(total - line) <= 1e-6 * max(1.0, abs(line)):
            return float(slope)
    return None
