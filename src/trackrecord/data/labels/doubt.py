"""All doubts about a table and its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.data.drift.classifier import matrix
from trackrecord.data.kinds import as_text, kind_of
from trackrecord.data.labels.categories import Written, inconsistent
from trackrecord.data.labels.confident import confident_doubt
from trackrecord.data.labels.crossfitted import crossfitted
from trackrecord.data.labels.outliers import Outliers, outliers
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

MOST_ROWS = 50_000
LEAST_ROWS = 10  # of a class
MOST_CLASSES = 100


class DoubtedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Row ``row``, from 1: its label, the likelier class, and how much less likely the label is."""

    row: int
    label: str
    likely: str
    margin: float


class LabelDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """What may be wrong in a table. ``share`` of labels is estimated wrong, from ``lo`` to ``hi``.

    ``source`` says where the probabilities are from; ``left_out`` counts rows not judged (without
    a label, of a class of less than ten rows, or beyond 50,000).
    """

    target: str
    rows: int
    left_out: int
    source: str
    share: float
    lo: float
    hi: float
    level: float
    doubted: list[DoubtedRow]
    written: list[Written]
    outliers: list[Outliers]


def doubt_labels(
    frame: pl.DataFrame,
    target: str,
    *,
    score: str | None = None,
    skip: list[str] | None = None,
    level: float = 0.95,
) -> LabelDoubt:
    """Doubt a table's labels and values.

    Parameters
    ----------
    frame:
        In canonical kinds, as ``read_table`` gives.
    target:
        The column of labels.
    score:
        The prefix of columns of probabilities of a model that has not seen the row, one a class
        (``p_yes``, ``p_no`` for ``p_``), or one column of the later of two classes. Without it
        trees are cross-fitted on the other columns.
    skip:
        Columns that say nothing of the label, such as ids.

    Raises
    ------
    DataError
        For unknown columns, a label with one class or over 100, or too few rows.
    """
    import polars as pl

    for name in [target, *(skip or [])]:
        if name not in frame.columns:
            near = suggest(name, frame.columns)
            why = f"did you mean {near!r}?" if near else f"columns: {', '.join(frame.columns[:40])}"
            raise DataError(f"there is no column {name!r}", why=why)
    text = as_text(frame[target])
    counts = text.drop_nulls().alias("label").value_counts(name="rows").sort("label")
    classes = counts.filter(pl.col("rows") >= LEAST_ROWS)["label"].to_list()
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise DataError(
            f"{target!r} has {len(classes)} classes of at least {LEAST_ROWS} rows",
            why=f"labels can be doubted where there are 2 to {MOST_CLASSES}",
        )
    judged = text.is_in(classes).fill_null(False).arg_true().to_numpy()
    if judged.size > MOST_ROWS:
        judged = np.sort(np.random.default_rng(0).permutation(judged)[:MOST_ROWS])
    codes = {name: code for code, name in enumerate(classes)}
    label = text[judged].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
    if score is None:
        used = frame.drop([target, *(skip or [])])[judged]
        features, _, _ = matrix(used)
        probability = crossfitted(features, label, len(classes))
        source = f"trees, cross-fitted on {features.shape[1]} columns"
    else:
        probability = _given(frame[judged], score, classes)
        source = f"the columns {score}…"
    found = confident_doubt(label, probability, level)
    doubted = [
        DoubtedRow(
            row=int(judged[row]) + 1,
            label=classes[label[row]],
            likely=classes[likely],
            margin=float(margin),
        )
        for row, likely, margin in zip(found.rows, found.likely, found.margin, strict=True)
    ]
    columns = frame.get_columns()
    fences = [outliers(column, level) for column in columns if kind_of(column) == "number"]
    return LabelDoubt(
        target=target,
        rows=int(judged.size),
        left_out=frame.height - int(judged.size),
        source=source,
        share=found.share,
        lo=found.lo,
        hi=found.hi,
        level=level,
        doubted=doubted,
        written=[w for c in columns if kind_of(c) == "string" for w in inconsistent(c)],
        outliers=[far for far in fences if far is not None],
    )


def _given(frame: pl.DataFrame, score: str, classes: list[str]) -> NDArray[np.float64]:
    import polars as pl

    names = [
        next((n for n in (f"{score}{one}", f"{score}_{one}") if n in frame.columns), None)
        for one in classes
    ]
    if all(name is not None for name in names):
        columns = [frame[str(name)] for name in names]
    elif score in frame.columns and len(classes) == 2:
        columns = [1 - frame[score], frame[score]]
    else:
        raise DataError(
            f"there are no probabilities under {score!r}",
            why=f"a column for each class is needed: {score}{classes[0]}, {score}{classes[1]}, …",
        )
    if any(not column.dtype.is_numeric() or column.null_count() for column in columns):
        raise DataError(f"the probabilities under {score!r} are not all numbers")
    return np.column_stack([column.cast(pl.Float64).to_numpy() for column in columns])
