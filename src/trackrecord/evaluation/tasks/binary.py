"""A yes or no: ``truth`` Int8, 0 or 1; ``score.NAME`` Float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import all_are, score_of, truth_of
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError for a truth that is not 0 and 1, or scores that are not finite numbers."""
    truth = truth_of(outcomes["truth"], "the outcomes")
    for name in models:
        score_of(outcomes[f"score.{name}"], "the outcomes")
    positives = int(truth.cast(int).sum())
    if positives in (0, outcomes.height):
        raise DataError(
            f"the truth has one class: {all_are(outcomes.height)} {min(positives, 1)}",
            why="no model can be told from another where everything turned out the same",
            next="evaluate rows of which some came true and some did not",
        )


def arrays(table: pl.DataFrame, models: list[str]) -> tuple[Any, dict[str, Any]]:
    """Truth int8 (n,), and float64 scores (n,) of each model."""
    import numpy as np
    import polars as pl

    truth = table["truth"].cast(pl.Int8).to_numpy()
    return truth, {
        name: np.ascontiguousarray(table[f"score.{name}"].cast(pl.Float64).to_numpy())
        for name in models
    }


COLUMNS = TaskColumns(
    usual=(
        *("roc_auc", "average_precision", "log_loss", "brier", "accuracy"),
        *("bias", "calibration_intercept", "calibration_slope"),
    ),
    check=check,
    arrays=arrays,
)
