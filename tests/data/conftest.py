"""A small case and its workspace, for tests to change."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from trackrecord.cases.reader import LineOf, decode_case
from trackrecord.cases.spec import Case

CASE = """\
spec = 1
name = "trips"
question = "Will the trip be late?"
task = "binary"
features = ["line", "stop", "load"]
intended_use = "Tell passengers."
limits = ["One town."]

[data]
path = "data/trips.csv"
unit = "trip"
time = "leaves"
timezone = "Europe/Berlin"
groups = ["bus"]
known_later = ["arrived"]
license = "CC0"
origin = "made up"

[target]
column = "delay"
positive = "> 5"
missing = "exclude"

[split]
kind = "time"
train = { first = "2024-01-01", last = "2024-02-29" }
validation = { first = "2024-03-01", last = "2024-03-31" }
test = { first = "2024-04-01", last = "2024-05-31" }

[evaluation]
metrics = ["roc_auc", "brier"]
slices = ["line", "load > 10"]

[[baseline]]
name = "table"
kind = "table"
by = ["line"]

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"

[[criterion]]
name = "ranks better"
require = "roc_auc difference to table > 0"
"""

Decode = Callable[..., tuple[Case, LineOf]]


def trips(rows: int = 600) -> str:
    """CSV text: five trips a day from 2024-01-01 in Berlin, every 40th without a delay."""
    draw = random.Random(3)
    lines = ["trip,leaves,line,stop,load,bus,delay,arrived"]
    for row in range(rows):
        day = row // 5
        month, date = [(1, day + 1), (2, day - 30), (3, day - 59), (4, day - 90), (5, day - 120)][
            (day >= 31) + (day >= 60) + (day >= 91) + (day >= 121)
        ]
        delay = draw.randint(-3, 15)
        lines.append(
            f"T{row:04d},2024-{month:02d}-{date:02d}T{6 + 3 * (row % 5):02d}:30:00,"
            f"{draw.choice('ABC')},{draw.randint(1, 9)},{draw.random() * 30:.3f},"
            f"{draw.randint(1, 200)},{'' if row % 40 == 7 else delay},{delay + 600}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace's root with the trips table in it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "trips.csv").write_text(trips(), "utf-8")
    return tmp_path


@pytest.fixture
def decode() -> Decode:
    """Decodes the case after replacing pieces of its text, each of which must be there."""

    def decoded(*changes: tuple[str, str]) -> tuple[Case, LineOf]:
        text = CASE
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return decode_case(text, "cases/trips/case.toml")

    return decoded
