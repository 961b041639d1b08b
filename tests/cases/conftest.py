"""A whole case with every key, for tests to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trackrecord.cases.reader import LineOf, decode_case
from trackrecord.cases.spec import Case

FILE = "cases/loans/case.toml"

CASE = """\
spec = 1
name = "loans"
question = "Will this loan be repaid?"
task = "binary"
features = ["amount", "region"]
intended_use = "Rank applications for a second reading."
limits = ["One bank.", "One year."]

[data]
path = "data/loans.csv"
unit = "loan"
time = "granted"
known_later = ["repaid_on"]
license = "CC0"
origin = "made up"

[data.types]
region = "string"

[[data.asof]]
table = "data/rates.csv"
by = ["region"]
time = "observed"
columns = ["rate"]
known_by = "18:00 the day before"

[target]
column = "repaid"
positive = "yes"

[split]
kind = "time"
train = { first = "2020-01-01", last = "2020-06-30" }
validation = { first = "2020-07-01", last = "2020-08-31" }
test = { first = "2020-09-01", last = "2020-12-31" }

[evaluation]
metrics = ["roc_auc", "brier"]
cluster = "region"

[[baseline]]
name = "base"
kind = "base_rate"

[[baseline]]
name = "table"
kind = "table"
by = ["region"]

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
[model.parameters]
max_iter = 50

[[criterion]]
name = "ranks better"
require = "roc_auc difference to table > 0"

[[criterion]]
name = "well calibrated"
require = "calibration_slope in [0.8, 1.25]"
expect = 1.0

[[contrast]]
name = "random split"
[contrast.split]
kind = "random"
"""

Decode = Callable[..., tuple[Case, LineOf]]


def changed(*changes: tuple[str, str]) -> str:
    """The case's text after replacing pieces of it, each of which must be there."""
    text = CASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line(piece: str, text: str = CASE) -> int:
    """The line on which a piece of text stands."""
    return text[: text.index(piece)].count("\n") + 1


@pytest.fixture
def decode() -> Decode:
    """Decodes the case after some changes."""
    return lambda *changes: decode_case(changed(*changes), FILE)
