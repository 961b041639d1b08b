"""What a series' errors are divided by: how much it changed in the past, before the forecasts.

A forecast that errs as much as the series moved from one step to the next, or from one season to
the next, has a scaled error of one (Hyndman & Koehler 2006). The past comes as a table of its own,
and must end before the forecasts begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import counted, no_column, rows_where

if TYPE_CHECKING:
    import polars as pl

WHERE = "the history"
# the most series that an error names
NAMED = 3


def scales_of(
    history: pl.DataFrame, *, series: str, time: str | None, value: str, season: int = 1
) -> pl.DataFrame:
    """Each series' ``scale`` and ``scale_squared``: mean |change| and mean change² over its past.

    A change is from a row to the ``season``-th row after it, in order of ``time`` (of the table,
    where that is None); rows are taken to be evenly spaced. Of the result, ``series`` is a string,
    ``changes`` counts what the means are of, and ``last`` is the past's last time, null without
    one. A past of ``season`` rows or fewer has scales of null.

    Parameters
    ----------
    history:
        A row for each series and time, as long before the forecasts as is known.
    series, time, value:
        The names of its columns.
    season:
        1 for a change from step to step; 12 for months, 7 for days of a week.

    Raises
    ------
    BadInput
        For a season that is no whole number from 1.
    DataError
        For columns that are not there, missing or infinite values, and doubled times, naming rows
        and series.
    """
    import polars as pl

    if isinstance(season, bool) or not isinstance(season, int) or season < 1:
        raise BadInput(
            f"a season is a whole number of steps from 1, not {season!r}",
            next="write 1 for changes from step to step, 12 for months of a year",
        )
    for name, option in ((series, "--series"), (time, "--time"), (value, "--target")):
        if name is not None and name not in history.columns:
            raise no_column(name, history.columns, WHERE, option=option)
    if history.height == 0:
        raise DataError(f"{WHERE} has no rows")
    past = pl.DataFrame(
        {
            "series": _names_of(history[series]),
            "value": _numbers_of(history[value]),
            "time": pl.Series([None] * history.height) if time is None else _times(history[time]),
        }
    )
    if time is not None:
        _check_doubled(past)
        past = past.sort("series", "time", maintain_order=True)
    change = pl.col("value") - pl.col("value").shift(season).over("series")
    scales = (
        past.with_columns(change=change)
        .group_by("series", maintain_order=True)
        .agg(
            scale=pl.col("change").abs().mean(),
            scale_squared=(pl.col("change") ** 2).mean(),
            changes=pl.col("change").count(),
            last=pl.col("time").last(),
        )
        .sort("series")
    )
    huge = scales.filter(~pl.col("scale_squared").is_finite())
    if huge.height:
        raise DataError(
            f"the changes of {_series(huge['series'])} are too great to be squared", where=WHERE
        )
    return scales


def with_scales(outcomes: pl.DataFrame, scales: pl.DataFrame) -> pl.DataFrame:
    """The Outcomes table with the columns ``scale`` and ``scale_squared`` of each row's series.

    ``scales`` is what ``scales_of`` made. Raises DataError, naming series, where one has no past,
    too short a past, one that never changes, or one that reaches into its forecasts' times; and
    where the table names no series, or has scales of its own.
    """
    import polars as pl

    if "series" not in outcomes.columns:
        raise no_column("series", outcomes.columns, "the outcomes")
    if own := [name for name in ("scale", "scale_squared") if name in outcomes.columns]:
        raise DataError(
            f"the outcomes already have the column {own[0]!r}",
            why="errors cannot be divided by two scales",
            next="leave that column out, or evaluate without a history",
        )
    mine = outcomes.select(series=_names_of(outcomes["series"], "the outcomes"))
    joined = mine.join(scales, on="series", how="left", maintain_order="left")
    _refuse(
        joined.filter(pl.col("changes").is_null()),
        "no past in the history",
        f"the history has {_series(scales['series'])}",
        "add the past of every series, or leave these series out",
    )
    _refuse(
        joined.filter(pl.col("changes") == 0),
        "too short a past: not one change over a season",
        "the scale is the mean change from a step to the same step of the next season",
        "give a longer past, or a shorter season",
    )
    _refuse(
        joined.filter(pl.col("scale") <= 0),
        "a past that never changes",
        "an error cannot be divided by 0",
        "leave these series out, or judge them by mae or wape",
    )
    if "time" in outcomes.columns and scales["last"].null_count() < scales.height:
        _check_ahead(joined.with_columns(time=_times(outcomes["time"], "the outcomes")))
    return outcomes.with_columns(joined["scale"], joined["scale_squared"])


def _check_ahead(joined: pl.DataFrame) -> None:
    """Raise DataError where a past does not end before its series' first forecast."""
    import polars as pl

    ahead, behind = joined["time"].dtype, joined["last"].dtype
    if ahead != behind and not (ahead.is_numeric() and behind.is_numeric()):
        raise DataError(
            f"the times of {WHERE} and the outcomes are not of one kind: {behind} and {ahead}",
            why="without that nothing shows that the past ends before the forecasts begin",
            next="write both as dates, as times, or as whole numbers of steps",
        )
    late = joined.filter(pl.col("last") >= pl.col("time").min().over("series"))
    if late.height:
        first = late.row(0, named=True)
        own = late.filter(pl.col("series") == first["series"]).sort("time").row(0, named=True)
        raise DataError(
            f"the past of {_series(late['series'])} reaches into the forecasts' times",
            where=f"{first['series'][:60]!r}: the past ends {first['last']}, "
            f"its forecasts begin {own['time']}",
            why="a scale that has seen what was forecast is no scale from the past",
            next="end the history before the first forecast",
        )


def _check_doubled(past: pl.DataFrame) -> None:
    import polars as pl

    doubled = past.select(twice=pl.struct("series", "time").is_duplicated())["twice"]
    if doubled.any():
        rows = past.filter(doubled)
        first = rows.row(0, named=True)
        raise DataError(
            f"the past of {_series(rows['series'])} has two values at one time",
            where=f"{WHERE}, {rows_where(doubled)}: {first['series'][:60]!r} at {first['time']}",
            next="keep one value of each series and time",
        )


def _refuse(rows: pl.DataFrame, what: str, why: str, advice: str) -> None:
    """Raise DataError that names the series of ``rows``, where there are any."""
    if rows.height:
        several = rows["series"].n_unique() > 1
        raise DataError(
            f"{_series(rows['series'])} {'have' if several else 'has'} {what}",
            where=f"the outcomes, {counted(rows.height)}",
            why=why,
            next=advice,
        )


def _series(names: pl.Series) -> str:
    """``the series 'a'``; of many, how many and the first of them."""
    known = names.unique(maintain_order=True)
    shown = ", ".join(repr(name[:60]) for name in known.head(NAMED).to_list())
    if len(known) == 1:
        return f"the series {shown}"
    return f"{len(known):,} series ({shown}{', …' if len(known) > NAMED else ''})"


def _names_of(series: pl.Series, where: str = WHERE) -> pl.Series:
    """The series' names as text, none missing."""
    from trackrecord.data.kinds import as_text

    if series.null_count():
        raise DataError(
            f"{series.name!r} is missing in {counted(series.null_count())}",
            where=f"{where}, {rows_where(series.is_null())}",
            why="a row without a series has no past",
        )
    return as_text(series).alias("series")


def _numbers_of(series: pl.Series) -> pl.Series:
    """Float64 values, all finite: a gap would move every season after it."""
    import polars as pl

    if not series.dtype.is_numeric():
        raise DataError(f"{series.name!r} holds {series.dtype}, not numbers", where=WHERE)
    values = series.cast(pl.Float64)
    lost = values.is_null() | ~values.is_finite().fill_null(False)
    if lost.any():
        raise DataError(
            f"{series.name!r} is missing or not finite in {counted(int(lost.sum()))}",
            where=f"{WHERE}, {rows_where(lost)}",
            why="a change over a gap is none over a step",
            next="fill the gap as the forecasts' own data were filled, or begin after it",
        )
    return values


def _times(series: pl.Series, where: str = WHERE) -> pl.Series:
    """Times that can be put in order: dates as UTC midnights, whole numbers as they are."""
    import polars as pl

    if series.null_count():
        raise DataError(
            f"{series.name!r} is missing in {counted(series.null_count())}",
            where=f"{where}, {rows_where(series.is_null())}",
            why="without a time, nothing shows what was past",
        )
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    if isinstance(series.dtype, pl.Datetime):
        zoned = series.dtype.time_zone is not None
        at = series.dt.convert_time_zone("UTC") if zoned else series.dt.replace_time_zone("UTC")
        return at.dt.cast_time_unit("us").alias("time")
    if not series.dtype.is_numeric():
        raise DataError(
            f"{series.name!r} holds {series.dtype}, no times that can be put in order",
            where=where,
            next="write dates as 2026-01-31, or number the steps",
        )
    return series.alias("time")
