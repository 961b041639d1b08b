"""Columns that are the group mean of the target, each row's own target in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.scores import as_numbers
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_VALUES = 4
SHARE, SHARE_ROUNDED = 0.5, 0.8
ALIKE = (1, 2, 3)
# Rounding, as a share of how far the means are apart, below which no chance meets a value.
PRECISE = 1e-3
PAIRS = 300


@looks_for(
    "target encoding without folds",
    kind="L1.2",
    needs="a column of broken numbers",
)
def target_encoding(world: World) -> Iterator[Sign]:
    """Columns where the mean target of the rows that share a value is that value.

    A group mean, plain or shrunk towards a prior (s + m q) / (n + m), is recognised without
    knowing the groups: for rows of one value v, the mean less v is m (v - q) / n. The two numbers
    m and m q are taken from two values; what is then exact to the column's own rounding, for four
    rows in five with at least 4 different values, is no coincidence.
    On train alone, and with the test.
    """
    target = as_numbers(world.train[world.target])
    if target is None or np.isnan(target).any():
        target = world.views[0].truth.astype(float) if world.views else None
    if target is None:
        return
    for name in world.plain:
        values = as_numbers(world.train[name])
        if values is None or not world.train[name].dtype.is_float():
            continue
        share, where = _share_of_means(values, target), "training rows"
        if share < SHARE and world.truth_of_all is not None:
            tested, truth = as_numbers(world.test[name]), as_numbers(world.truth_of_all)
            if tested is not None and truth is not None and not np.isnan(truth).any():
                of_both = _share_of_means(np.concatenate([values, tested]), truth)
                if of_both > share:
                    share, where = of_both, "rows of train and test together"
        yield Sign(
            columns=[name],
            measure="share of rows",
            value=share,
            n=values.size,
            large=share >= SHARE,
            verdict="leak",
            what=f"{name!r} is the mean of the target over the {where} that share its value, for "
            f"{percent(share)} of the rows: each row's own target is in it",
            fix="encode with cross-fitting: each row from the other folds "
            "(sklearn.preprocessing.TargetEncoder does, in fit_transform)",
        )


def _share_of_means(values: Floats, target: Floats) -> float:
    """The share of rows whose value is its rows' mean target, plain or shrunk."""
    there = ~np.isnan(values)
    if there.sum() < 20:
        return 0.0
    levels, place, count = np.unique(values[there], return_inverse=True, return_counts=True)
    if levels.size < FEWEST_VALUES or levels.size > 0.7 * there.sum():
        return 0.0
    mean = np.bincount(place, weights=target[there]) / count
    slack = _rounding(levels)
    spread = float(np.sqrt(np.average((mean - mean.mean()) ** 2, weights=count)))
    # Where the slack is as wide as the means are apart, everything would agree.
    if slack > 0.05 * spread:
        return 0.0
    precise = slack <= PRECISE * spread
    best = 0.0
    for m, mq in [(0.0, 0.0), *_shrinkages(levels, mean, count)]:
        exact = np.zeros(levels.size, dtype=bool)
        for groups in ALIKE if m and precise else ALIKE[:1]:
            each = count / groups
            exact |= np.abs((mean * each + mq) / (each + m) - levels) <= slack
        # Two pairs of numbers can always be met by two groups: the first four say nothing.
        if exact.sum() >= FEWEST_VALUES:
            best = max(best, float(count[exact].sum() / there.sum()))
    return best if precise or best >= SHARE_ROUNDED else 0.0


def _shrinkages(
    levels: Floats, mean: Floats, count: NDArray[np.intp]
) -> Iterator[tuple[float, float]]:
    """Each (m, m q) that two of the values agree on: n (mean - v) = m v - m q for both.

    Groups that share a value by chance are wrong in it, so no fit to all is asked for.
    """
    wanted = count * (mean - levels)
    draw = np.random.default_rng(0)
    for _ in range(PAIRS):
        one, two = draw.integers(0, levels.size, 2)
        if levels[one] == levels[two]:
            continue
        m = (wanted[one] - wanted[two]) / (levels[one] - levels[two])
        if 1e-6 < m < 1e6:
            yield float(m), float(m * levels[one] - wanted[one])


def _rounding(levels: Floats) -> float:
    """Half a unit of the last decimal place that the values have; 1e-9 of their size at least."""
    size = float(np.abs(levels).max()) or 1.0
    for digits in range(2, 7):
        if np.allclose(levels, np.round(levels, digits), rtol=0, atol=1e-12 * size):
            return 0.51 * float(10.0**-digits)
    return 1e-6 * size
