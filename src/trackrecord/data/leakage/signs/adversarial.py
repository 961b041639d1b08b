"""Adversarial validation: can a model tell train from test?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.leakage.scores import Z99, as_codes, as_numbers, by_values
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_ROWS = 3_000
FEWEST_ROWS = 40
FOLDS = 2
LARGE = 0.53


@looks_for(
    "test rows that a model can tell from training rows",
    kind="L3.3",
    needs="a feature, and forty rows in each table",
)
def adversarial(world: World) -> Iterator[Sign]:
    """ROC area of a cross-fitted model of "is a test row", within folds, and its main columns.

    Up to 3,000 rows of each table; scikit-learn's random forest where it learns from under 1,000
    rows, else its histogram gradient boosting. Where time or groups part the tables, a difference
    is what was asked for: a note.
    """
    names = [name for name in world.plain if not world.train[name].dtype.is_temporal()]
    if not names or min(world.train.height, world.test.height) < FEWEST_ROWS:
        return
    table, is_test = _table(world, names)
    area, error, null = _cross_fitted(table, is_test)
    from scipy.special import ndtr

    strongest = _strongest(names, table, is_test)
    parted = world.time is not None or bool(world.group)
    yield Sign(
        columns=strongest,
        measure="ROC AUC",
        value=area,
        lo=max(0.0, area - Z99 * error),
        hi=min(1.0, area + Z99 * error),
        n=is_test.size,
        p=float(ndtr(-(area - 0.5) / null)),
        large=area - Z99 * error > LARGE,
        verdict="note" if parted else "suspect",
        kind="L3.3",
        what="train and test can be told apart"
        f"{', as is natural where time or groups part them' if parted else ''}, mostly by "
        f"{', '.join(map(repr, strongest)) or 'no single column'}",
        fix="say which population the test stands for"
        if parted
        else "if the split was meant to be random, find out what made it otherwise; else say which "
        "population the test stands for",
    )


def _table(world: World, names: list[str]) -> tuple[Floats, NDArray[np.int8]]:
    import polars as pl

    draw = world.generator()
    parts = []
    for part in (world.train, world.test):
        rows = np.sort(draw.choice(part.height, min(part.height, MOST_ROWS), replace=False))
        parts.append(part.select(names)[rows])
    both = pl.concat(parts, how="vertical")
    columns = []
    for name in names:
        numbers = as_numbers(both[name])
        columns.append(_by_size(both[name]) if numbers is None else numbers)
    is_test = np.repeat(np.array([0, 1], np.int8), [parts[0].height, parts[1].height])
    return np.column_stack(columns), is_test


def _by_size(column: pl.Series) -> Floats:  # type: ignore[name-defined]  # noqa: F821
    """Categories as numbers, the most frequent first; missing is -1."""
    import polars as pl

    text = column.cast(pl.String, strict=False)
    counts = text.drop_nulls().value_counts(sort=True)
    order = {value: float(rank) for rank, value in enumerate(counts[text.name].to_list())}
    return np.array([order.get(value, -1.0) for value in text.to_list()])


def _cross_fitted(table: Floats, is_test: NDArray[np.int8]) -> tuple[float, float, float]:
    """The area within folds, averaged; its error, and the error where nothing tells."""
    from sklearn.model_selection import StratifiedKFold

    from trackrecord.data.leakage.scores import area_of

    areas, errors, nulls = [], [], []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for learn, judge in folds.split(table, is_test):
        score = _model(table[learn], is_test[learn], table[judge])
        area = area_of(score, is_test[judge])
        ones = int(is_test[judge].sum())
        zeros = judge.size - ones
        areas.append(area.value)
        errors.append((area.hi - area.value) / Z99 if area.hi < 1 else (area.value - area.lo) / Z99)
        nulls.append(np.sqrt((ones + zeros + 1) / (12.0 * ones * zeros)))
    k = len(areas)
    return (
        float(np.mean(areas)),
        float(np.sqrt(np.square(errors).sum()) / k),
        float(np.sqrt(np.square(nulls).sum()) / k),
    )


def _model(table: Floats, is_test: NDArray[np.int8], asked: Floats) -> Floats:
    import sklearn.ensemble  # noqa: F401 - its threads can be held only once it is there
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # So few rows are quicker on one thread, and much so where other work keeps the cores busy.
    with threadpool_limits(1):
        return _scores(table, is_test, asked)


def _scores(table: Floats, is_test: NDArray[np.int8], asked: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if table.shape[0] < 1_000:
        forest = RandomForestClassifier(60, min_samples_leaf=3, random_state=0)
        filled, asked_filled = np.nan_to_num(table, nan=-1e9), np.nan_to_num(asked, nan=-1e9)
        scores: Floats = forest.fit(filled, is_test).predict_proba(asked_filled)[:, 1]
        return scores
    boosted = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=15, early_stopping=False, random_state=0
    )
    scores = boosted.fit(table, is_test).predict_proba(asked)[:, 1]
    return scores


def _strongest(names: list[str], table: Floats, is_test: NDArray[np.int8]) -> list[str]:
    """Up to three columns that alone tell train from test best."""
    import polars as pl

    found = []
    for name, column in zip(names, table.T, strict=True):
        codes = as_codes(pl.Series(column).fill_nan(None), column, groups=16)
        area = by_values(codes, is_test)
        if area.lo > 0.5:
            found.append((area.value, name))
    return [name for _, name in sorted(found, reverse=True)[:3]]
