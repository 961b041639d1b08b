"""Test rows that lie exactly between two training rows: made up by SMOTE before the split."""

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

MOST_TEST, MOST_TRAIN = 1_000, 20_000
NEIGHBOURS = 12
FEWEST_COLUMNS = 3
# Of the square of a cosine, from exactly opposite; rounding of the values themselves is weighed.
STRAIGHT = 1e-9
LEAST, SHARE = 3, 0.01
MOST_DIGITS = 5


@looks_for(
    "test rows made up between training rows: SMOTE before the split",
    kind="L1.4",
    needs="three columns of broken numbers",
)
def interpolated_rows(world: World) -> Iterator[Sign]:
    """The share of test rows on the straight line between two training rows of one class.

    Chawla and others (2002) make a row of a rare class as a + t (b - a), b among the nearest of
    its class. In three and more columns of broken numbers three rows are never so straight by
    chance; where columns are rounded they may be, so a row counts only where its numbers have more
    digits than is usual. Up to 1,000 test rows are looked at, with 12 training neighbours in each
    class.
    """
    names = [
        name
        for name in world.plain
        if world.train[name].dtype.is_float()
        and world.test[name].dtype.is_float()
        and world.train[name].null_count() < world.train.height
    ]
    if len(names) < FEWEST_COLUMNS or not world.views:
        return
    draw = world.generator()
    test_rows = np.sort(draw.permutation(world.test.height)[:MOST_TEST])
    n = test_rows.size
    test_rows = test_rows[_particular(world, names, test_rows)]
    train, test = _points(world, names, test_rows)
    between = np.zeros(test_rows.size, dtype=bool)
    for view in world.views:
        for answer in (0, 1):
            pool = np.flatnonzero(view.truth == answer)
            pool = np.sort(draw.permutation(pool)[:MOST_TRAIN])
            if pool.size > NEIGHBOURS and test_rows.size:
                between |= _between(train[pool], test)
    count = int(between.sum())
    lo, hi = proportion(count, n, 0.99)
    yield Sign(
        columns=[],
        measure="share of test rows",
        value=count / max(1, n),
        lo=lo,
        hi=hi,
        n=n,
        large=count >= LEAST and count >= SHARE * n,
        verdict="leak",
        what=f"{count:,} of {n:,} test rows ({percent(count / max(1, n))}) lie exactly between two "
        "training rows of one class: rows were made up (SMOTE) before the split",
        fix="split first, then make rows up within the training part alone",
        rows=test_rows[between][:10].tolist(),
    )


def _particular(world: World, names: list[str], test_rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which test rows have, in three columns, a number that no other row is likely to have.

    It is in one training row at most, and has more digits than three in ten of the column have.
    """
    count = np.zeros(test_rows.size, dtype=np.int64)
    for name in names:
        values, asked = as_numbers(world.train[name]), as_numbers(world.test[name][test_rows])
        assert values is not None
        assert asked is not None
        there = np.sort(values[~np.isnan(values)])
        times = np.searchsorted(there, asked, "right") - np.searchsorted(there, asked, "left")
        own = (times <= 1) & ~np.isnan(asked)
        digits = next((d for d in range(MOST_DIGITS + 1) if _rounded(there, d).mean() > 0.3), None)
        count += own if digits is None else own & ~_rounded(asked, digits)
    particular: NDArray[np.bool_] = count >= FEWEST_COLUMNS
    return particular


def _rounded(values: Floats, digits: int) -> NDArray[np.bool_]:
    size = np.maximum(1.0, np.abs(values))
    rounded: NDArray[np.bool_] = np.abs(values - np.round(values, digits)) <= 1e-12 * size
    return rounded


def _points(world: World, names: list[str], test_rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Both parts in standard deviations of train; what is missing lies far away."""
    train, test = [], []
    for name in names:
        a, b = as_numbers(world.train[name]), as_numbers(world.test[name][test_rows])
        assert a is not None
        assert b is not None
        spread = float(np.nanstd(a)) or 1.0
        middle = float(np.nanmean(a)) if not np.isnan(a).all() else 0.0
        # A missing value is no part of a line: two far values would hide what the others say.
        train.append(np.nan_to_num((a - middle) / spread, nan=1e6))
        test.append(np.nan_to_num((b - middle) / spread, nan=-1e6))
    return np.column_stack(train), np.column_stack(test)


def _between(pool: Floats, asked: Floats) -> NDArray[np.bool_]:
    """Which asked points (m,) lie between two of their neighbours in the pool."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(pool)
        distance, place = near.kneighbors(asked)
    arms = pool[place] - asked[:, None, :]
    there = (distance > 1e-6) & (distance < 1e3)
    unit = arms / np.where(there, distance, 1.0)[:, :, None]
    cosine = np.einsum("ijk,ilk->ijl", unit, unit)
    opposite = (cosine <= -1 + STRAIGHT) & there[:, :, None] & there[:, None, :]
    found: NDArray[np.bool_] = opposite.any((1, 2))
    return found
