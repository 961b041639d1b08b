"""Preprocessing fitted on train and test together, seen from what it leaves in the columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.leakage.scores import as_numbers
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXACT = 1e-6
# By chance one pair in a hundred million is as near to no correlation.
PAIR = 1e-10
LEAST_FILLED = 5
# As often as the values on either side, and half as often again.
SPIKE = 1.5


@looks_for(
    "columns scaled with the test rows",
    kind="L1.2",
    needs="a column of broken numbers",
)
def scaled_together(world: World) -> Iterator[Sign]:
    """Columns with mean 0 and deviation 1, or from 0 to 1, over both tables but not over train."""
    for name, train, test in _numbers(world):
        both = np.concatenate([train, test])
        if _standard(train) or _unit(train):
            continue
        scaled = "mean 0 and standard deviation 1" if _standard(both) else ""
        # A range of 0 to 1 may be nature's; that the test alone has its end is worth a look only
        # where values are broken and fill the range.
        if not scaled and _unit(both) and np.unique(both).size > 0.2 * both.size:
            scaled = "the range 0 to 1"
        yield Sign(
            columns=[name],
            measure="scaled over both tables",
            value=float(bool(scaled)),
            n=both.size,
            large=bool(scaled),
            verdict="leak" if "mean" in scaled else "suspect",
            what=f"{name!r} has exactly {scaled} over train and test together, and not over train: "
            "the scaler saw the test rows",
            fix="fit the scaler on the training rows, then apply it to the test rows",
        )


@looks_for(
    "missing values filled with what the test rows helped to compute",
    kind="L1.2",
    needs="a column of broken numbers that repeat",
)
def filled_together(world: World) -> Iterator[Sign]:
    """A value that many rows share is the mean of the other rows of both tables, not of train's."""
    for name, train, test in _numbers(world):
        both = np.concatenate([train, test])
        levels, counts = np.unique(both, return_counts=True)
        if counts.max() < LEAST_FILLED or levels.size < 10:
            continue
        # With the value itself or without it, the mean of all is the same.
        slack = EXACT * float(both.std())
        near = int(np.argmin(np.abs(levels - both.mean())))
        rows = int(counts[near])
        # Of values on a grid, the mean is one by chance, once in as many columns as there are rows.
        around = np.r_[counts[max(0, near - 2) : near], counts[near + 1 : near + 3]]
        spike = rows >= max(LEAST_FILLED, SPIKE * float(around.max(initial=0)))
        by_all = spike and abs(float(both.mean() - levels[near])) <= slack
        by_train = abs(float(train.mean() - levels[near])) <= slack
        yield Sign(
            columns=[name],
            measure="filled with the mean of both tables",
            value=float(by_all and not by_train),
            n=both.size,
            large=by_all and not by_train,
            verdict="leak",
            what=f"{rows:,} rows have in {name!r} exactly the mean of the other rows "
            "of train and test together, and not of train alone: the imputer saw the test rows",
            fix="fit the imputer on the training rows, then apply it to the test rows",
        )


@looks_for(
    "components computed with the test rows",
    kind="L1.2",
    needs="two columns that are centred over both tables",
)
def components_together(world: World) -> Iterator[Sign]:
    """Columns that are centred and uncorrelated over both tables, and not over train: a PCA."""
    columns = [
        (name, train, test)
        for name, train, test in _numbers(world)
        if abs(float(np.concatenate([train, test]).mean()))
        <= EXACT * (float(np.concatenate([train, test]).std()) or 1.0)
        and len(train) == world.train.height
        and len(test) == world.test.height
        and np.unique(train).size > 10
    ][:200]
    if len(columns) < 2:
        return
    train = np.column_stack([part for _, part, _ in columns])
    both = np.vstack([train, np.column_stack([part for _, _, part in columns])])
    pairs = (_correlations(both) <= PAIR) & (_correlations(train) > 1e-3)
    found = np.flatnonzero(pairs.any(0))
    names = [columns[place][0] for place in found]
    yield Sign(
        columns=names[:20],
        measure="columns exactly uncorrelated over both tables only",
        value=float(found.size),
        n=both.shape[0],
        large=found.size >= 2,
        verdict="leak",
        what=f"{found.size} columns are exactly uncorrelated over train and test together, and not "
        "over train: the components were computed on all rows",
        fix="fit the decomposition on the training rows, then apply it to the test rows",
    )


def _numbers(world: World) -> Iterator[tuple[str, Floats, Floats]]:
    """The float features of both tables, without what is missing."""
    for name in world.plain:
        if not (world.train[name].dtype.is_float() and world.test[name].dtype.is_float()):
            continue
        train, test = as_numbers(world.train[name]), as_numbers(world.test[name])
        if train is None or test is None:
            continue
        train, test = train[~np.isnan(train)], test[~np.isnan(test)]
        if train.size >= 10 and test.size >= 5:
            yield name, train, test


def _standard(values: Floats) -> bool:
    spread = float(values.std()), float(values.std(ddof=1))
    unit = any(abs(one - 1) <= EXACT for one in spread)
    return unit and abs(float(values.mean())) <= EXACT


def _unit(values: Floats) -> bool:
    return abs(float(values.min())) <= 1e-9 and abs(float(values.max()) - 1) <= 1e-9


def _correlations(table: Floats) -> Floats:
    """Absolute correlations of all pairs of columns; 1 on the diagonal and for constant ones."""
    centred = table - table.mean(0)
    size = np.sqrt((centred**2).sum(0))
    scaled = centred / np.where(size > 0, size, 1.0)
    found: Floats = np.abs(scaled.T @ scaled)
    found[:, size == 0] = found[size == 0, :] = 1.0
    np.fill_diagonal(found, 1.0)
    return found
