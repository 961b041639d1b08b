"""A small real publication: two cases in one workspace, an amendment, three looks, a contrast."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from trackrecord.cli.main import main

CASE = """\
spec = 1
name = "{name}"
question = "Will the parcel arrive late? Asked when it is handed over."
task = "binary"
features = ["distance", "carrier", "weight"]
candidate = "trees"
intended_use = "To warn a customer when the parcel is handed over."
limits = ["Made-up parcels of 2023: it says nothing of real ones."]

[data]
path = "data/parcels.csv"
unit = "parcel"
time = "handed_over"
groups = ["carrier"]
known_later = ["arrived"]

[target]
column = "late"
positive = "yes"

[split]
kind = "time"
train = {{ first = "2023-01-01", last = "2023-06-30" }}
validation = {{ first = "2023-07-01", last = "2023-08-31" }}
test = {{ first = "2023-09-01", last = "2023-12-31" }}

[evaluation]
metrics = ["roc_auc", "log_loss", "brier", "calibration_slope", "bias"]
cluster = "day"
slices = ["carrier", "distance > 500"]
simultaneous = true
decision = {{ lowest = 0.2, highest = 0.6 }}

[[baseline]]
kind = "base_rate"
name = "base-rate"

[[baseline]]
kind = "table"
name = "table"
by = ["carrier"]

[[model]]
name = "trees"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
encode = "ordinal"
parameters = {{ max_iter = 30, max_depth = 2 }}

[[criterion]]
name = "ranks better than the table"
require = "roc_auc difference to table > {least}"

[[criterion]]
name = "slope near one"
require = "calibration_slope in [0.5, 1.5]"

[[contrast]]
name = "random split"
split = {{ kind = "random", test = 0.3, validation = 0.1 }}
"""


def write_parcels(path: Path, rows: int = 1500) -> None:
    """Parcels whose lateness depends on distance and carrier."""
    dice = random.Random(7)
    lines = ["parcel,handed_over,day,distance,carrier,weight,arrived,late"]
    for number in range(rows):
        month, day = 1 + number * 12 // rows, 1 + dice.randrange(28)
        distance = dice.randrange(10, 1000)
        carrier = dice.choice("ABCD")
        chance = 0.1 + 0.5 * distance / 1000 + (0.15 if carrier == "D" else 0)
        late = dice.random() < chance
        when = f"2023-{month:02}-{day:02}"
        lines.append(
            f"p{number},{when}T{dice.randrange(24):02}:00:00,{when},{distance},{carrier},"
            f"{dice.randrange(1, 30)},{when}T23:59:00,{'yes' if late else 'no'}"
        )
    path.write_text("\n".join(lines) + "\n")


def make_parcels(root: Path, *names: str) -> None:
    """A workspace at ``root`` with the parcels' data, and a case of each name about them."""
    _do("init", str(root))
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + 'tracking_uri = "none"\n')
    write_parcels(root / "data" / "parcels.csv")
    for name in names:
        path = root / "cases" / name / "case.toml"
        path.parent.mkdir(parents=True)
        path.write_text(CASE.format(name=name, least="0.02"))


def publish_small(root: Path) -> Path:
    """Make the workspace at ``root`` and return ``published/parcels``."""
    make_parcels(root, "parcels", "other")
    case = root / "cases" / "parcels" / "case.toml"
    there = ("-C", str(root))
    _do("seal", "other", *there)
    _do("seal", "parcels", *there)
    _do("run", "parcels", *there)
    _do("evaluate", "parcels", *there)
    _do("evaluate", "parcels", "--part", "test", *there)
    case.write_text(CASE.format(name="parcels", least="0.03"))
    reason = "A gain of two hundredths would not pay for the model"
    _do("amend", "parcels", "--reason", reason, *there)
    _do("run", "parcels", *there)
    _do("run", "other", *there)
    _do("evaluate", "parcels", *there)
    _do("evaluate", "parcels", "--part", "test", *there)
    _do("evaluate", "other", "--part", "test", *there)
    _do("contrast", "parcels", *there)
    _do("claim", "draft", "parcels", *there)
    _do("publish", "parcels", "--yes", *there)
    return root / "published" / "parcels"


def shared_publication(factory: pytest.TempPathFactory) -> Path:
    """The small publication, made once for all tests and workers. Copy it before changing it."""
    base = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    with FileLock(base / "small.lock"):
        root = base / "small-workspace"
        done = base / "small.done"
        if not done.exists():
            shutil.rmtree(root, ignore_errors=True)
            publish_small(root)
            done.touch()
    return root / "published" / "parcels"


def _do(*words: str) -> None:
    code = main(list(words))
    assert code in (0, 1), f"trackrecord {' '.join(words)} ended with {code}"
