"""Which classes are taken for which: the candidate's confusion table, with bands for all cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.evaluation.measuring import Columns
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.result import Confusion, ConfusionCell
from trackrecord.evaluation.tasks.multiclass import classes_of
from trackrecord.stats.confusion import Table, confusion
from trackrecord.stats.influence import Undefined
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.reduced import reduced

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

MOST_CLASSES = 20


def confusions(table: pl.DataFrame, columns: Columns, plan: Plan) -> list[Confusion]:
    """The candidate's table; none for other tasks, or for more than MOST_CLASSES classes.

    ``table`` is the one that ``columns`` were made from. Rows without a weight do not count.
    """
    if plan.task != "multiclass":
        return []
    classes = classes_of(table, [*plan.baselines, *plan.models])
    if len(classes) > MOST_CLASSES:
        return []
    name, weight, cluster = plan.candidate, columns.weight, columns.cluster
    truth, score = columns.truth, columns.scores[name]
    if weight is not None:
        there = weight > 0
        # only ratios matter, and squares of very small weights would be nothing
        truth, score, weight = truth[there], score[there], weight[there] / weight.max()
        cluster = None if cluster is None else cluster[there]
    try:
        label = reduced(get_metric("accuracy", "multiclass"), truth, score)
    except Undefined as undefined:
        return [Confusion(model=name, classes=classes, cells=[], reason=undefined.reason)]
    if cluster is not None and np.unique(cluster).size < 2:
        reason = "one cluster cannot show how much clusters differ"
        return [Confusion(model=name, classes=classes, cells=[], reason=reason)]
    found = confusion(truth, label, len(classes), weight, cluster, plan.level)
    return [
        Confusion(
            model=name,
            classes=classes,
            cells=_cells(found, classes),
            each=found.each,
            method=_method(weight, cluster),
            reason=_reason(found),
        )
    ]


def _cells(found: Table, classes: list[str]) -> list[ConfusionCell]:
    return [
        ConfusionCell(
            truth=classes[true],
            called=classes[called],
            rows=int(found.count[true, called]),
            share=float(found.share[true, called]),
            lo=_bound(found.lo[true, called]),
            hi=_bound(found.hi[true, called]),
        )
        for true, called in np.argwhere(np.isfinite(found.share)).tolist()
    ]


def _bound(bound: np.float64) -> float | None:
    return float(bound) if np.isfinite(bound) else None


def _method(weight: NDArray[np.float64] | None, cluster: NDArray[np.intp] | None) -> str:
    if weight is None and cluster is None:
        return "Clopper-Pearson"
    return "Korn-Graubard" if cluster is None else "Korn-Graubard, clusters"


def _reason(found: Table) -> str | None:
    """Why some classes have no bounds, where some have none."""
    rows = np.isfinite(found.share).any(axis=1)
    bare = int((rows & ~np.isfinite(found.lo).any(axis=1)).sum())
    if bare == 0:
        return None
    return (
        f"the rows of {bare} of {int(rows.sum())} classes count as fewer than two clusters or "
        "rows of equal weight, which cannot show how much they differ"
    )
