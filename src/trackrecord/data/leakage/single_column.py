"""TR101: a single column that gives the target away.

Two questions on the training rows alone. In order: how well does the column's rank separate the
classes (ROC AUC with midranks, the Mann-Whitney statistic)? By value: how well does the share of
positives at each value, learnt on every other row, separate the rows between? The second also
sees columns whose order means nothing, and does not reward a column for having many values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.data.finding import Finding
from trackrecord.data.leakage.detector import Context, detector

if TYPE_CHECKING:
    import polars as pl

DOUBTFUL = 0.95
CERTAIN = 0.995
FEWEST_OF_A_CLASS = 10


@detector("single_column")
def single_column(context: Context) -> Iterator[Finding]:
    """Each feature alone, on the training rows."""
    train = context.train
    truth = train["truth"]
    if min(int(truth.sum()), len(truth) - int(truth.sum())) < FEWEST_OF_A_CLASS:
        return
    for name in context.features:
        column = train[name]
        auc, how = max(
            (rank_auc(column, truth), "its order"), (value_auc(column, truth), "its values")
        )
        if auc < DOUBTFUL:
            continue
        yield context.finding(
            "TR101",
            "error" if auc >= CERTAIN else "doubt",
            "features",
            f"the feature {name!r} alone nearly gives the target away: by {how}, ROC AUC {auc:.3f} "
            f"on {len(truth):,} training rows",
            f"if {name!r} is known only after the question is asked, move it from features to "
            "data.known_later",
        )


def auc_of(score: pl.Series, truth: pl.Series) -> float:
    """ROC AUC of ``score`` for 0/1 ``truth``, ties counted half; 0.5 where a class is missing."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return 0.5
    ranks = float(score.rank("average").filter(truth == 1).sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def rank_auc(column: pl.Series, truth: pl.Series) -> float:
    """The better direction's AUC, for columns with an order; missing below or above all values."""
    import polars as pl

    if column.dtype == pl.String:
        return 0.5
    numbers = column.to_physical().cast(pl.Float64)
    best = 0.5
    for end in (-float("inf"), float("inf")):
        auc = auc_of(numbers.fill_null(end), truth)
        best = max(best, auc, 1 - auc)
    return best


def value_auc(column: pl.Series, truth: pl.Series) -> float:
    """AUC of the share of positives at each value (missing is one), learnt on the other half."""
    import polars as pl

    # Halves by a mixed row number: alternate rows may alternate in truth.
    half = pl.Series(range(len(column)), dtype=pl.UInt64).hash(7) % 2
    frame = pl.DataFrame({"value": column, "truth": truth, "half": half})
    total = 0.0
    for side in (0, 1):
        learn, score = frame.filter(pl.col("half") != side), frame.filter(pl.col("half") == side)
        base = float(learn["truth"].mean() or 0.0)  # type: ignore[arg-type]
        shares = learn.group_by("value").agg(
            ((pl.col("truth").sum() + base) / (pl.len() + 1)).alias("share")
        )
        joined = score.join(shares, on="value", how="left", nulls_equal=True)
        total += auc_of(joined["share"].fill_null(base), joined["truth"])
    return total / 2
