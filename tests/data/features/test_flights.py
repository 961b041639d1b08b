"""The flights' weather as known the evening before, and not as it was at the hour of departure."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.data.features.build import build
from trackrecord.data.features.check import check
from trackrecord.data.features.spec import read_definition
from trackrecord.data.table import load_case_table
from trackrecord.demos import flights
from trackrecord.workspace import make_workspace

pytestmark = pytest.mark.slow

EVENING = """\
features = 1
name = "evening"

[rows]
table = "flights"
time = "scheduled"
known_by = "18:00 the day before"
timezone = "America/New_York"
key = ["id"]

[view.weather]
table = "weather"
by = ["origin"]
time = "observed"
max_age = "24 hours"
latest = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
prefix = "weather_"
"""
# The weather of the hour of departure, each hour stamped as if it were known two days before.
DEPARTURE = """
[view.departure]
sql = '''
SELECT f.id, date_trunc('hour', f.scheduled) - INTERVAL 2 DAY AS stamped, w.temp, w.visib
FROM flights f JOIN weather w
ON w.origin = f.origin AND w.observed = date_trunc('hour', f.scheduled)
'''
reads = { flights = "always", weather = "observed" }
by = ["id"]
time = "stamped"
latest = ["temp", "visib"]
prefix = "departure_"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("flights")).root
    list(flights.write_tables(root / "data"))
    (root / "features").mkdir()
    return root


def test_the_weather_is_that_of_the_case_for_every_flight(root: Path) -> None:
    (root / "features" / "evening.toml").write_text(EVENING)
    written = read_definition(root, "evening")
    done = build(root, root / "evidence", written, tool="test")
    # Cancelled flights have no truth and are no rows of the case; here they are.
    whole = flights.case_text().replace('missing = "exclude"', 'missing = "positive"')
    case, _ = decode_case(whole, "case.toml")
    table = load_case_table(case, root)
    names = [take.name for take in written.plan.takes]
    assert table.frame.height == 336_776
    ours = pl.read_parquet(done.path, columns=["id", *names])
    assert ours.equals(table.frame.select("id", *names))
    assert ours["weather_temp"].null_count() < 1_000


def test_the_evening_before_holds_and_the_hour_of_departure_is_caught(root: Path) -> None:
    (root / "features" / "evening.toml").write_text(EVENING)
    assert check(root, read_definition(root, "evening")).holds
    planted = EVENING.replace('"evening"', '"planted"') + DEPARTURE
    (root / "features" / "planted.toml").write_text(planted)
    found = check(root, read_definition(root, "planted"))
    assert not found.holds
    assert found.look_ahead.features == ["departure_temp", "departure_visib"]
    assert {proof.then for proof in found.look_ahead.first} == {"missing"}


def test_the_hour_of_departure_with_its_availability_said_is_not_joined(root: Path) -> None:
    said = DEPARTURE.replace("w.temp,", "w.observed, w.temp,").replace(
        'time = "stamped"', 'time = "stamped"\navailable = "observed"'
    )
    (root / "features" / "said.toml").write_text(EVENING.replace('"evening"', '"said"') + said)
    written = read_definition(root, "said")
    done = build(root, root / "evidence", written, tool="test")
    assert done.predicate.views[1].matched == 0
    assert check(root, written).look_ahead.verdict == "clean"
