"""One class of several: ``truth`` String; ``score.NAME`` String, the class that a model names, or
a struct with a field for each class, its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import all_are
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl


def classes_of(outcomes: pl.DataFrame, models: list[str]) -> list[str]:
    """Every class that came true, was named, or has a probability; sorted."""
    import polars as pl

    found = set(outcomes["truth"].unique().to_list())
    for name in models:
        series = outcomes[f"score.{name}"]
        if isinstance(series.dtype, pl.Struct):
            found |= {field.name for field in series.dtype.fields}
        else:
            found |= set(series.unique().to_list())
    return sorted(found)


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError for missing classes, or a truth of one class only."""
    import polars as pl

    if outcomes["truth"].dtype != pl.String:
        raise DataError(f"the classes are {outcomes['truth'].dtype}, not strings")
    for name in ("truth", *(f"score.{model}" for model in models)):
        series = outcomes[name]
        if not isinstance(series.dtype, pl.Struct) and series.dtype != pl.String:
            raise DataError(f"{name!r} holds {series.dtype}, neither classes nor probabilities")
        if series.null_count():
            raise DataError(f"{name!r} is missing in {series.null_count():,} rows")
    if outcomes["truth"].n_unique() == 1:
        raise DataError(
            f"the truth has one class: {all_are(outcomes.height)} {outcomes['truth'][0]!r}",
            why="no model can be told from another where everything turned out the same",
            next="evaluate rows of two classes or more",
        )


def arrays(table: pl.DataFrame, models: list[str]) -> tuple[Any, dict[str, Any]]:
    """Truth int64 codes (n,); each model's codes (n,), or probabilities (n, classes).

    A class that a model has no probability for has NaN.
    """
    import numpy as np
    import polars as pl

    classes = classes_of(table, models)
    kinds = pl.Enum(classes)

    def codes(series: pl.Series) -> Any:
        return series.cast(kinds).to_physical().to_numpy().astype(np.int64)

    def chances(series: pl.Series) -> Any:
        wide = series.struct.unnest()
        found = np.full((table.height, len(classes)), np.nan)
        for place, name in enumerate(classes):
            if name in wide.columns:
                found[:, place] = wide[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return found

    scores: dict[str, Any] = {}
    for name in models:
        series = table[f"score.{name}"]
        scores[name] = (chances if isinstance(series.dtype, pl.Struct) else codes)(series)
    return codes(table["truth"]), scores


COLUMNS = TaskColumns(
    usual=("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "brier", "roc_auc_ovr"),
    check=check,
    arrays=arrays,
)
