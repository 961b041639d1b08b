"""Tables whose truth is a number: a prediction, quantiles, and the past of series."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import (
    NUMBERS,
    TRUTHS,
    Words,
    counted,
    no_column,
    rows_where,
    score_of,
)
from trackrecord.evaluation.roles import (
    SCORE_NAMES,
    Asked,
    Places,
    ReadOutcomes,
    ids_in,
    model_of,
    named,
    named_twice,
    others_in,
    places_of,
    said_of,
    taken_by,
    truth_in,
)

if TYPE_CHECKING:
    import polars as pl

    # of each model, the column of its prediction (None without one), and of each quantile
    Forecast = tuple[str | None, dict[str, str]]

POINT_NAMES = (*SCORE_NAMES, "forecast", "yhat", "y_forecast", "mean", "fc")
POINT = "point"
SCALES = ("scale", "scale_squared")
SCALE_WORDS = replace(TRUTHS, kind="a scale is the mean change of a series' past")
# Squares of squares of such numbers, summed over rows, are still finite.
GREATEST = 1e60
SHAPE = "a prediction is a column of numbers: score, score.NAME, or any with --score COL"
# q0.05, q.05, q05, q975; behind a model's name also 0.05 alone
_QUANTILE = re.compile(
    r"(?:(?P<model>.+)[._\-])?(?:q(?P<marked>0?\.\d+|0\d|\d\d|\d\d[1-9])|(?P<bare>0\.\d+))"
)
_BOUND = re.compile(r"(?:^|[._\-])(?:lo|hi|lower|upper)(?:[._\-]?\d+)?$", re.IGNORECASE)


def read_numbers(
    raw: pl.DataFrame, where: str, asked: Asked, *, history: pl.DataFrame | None = None
) -> ReadOutcomes:
    """The Outcomes of a table of numbers.

    Raises DataError for truth and predictions that are missing, infinite or no numbers, naming
    rows; where there is no prediction; and for a history that does not fit.
    """
    import polars as pl

    names = list(raw.columns)
    truth = truth_in(names, asked)
    if truth is None:
        raise no_column("truth", names, where)
    series = series_in(names, truth, asked)
    if series is None and history is not None:
        raise BadInput(
            "a history is of series, and no column names them",
            where=where,
            next="name the column that both files call their series by: --series COL",
        )
    raw, horizon = with_horizon(raw, series, asked)
    names = list(raw.columns)
    places = places_of(names, where, asked, truth=truth, held={series} if series else None)
    models, said = number_models(raw, asked, taken_by(places, names), where)
    used = {c for point, q in models.values() for c in [point, *q.values()] if c is not None}
    used |= set(SCALES) if series is not None else set()
    guesses = [*said, *said_of(names, places, asked, used | ({series} if series else set()))]
    guesses += [horizon] if horizon else []
    ids = _ids(raw, places, series, where)
    if places.id is None and ids[0] != "1":
        alone = "there is no id column, so rows are named by"
        guesses = [f"{alone} series and time" if g.startswith(alone) else g for g in guesses]
    columns = [
        ids,
        number_of(raw[truth], where, TRUTHS).alias("truth"),
        *(forecast_of(raw, held, where).alias(f"score.{name}") for name, held in models.items()),
        *others_in(raw, places.optional, places.sliced, where),
    ]
    frame = pl.DataFrame(columns)
    if series is not None:
        frame, more = with_series(frame, raw, series, places, asked, history, truth, where)
        guesses += more
    baselines = list(models)[: len(asked.baselines)]
    return ReadOutcomes(frame, guesses, baselines, places.slices, "regression")


def _ids(raw: pl.DataFrame, places: Places, series: str | None, where: str) -> pl.Series:
    """Ids; of forecasts without any, their series and time, where these tell rows apart."""
    import polars as pl

    from trackrecord.data.kinds import as_text

    time = places.optional.get("time")
    if places.id is None and series is not None and time is not None:
        parts = pl.DataFrame([as_text(raw[series]).alias("s"), as_text(raw[time]).alias("t")])
        if not parts.is_duplicated().any() and not any(c.null_count() for c in parts):
            return parts.select(pl.format("{}, {}", "s", "t").alias("id")).to_series()
    return ids_in(raw, places.id, where)


def series_in(names: list[str], truth: str, asked: Asked) -> str | None:
    """The column that names each row's series; ``series`` by its name."""
    if asked.series is not None:
        return asked.series
    return "series" if "series" in names and truth != "series" else None


def with_series(
    frame: pl.DataFrame,
    raw: pl.DataFrame,
    series: str,
    places: Places,
    asked: Asked,
    history: pl.DataFrame | None,
    truth: str,
    where: str,
) -> tuple[pl.DataFrame, list[str]]:
    """(the Outcomes with their series, what that makes of clusters and scales)."""
    import polars as pl

    from trackrecord.data.kinds import as_text
    from trackrecord.evaluation.history import scales_of, with_scales

    named_by = as_text(raw[series]).alias("series")
    if lost := named_by.null_count():
        raise DataError(f"the series is missing in {lost:,} of {raw.height:,} rows", where=where)
    frame = frame.with_columns(named_by)
    guesses = []
    if "cluster" not in frame.columns and named_by.n_unique() > 1:
        frame = frame.with_columns(named_by.alias("cluster"))
        guesses.append(f"rows of one {series!r} depend on one another (--cluster says otherwise)")
    if history is None and set(SCALES) <= set(raw.columns):
        held = [number_of(raw[name], where, SCALE_WORDS).alias(name) for name in SCALES]
        return frame.with_columns(held), guesses
    if history is None:
        guesses.append("without --history FILE, errors are not compared with the series' past")
        return frame, guesses
    time = places.optional.get("time")
    value = next((c for c in (truth, "value") if c in history.columns), None)
    if value is None:
        raise no_column(truth, list(history.columns), "the history")
    scales = scales_of(
        history.with_columns(pl.col(series).cast(pl.String)) if series in history.columns
        else history,
        series=series, time=time, value=value, season=asked.season,
    )  # fmt: skip
    return with_scales(frame, scales), guesses


def with_horizon(
    raw: pl.DataFrame, series: str | None, asked: Asked
) -> tuple[pl.DataFrame, str | None]:
    """Where a slice asks for a ``horizon`` that has no column: how far ahead each row is.

    That is the row's place in its series, in order of time, where no time has two rows.
    """
    import polars as pl

    time = asked.time or ("time" if "time" in raw.columns else None)
    wanted = any(re.match(r"\s*horizon\b", text) for text in asked.slices)
    if not wanted or "horizon" in raw.columns or time is None or series is None:
        return raw, None
    if not {time, series} <= set(raw.columns):
        return raw, None
    if raw.select(series, time).is_duplicated().any():
        return raw, None
    place = pl.col(time).rank("ordinal").over(series).cast(pl.Int64).alias("horizon")
    return raw.with_columns(place), f"'horizon' is a row's place in its series by {time!r}"


def number_models(
    raw: pl.DataFrame, asked: Asked, taken: set[str], where: str
) -> tuple[dict[str, Forecast], list[str]]:
    """(each model's columns, what was guessed); baselines come before the models."""
    names = list(raw.columns)
    free = [c for c in names if c not in {*taken, *SCALES} and not c.startswith("slice.")]
    numeric = [c for c in free if raw[c].dtype.is_numeric()]
    quantiles = quantile_columns(numeric)
    spread = {c for held in quantiles.values() for c in held.values()}
    found: dict[str, Forecast] = {}
    for word in [*asked.baselines, *asked.scores]:
        name = model_of(word)
        column = next((c for c in (word, f"score.{word}") if c in names), None)
        held = quantiles.get(name, quantiles.get("", {}) if name == "score" else {})
        if column is None and not held:
            raise no_column(word, names, where, option="--score")
        if name in found:
            raise named_twice(name)
        found[name] = (column, held)
    said: list[str] = []
    if not asked.scores:
        mine = {c for point, q in found.values() for c in [point, *q.values()]}
        rest = [c for c in free if c not in spread and c not in mine]
        left = {n: q for n, q in quantiles.items() if n not in found}
        more, said = _guessed_models(raw, rest, left, asked, where)
        found |= more
    bounds = [c for c in numeric if c not in spread and _BOUND.search(c)]
    if bounds:
        said.append(
            f"{', '.join(bounds[:4])} may be bounds of an interval, at a level that is not said: "
            "call them by their quantiles, q0.05 and q0.95"
        )
    return found, said


def quantile_columns(columns: list[str]) -> dict[str, dict[str, str]]:
    """Of each model, the column of each quantile's level; the model is "" where none is named."""
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        match = _QUANTILE.fullmatch(column.removeprefix("score."))
        if match is None or (match["bare"] and not match["model"]):
            continue
        text = match["marked"] or match["bare"]
        level = float(text) if "." in text else float(f"0.{text}")
        if 0 < level < 1:
            found.setdefault(match["model"] or "", {}).setdefault(f"{level:g}", column)
    return found


def forecast_of(raw: pl.DataFrame, held: Forecast, where: str) -> pl.Series:
    """Float64; with quantiles a struct of the point and a field for each level."""
    import polars as pl

    point, quantiles = held
    parts = [] if point is None else [number_of(raw[point], where, NUMBERS).alias(POINT)]
    if not quantiles:
        return parts[0]
    for level, column in sorted(quantiles.items(), key=lambda item: float(item[0])):
        parts.append(number_of(raw[column], where, NUMBERS).alias(level))
    return pl.DataFrame(parts).to_struct("score")


def number_of(series: pl.Series, where: str, words: Words) -> pl.Series:
    """Float64 numbers, finite and not too great for their squares to be so."""
    numbers = score_of(series, where, words)
    huge = numbers.abs() > GREATEST
    if huge.any():
        raise DataError(
            f"{series.name!r} is greater than {GREATEST:g} in {counted(int(huge.sum()))}",
            where=f"{where}, {rows_where(huge)}",
            why="the square of such an error is no finite number",
            next="write it in greater units, or leave those rows out",
        )
    return numbers


def _guessed_models(
    raw: pl.DataFrame,
    rest: list[str],
    quantiles: dict[str, dict[str, str]],
    asked: Asked,
    where: str,
) -> tuple[dict[str, Forecast], list[str]]:
    """(models by their columns' names, or the one column that is left; what was guessed)."""
    points = {model_of(c): c for c in rest if c.startswith("score.") and c != "score."}
    found: dict[str, Forecast] = {}
    said: list[str] = []
    for name in dict.fromkeys([*points, *(n for n in quantiles if n)]):
        found[name] = (points.get(name), quantiles.get(name, {}))
    for name in quantiles:  # rf_q05 belongs to the column rf, too
        if name and name not in points and name in rest:
            found[name] = (name, quantiles[name])
    anonymous = quantiles.get("", {})
    if found and not anonymous:
        return found, said
    if found:
        raise DataError(
            f"{where} has quantiles without a model's name: {next(iter(anonymous.values()))!r}",
            why=f"models: {', '.join(found)}",
            next="write score.NAME.q0.05",
        )
    column = _point_column(raw, rest, anonymous, where)
    name = "score" if column is None or column.lower() in POINT_NAMES else column
    if column is not None and column != "score":
        said.append(f"the column {column!r} holds the predictions")
    return {name: (column, anonymous)}, said


def _point_column(
    raw: pl.DataFrame, rest: list[str], quantiles: dict[str, str], where: str
) -> str | None:
    """The one column of predictions; None where quantiles are all there is."""
    column = named(rest, POINT_NAMES)
    if column is not None:
        return column
    numeric = [c for c in rest if raw[c].dtype.is_numeric()]
    if quantiles:
        return None
    if len(numeric) == 1:
        return numeric[0]
    if numeric:
        raise DataError(
            f"{where} has several columns that could be predictions: {', '.join(numeric[:8])}",
            next=f"name them: --score {numeric[-1]} --baseline {numeric[0]}",
        )
    error = no_column("score", list(raw.columns), where)
    error.next = SHAPE
    raise error
