"""A number: ``truth`` Float64; ``score.NAME`` Float64, or a struct with a field ``point`` and one
for each quantile, named by its level (``0.05``).

Forecasts of series have more columns: ``series`` names each row's, ``scale`` and ``scale_squared``
are the mean absolute and mean squared change over that series' past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import score_of
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl

POINT = "point"


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError for what is not a finite number, or has no level of a quantile."""
    import polars as pl

    score_of(outcomes["truth"], "the outcomes")
    for name in models:
        series = outcomes[f"score.{name}"]
        if not isinstance(series.dtype, pl.Struct):
            score_of(series, "the outcomes")
            continue
        for field in series.struct.fields:
            if field != POINT:
                level_of(field)
            score_of(series.struct.field(field), "the outcomes")


def level_of(field: str) -> float:
    """The level of a quantile from its field's name. Raises DataError unless between 0 and 1."""
    try:
        level = float(field)
    except ValueError:
        level = -1.0
    if not 0 < level < 1:
        raise DataError(
            f"{field!r} is not the level of a quantile", why="a level lies between 0 and 1"
        )
    return level


def arrays(table: pl.DataFrame, models: list[str]) -> tuple[Any, dict[str, Any]]:
    """Truth float64 (n,); each model's ``Predicted``."""
    import numpy as np
    import polars as pl

    from trackrecord.stats.samples import Predicted, Quantiles, Scaled

    def numbers(series: pl.Series) -> Any:
        return np.ascontiguousarray(series.cast(pl.Float64).to_numpy())

    past = {"series", "scale", "scale_squared"} <= set(table.columns)
    scores: dict[str, Any] = {}
    for name in models:
        held = table[f"score.{name}"]
        point, quantiles = None, None
        if isinstance(held.dtype, pl.Struct):
            fields = sorted((f for f in held.struct.fields if f != POINT), key=level_of)
            if POINT in held.struct.fields:
                point = numbers(held.struct.field(POINT))
            if fields:
                values = np.column_stack([numbers(held.struct.field(f)) for f in fields])
                quantiles = Quantiles(tuple(map(level_of, fields)), values)
                if point is None and 0.5 in quantiles.levels:
                    point = values[:, quantiles.levels.index(0.5)]
        else:
            point = numbers(held)
        scaled = None
        if past and point is not None:
            codes = table["series"].cast(pl.String).rank("dense").to_numpy().astype(np.int64)
            scaled = Scaled(
                point, numbers(table["scale"]), numbers(table["scale_squared"]), codes - 1
            )
        scores[name] = Predicted(point, quantiles, scaled)
    return numbers(table["truth"]), scores


COLUMNS = TaskColumns(
    usual=("mae", "rmse", "r2", "bias", "median_ae"),
    check=check,
    arrays=arrays,
)
