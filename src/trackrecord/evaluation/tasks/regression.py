"""A number: ``truth`` Float64; ``score.NAME`` Float64, or a struct with a field ``point`` and one
for each quantile, named by its level (``0.05``).

Forecasts of series have more columns: ``series`` names each row's, ``scale`` and ``scale_squared``
are the mean absolute and mean squared change over that series' past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import (
    NUMBERS,
    TRUTHS,
    Words,
    counted,
    rows_where,
    score_of,
)
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl

POINT = "point"
WHERE = "the outcomes"
SCALES = Words(
    kind="a scale is the mean change of a series in its past",
    write="write numbers, or leave the column out",
    missing="without a scale, a series' errors cannot be compared with those of another",
    fill="write the scale of every series, or leave the column out",
    infinite="errors divided by an infinite scale are all 0",
    bound="write finite scales",
)


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError for what is not a finite number, for levels that are none or doubled, and
    for scales that differ within a series."""
    import polars as pl

    score_of(outcomes["truth"], WHERE, TRUTHS)
    for name in models:
        series = outcomes[f"score.{name}"]
        if not isinstance(series.dtype, pl.Struct):
            score_of(series, WHERE, NUMBERS)
            continue
        levels = [level_of(field) for field in series.struct.fields if field != POINT]
        if len(set(levels)) < len(levels):
            raise DataError(f"{series.name!r} has two quantiles of one level", where=WHERE)
        if not series.struct.fields:
            raise DataError(f"{series.name!r} has neither a point nor quantiles", where=WHERE)
        for field in series.struct.fields:
            score_of(series.struct.field(field).alias(f"{series.name}.{field}"), WHERE, NUMBERS)
    if "series" in outcomes.columns:
        _check_series(outcomes)


def _check_series(outcomes: pl.DataFrame) -> None:
    """Raise DataError for a missing series, or scales that are none or not one for a series."""
    import polars as pl

    if lost := outcomes["series"].null_count():
        raise DataError(
            f"the series is missing in {counted(lost)}",
            where=f"{WHERE}, {rows_where(outcomes['series'].is_null())}",
        )
    for name in ("scale", "scale_squared"):
        if name not in outcomes.columns:
            continue
        scales = score_of(outcomes[name], WHERE, SCALES)
        below = scales < 0
        if below.any():
            raise DataError(
                f"{name!r} is negative in {counted(int(below.sum()))}",
                where=f"{WHERE}, {rows_where(below)}",
                why="it is a mean of absolute or squared changes",
            )
        kinds = pl.DataFrame({"series": outcomes["series"], name: scales}).unique()
        if kinds["series"].is_duplicated().any():
            first = kinds.filter(kinds["series"].is_duplicated())["series"][0]
            raise DataError(
                f"{name!r} differs within the series {str(first)[:60]!r}",
                where=WHERE,
                why="a series has one past, so one scale",
            )


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
