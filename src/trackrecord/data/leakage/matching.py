"""Finds the test rows that a training row is alike, and weighs how likely that is by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.data.leakage.scores import as_numbers

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.data.leakage.world import World

# Natural logarithm of the expected number of chance twins below which a twin is no chance.
RARE = float(np.log(0.01))
NEAR = 0.03
MOST_TEST, MOST_TRAIN = 4_000, 40_000


class Copies(NamedTuple):
    """``found`` of ``n`` test rows are copies that chance does not explain; and which.

    ``test_copied`` (test rows,) and ``train_copied`` (training rows,) are masks; the latter is of
    training rows that are there twice or are copied in the test.
    """

    found: int
    n: int
    test_copied: NDArray[np.bool_] | None
    train_copied: NDArray[np.bool_] | None


def exact_copies(world: World) -> Copies | None:
    """Test rows whose features, groups and time are those of a training row.

    Coarse columns repeat by chance. A twin counts where a column that is hardly ever the same in
    two rows agrees, or where n times the square root of the product of its values' shares is
    under 0.01: the root allows for columns that say the same.
    """
    import polars as pl

    roles = [*world.group, *([world.time] if world.time else [])]
    names = list(dict.fromkeys([*world.features, *roles]))
    if not names:
        return None
    both = pl.concat([world.train.select(names), world.test.select(names)], how="vertical")
    keys = _hashed(both)
    train_keys, test_keys = keys[: world.train.height], keys[world.train.height :]
    known, first, times = np.unique(train_keys, return_index=True, return_counts=True)
    place = np.minimum(np.searchsorted(known, test_keys), known.size - 1)
    twin = known[place] == test_keys
    twice = times[np.searchsorted(known, train_keys)] > 1
    in_test = np.isin(train_keys, test_keys[twin])
    rare = _rare_rows(both[: world.train.height], first, twice | in_test)
    copied = twin.copy()
    copied[twin] = rare[first[place[twin]]]
    train_copied = (twice | in_test) & rare
    return Copies(int(copied.sum()), twin.size, copied, train_copied)


def _hashed(table: pl.DataFrame) -> NDArray[np.uint64]:
    hashed: NDArray[np.uint64] = table.hash_rows(7).to_numpy()
    return hashed


def _rare_rows(
    train: pl.DataFrame, first: NDArray[np.intp], asked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which training rows are too particular to have a twin by chance; only those asked for."""
    rare = np.zeros(train.height, dtype=bool)
    rows = np.flatnonzero(asked)
    if rows.size == 0:
        return rare
    distinct = train[np.sort(first)]
    log_share = np.zeros(rows.size)
    particular = np.zeros(rows.size, dtype=bool)
    for name in train.columns:
        column = train[name]
        counts = distinct[name].value_counts(name="rows_there")
        seen = column[rows].to_frame().join(counts, on=name, how="left", nulls_equal=True,
                                            maintain_order="left")  # fmt: skip
        there = seen["rows_there"].fill_null(1).to_numpy().astype(float)
        log_share += np.log(there / distinct.height)
        if counts.height > 0.5 * distinct.height and distinct.height >= 20:
            particular |= (there <= 2) & column[rows].is_not_null().to_numpy()
    rare[rows] = particular | (0.5 * log_share + np.log(distinct.height) < RARE)
    return rare


def near_copies(world: World) -> Copies | None:
    """Test rows with a training row within 0.03 standard deviations in each number, else equal.

    Looked for by a k-d tree with the largest difference as distance, on at most 4,000 test and
    40,000 training rows. Exact twins do not count; chance is weighed as for them, with the share
    of training rows that are as near in each column.
    """
    from scipy.spatial import cKDTree

    names = [name for name in world.plain if as_numbers(world.train[name][:1]) is not None]
    if not names:
        return None
    draw = world.generator()
    chosen = [
        _drawn(draw, world.test.height, MOST_TEST),
        _drawn(draw, world.train.height, MOST_TRAIN),
    ]
    test, train = _placed(world, chosen[0], chosen[1])
    wide = [j for j in range(train.shape[1]) if np.unique(train[:500, j]).size > 10]
    if not wide:
        return None
    distance, _nearest = cKDTree(train, balanced_tree=False, compact_nodes=False).query(
        test, k=1, p=np.inf, distance_upper_bound=NEAR
    )
    twin = np.isfinite(distance) & (distance > 0)
    log_share = np.zeros(test.shape[0])
    for j in range(train.shape[1]):
        ordered = np.sort(train[:, j])
        upper = np.searchsorted(ordered, test[:, j] + NEAR, "right")
        within = upper - np.searchsorted(ordered, test[:, j] - NEAR, "left")
        log_share += np.log(np.maximum(1, within) / ordered.size)
    twin &= 0.5 * log_share + np.log(train.shape[0]) < RARE
    return Copies(int(twin.sum()), test.shape[0], None, None)


def _drawn(draw: np.random.Generator, size: int, most: int) -> NDArray[np.intp]:
    if size <= most:
        return np.arange(size)
    return np.sort(draw.choice(size, most, replace=False))


def _placed(
    world: World, test_rows: NDArray[np.intp], train_rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both tables as points: numbers by the standard deviation, all else by whole numbers."""
    import polars as pl

    columns = []
    for name in world.plain:
        both = pl.concat([world.train[name][train_rows], world.test[name][test_rows]])
        numbers = as_numbers(both)
        if numbers is None:
            columns.append(both.rank("dense").fill_null(0).to_numpy().astype(float))
            continue
        there = numbers[: train_rows.size]
        spread = float(np.nanstd(there)) if not np.isnan(there).all() else 1.0
        columns.append(np.nan_to_num(numbers / (spread or 1.0), nan=-1e6))
    points = np.column_stack(columns)
    return points[train_rows.size :], points[: train_rows.size]
