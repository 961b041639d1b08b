"""A classifier two-sample test: can a model tell which table a row is from?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.drift.result import Importance
from trackrecord.data.kinds import as_text, kind_of
from trackrecord.stats.estimate import Absence, Estimate

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.drift.noise import Clusters

LEAST_LOST = 0.001
MOST_ROWS = 5_000
FOLDS = 3
SHUFFLED_ROWS = 1_000
CODES = 250


def tell_apart(
    a: pl.DataFrame, b: pl.DataFrame, clusters: Clusters | None, level: float, seed: int = 0
) -> tuple[Estimate | Absence, int, list[Importance]]:
    """The area under the curve, cross-fitted (Lopez-Paz & Oquab 2017), and the rows it is of.

    With it, by which columns: how much of the area is lost where one is shuffled (Breiman 2001).

    Of each table at most 5,000 rows are drawn. Gradient-boosted trees are fitted on two thirds and
    tell the last; rows of one cluster are never on both sides. Times are left out, as they tell
    later rows by themselves. 0.5 where the tables are alike.
    """
    import polars as pl
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from trackrecord.stats.estimates import estimate

    draw = np.random.default_rng(seed)
    picks = [np.sort(draw.permutation(side.height)[:MOST_ROWS]) for side in (a, b)]
    truth = np.repeat([0, 1], [picks[0].size, picks[1].size]).astype(np.int8)
    rows = pl.concat([a[picks[0]], b[picks[1]]], how="vertical_relaxed")
    group = None
    if clusters is not None:
        group = np.concatenate([clusters.a[picks[0]], clusters.b[picks[1]]])
    few = _too_few(truth, group)
    features, categorical, names = matrix(rows)
    if few is None and features.shape[1] == 0:
        few = "no column is left to tell them by"
    if few is not None:
        return Absence(metric="roc_auc", n=int(truth.size), reason=few), int(truth.size), []
    fold = folds_of(features if group is None else group, draw, FOLDS)
    score = np.full(truth.size, 0.5)
    rows_asked: list[np.ndarray] = []
    shuffled: list[np.ndarray] = []
    for number in range(FOLDS):
        held, fit = fold == number, fold != number
        if np.unique(truth[fit]).size < 2 or not held.any():
            continue
        model = HistGradientBoostingClassifier(
            max_iter=40,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=seed,
        )
        with threadpool_limits(1):  # where others work, threads that wait for one another crawl
            model.fit(features[fit], truth[fit])
            score[held] = model.predict_proba(features[held])[:, 1]
            some = draw.permutation(np.flatnonzero(held))[:SHUFFLED_ROWS]
            asked = np.tile(features[some], (len(names), 1, 1))
            for column in range(len(names)):
                asked[column, :, column] = draw.permutation(asked[column, :, column])
            told = model.predict_proba(asked.reshape(-1, len(names)))[:, 1]
            rows_asked.append(some)
            shuffled.append(told.reshape(len(names), -1))
    lost = _lost(names, truth, score, rows_asked, shuffled)
    found = estimate("roc_auc", truth, score, cluster=group, level=level)
    return found, int(truth.size), lost


def _lost(
    names: list[str],
    truth: np.ndarray,
    score: np.ndarray,
    rows: list[np.ndarray],
    shuffled: list[np.ndarray],
) -> list[Importance]:
    """What of the area is lost over ``rows``, whose scores with a column (k, rows) shuffled are."""
    some = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    if np.unique(truth[some]).size < 2:
        return []
    area = _area(truth[some], score[some])
    lost = [
        Importance(name=name, lost=area - _area(truth[some], without))
        for name, without in zip(names, np.concatenate(shuffled, axis=1), strict=True)
    ]
    return sorted((one for one in lost if one.lost >= LEAST_LOST), key=lambda one: -one.lost)


def _area(truth: np.ndarray, score: np.ndarray) -> float:
    from scipy.stats import rankdata

    ones = int(truth.sum())
    above = rankdata(score)[truth == 1].sum() - ones * (ones + 1) / 2
    return float(above / (ones * (truth.size - ones)))


def folds_of(what: np.ndarray, draw: np.random.Generator, folds: int = 5) -> np.ndarray:
    """A fold for each row; rows that say the same, or are of one cluster, share it.

    A model that was fitted on the copy of a row would call it of the wrong table.
    """
    import polars as pl

    rows = pl.DataFrame(what) if what.ndim > 1 else pl.DataFrame({"group": what})
    _, code = np.unique(rows.hash_rows().to_numpy(), return_inverse=True)
    return np.asarray(draw.permutation(code.max() + 1)[code] % folds)


def _too_few(truth: np.ndarray, group: np.ndarray | None) -> str | None:
    least = int(min(np.count_nonzero(truth), truth.size - np.count_nonzero(truth)))
    if least < 4 * FOLDS:
        return f"a table has {least} rows; {4 * FOLDS} are needed"
    if group is not None:
        fewest = min(np.unique(group[truth == side]).size for side in (0, 1))
        if fewest < FOLDS:
            return f"a table has {fewest} clusters; {FOLDS} are needed"
    return None


def matrix(rows: pl.DataFrame) -> tuple[np.ndarray, list[int], list[str]]:
    """Numbers as they are, categories as codes by how frequent they are; missing is NaN.

    With it, which columns are categories, and the names of all: text and times are left out.
    """
    import polars as pl

    columns, categorical, names = [], [], []
    for column in rows.get_columns():
        kind = kind_of(column)
        if kind == "number":
            columns.append(column.cast(pl.Float64).to_numpy())
            names.append(column.name)
        elif kind in ("string", "boolean"):
            text = as_text(column)
            counts = text.drop_nulls().alias("value").value_counts().sort("count", "value")
            if counts.height > CODES and counts.height > rows.height / 4:
                continue  # names or text
            values = counts["value"].reverse().head(CODES)
            codes = pl.Series(np.arange(len(values), dtype=np.float64))
            known = text.replace_strict(values, codes, default=float(len(values)))
            known = pl.select(pl.when(text.is_not_null()).then(known))[:, 0]
            categorical.append(len(columns))
            columns.append(known.to_numpy())
            names.append(column.name)
    if not columns:
        return np.empty((rows.height, 0)), [], []
    return np.column_stack(columns), categorical, names
