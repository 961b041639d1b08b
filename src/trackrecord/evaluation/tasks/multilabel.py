"""Any number of labels: ``truth`` a struct with a field for each label, 0 or 1; ``score.NAME`` a
struct with the same fields: probabilities, or 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError unless truth and scores are structs with the same labels, none missing."""
    import polars as pl

    truth = outcomes["truth"]
    if not isinstance(truth.dtype, pl.Struct):
        raise DataError("the truth holds no labels: it is not a struct of 0 and 1")
    labels = {field.name for field in truth.dtype.fields}
    for name in ("truth", *(f"score.{model}" for model in models)):
        series = outcomes[name]
        fields = series.dtype.fields if isinstance(series.dtype, pl.Struct) else []
        if (held := {field.name for field in fields}) != labels:
            raise DataError(
                f"{name!r} does not have the truth's labels",
                why=f"only in one of them: {', '.join(sorted(held ^ labels)[:8])}",
            )
        lost = sum(series.struct.field(label).null_count() for label in labels)
        if lost:
            raise DataError(f"{name!r} lacks {lost:,} values")
    for label in sorted(labels):
        values = truth.struct.field(label)
        if not bool(values.cast(pl.Float64).is_in([0.0, 1.0]).all()):
            raise DataError(f"the truth of the label {label!r} is not 0 or 1")


def arrays(table: pl.DataFrame, models: list[str]) -> tuple[Any, dict[str, Any]]:
    """Truth int8 (n, labels); each model's floats, or int8 where it says 0 and 1 only."""
    import numpy as np
    import polars as pl

    labels = sorted(table["truth"].struct.fields)

    def matrix(series: pl.Series) -> Any:
        wide = series.struct.unnest().select(labels)
        floats = any(dtype.is_float() for dtype in wide.dtypes)
        kind: Any = pl.Float64 if floats else pl.Int8
        return np.column_stack([wide[label].cast(kind).to_numpy() for label in labels])

    truth = matrix(table["truth"]).astype(np.int8)
    return truth, {name: matrix(table[f"score.{name}"]) for name in models}


COLUMNS = TaskColumns(
    usual=("subset_accuracy", "hamming_loss", "f1_micro", "f1_macro", "roc_auc_macro"),
    check=check,
    arrays=arrays,
)
