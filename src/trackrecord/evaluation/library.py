"""Evaluate and compare predictions that no case stands behind: files, tables, columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trackrecord.errors import BadInput
from trackrecord.evaluation.doors import asked_of, read_any
from trackrecord.evaluation.measured import Comparison, Result, result_of
from trackrecord.stats.metrics import Task

__all__ = ["Comparison", "Result", "compare", "evaluate", "result_of"]


def evaluate(
    data: Any,
    score: Any = None,
    *,
    target: str | None = None,
    baseline: Any = None,
    id: Any = None,
    cluster: Any = None,
    time: Any = None,
    weight: Any = None,
    slices: Mapping[str, Any] | Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    criteria: Sequence[str] | None = None,
    candidate: str | None = None,
    level: float = 0.95,
    exact: bool = False,
    task: Task | None = None,
    classes: Sequence[Any] | None = None,
    series: Any = None,
    history: Any = None,
    season: int = 1,
    horizon: int | None = None,
    query: Any = None,
    document: Any = None,
) -> Result:
    """Measure predictions with intervals, against baselines, on slices; give verdicts.

    Parameters
    ----------
    data:
        The truth: zeros and ones, classes or numbers (n,), labels (n, labels), or a list of
        relevances for each query. Or a table: a path to Parquet, CSV or Arrow, a Polars, pandas
        or Arrow frame, a mapping of columns; or a table in parts: a folder or a pattern such as
        ``"parts/*.parquet"``, of which a few rows are in memory at once.
    score:
        What the model predicts: scores, classes or numbers (n,), probabilities (n, classes) or
        (n, labels), a table of quantiles, lists; or a mapping of several models' names to these.
        Of a table, the name of the column or columns; guessed where it is not given.
    target:
        Of a table: the column of the truth.
    baseline:
        Scores (n,) to compare with, or a mapping of names to scores; of a table, names.
    id, cluster, time, weight:
        Columns (n,); of a table, their names. Rows of one cluster may depend on one another, and
        so may rows of one time and of times near each other.
    slices:
        A mapping of names to columns (n,); of a table, columns and conditions ("hour >= 18").
    metrics:
        Names; the usual ones without. ``["all"]`` for every one.
    criteria:
        Such as ``"roc_auc >= 0.70"``; verdicts come from the intervals.
    candidate:
        The model that the baselines are compared with; the last by default.
    level:
        Of the intervals.
    exact:
        Give shares of independent rows Clopper and Pearson's intervals, not Wilson's.
    task:
        ``binary``, ``multiclass``, ``multilabel``, ``regression`` or ``ranking``; guessed from
        truth and predictions where it is not given, and the guess is in ``Result.guesses``.
    classes:
        What the columns of an array of probabilities are, as scikit-learn's ``classes_``.
    series, history, season:
        Of forecasts: what each row is a forecast of, a table of the same series' past, and after
        how many steps it repeats; errors are then also measured against the past's changes.
    horizon:
        How many times ahead forecasts were made; each baseline is then tested against them.
    query, document:
        Of a table of rankings: the columns that name them.

    Raises
    ------
    BadInput
        For columns, names, metrics or criteria that cannot be used, each with the reason.

    Examples
    --------
    >>> import trackrecord as tr
    >>> result = tr.evaluate([0, 1] * 50, [0.2, 0.7, 0.6, 0.4] * 25)
    >>> round(result["roc_auc"].lo, 2)
    0.66
    """
    columns = {
        "target": target,
        "id": id,
        "cluster": cluster,
        "time": time,
        "weight": weight,
        "series": series,
        "query": query,
        "document": document,
    }
    if isinstance(data, str | Path) and _in_parts(data):
        from trackrecord.evaluation.partitioned import evaluate_parts

        if task not in (None, "binary"):
            raise BadInput("a table in parts is measured for a yes or no only")
        asked = asked_of(score, baseline, columns, slices)
        return evaluate_parts(
            data, asked, candidate=candidate, level=level, metrics=metrics, criteria=criteria
        )
    read = read_any(
        data,
        score,
        baseline,
        columns,
        slices,
        task=task,
        classes=classes,
        history=history,
        season=season,
    )
    return result_of(
        read,
        candidate=candidate,
        level=level,
        metrics=metrics,
        criteria=criteria,
        horizon=horizon,
        exact=exact,
    )


def compare(
    data: Any,
    a: Any,
    b: Any,
    *,
    target: str | None = None,
    id: Any = None,
    cluster: Any = None,
    weight: Any = None,
    metrics: Sequence[str] | None = None,
    criteria: Sequence[str] | None = None,
    level: float = 0.95,
    task: Task | None = None,
    classes: Sequence[Any] | None = None,
    query: Any = None,
    document: Any = None,
) -> Comparison:
    """Two models on the same rows, paired: each metric of ``a`` minus that of ``b``.

    ``data`` is the truth and ``a``, ``b`` are predictions; or ``data`` is a table and they are
    names of its columns. See :func:`evaluate` for the others.

    Examples
    --------
    >>> import trackrecord as tr
    >>> truth, better, worse = [0, 1] * 50, [0.2, 0.7] * 50, [0.2, 0.7, 0.6, 0.4] * 25
    >>> round(tr.compare(truth, better, worse)["accuracy"].value, 2)
    0.5
    """
    first: Any = a if isinstance(a, str) else {"a": a}
    second: Any = b if isinstance(b, str) else {"b": b}
    columns = {"target": target, "id": id, "cluster": cluster, "weight": weight,
               "query": query, "document": document}  # fmt: skip
    read = read_any(
        data, first, second, columns, None, task=task, classes=classes, history=None, season=1
    )
    result = result_of(read, candidate=None, level=level, metrics=metrics, criteria=criteria)
    return Comparison(result=result)


def _in_parts(named: str | Path) -> bool:
    """Whether a folder or a pattern is named, or a file that has to be read in parts."""
    from trackrecord.evaluation.partitioned_parts import is_many
    from trackrecord.evaluation.room import in_parts

    return is_many(named) or in_parts(Path(named))
