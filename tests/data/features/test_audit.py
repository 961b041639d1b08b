"""The audit of a case makes its features again of what was known, and says which are others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.data.features.test_check import AHEAD, many
from tests.data.features.worlds import TEXT, library

from trackrecord.cli.main import main
from trackrecord.data.features.build import build
from trackrecord.data.features.look_ahead import LookAhead
from trackrecord.data.features.spec import read_definition
from trackrecord.data.leakage.audit import audit_world
from trackrecord.data.leakage.world import world_of

CASE = """\
spec = 1
name = "visits"
question = "Will the reader stay long?"
task = "binary"
features = ["reader", "loan_book", "pages_week", "loans_ever"]
intended_use = "Seats."
limits = ["One library."]

[data]
path = "data/built/visits.parquet"
unit = "id"
time = "at"
license = "CC0"
origin = "made up"

[target]
column = "stayed"
positive = "> 60"
missing = "exclude"

[split]
kind = "random"
validation = 0.2
test = 0.3
seed = 1

[evaluation]
metrics = ["roc_auc"]

[[baseline]]
name = "rate"
kind = "base_rate"

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"

[[criterion]]
name = "ranks better"
require = "roc_auc difference to rate > 0"
"""


def case(root: Path, text: str = TEXT) -> Path:
    """A workspace with features that are built, and a case that uses them."""
    many(root)
    path = root / "data" / "visit.parquet"
    stay = np.random.default_rng(1).integers(0, 120, 200)
    pl.read_parquet(path).with_columns(stayed=stay).write_parquet(path)
    (root / "features" / "visits.toml").write_text(text)
    build(root, root / "evidence", read_definition(root, "visits"), tool="test")
    (root / "cases" / "visits").mkdir(parents=True)
    (root / "cases" / "visits" / "case.toml").write_text(CASE)
    return root


def look(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]], Any]:
    capsys.readouterr()
    code = main(["audit", "visits", "--json", "-C", str(root)])
    said = json.loads(capsys.readouterr().out)
    (ran,) = [one for one in said["detectors"] if one["detector"] == "look-ahead"]
    return code, [one for one in said["findings"] if one["detector"] == "look-ahead"], ran


def test_features_of_what_was_known_are_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found, ran = look(case(library(tmp_path).root), capsys)
    assert found == []
    assert ran["tests"] == 1


@pytest.mark.parametrize("kind", AHEAD)
def test_features_of_what_came_later_are_a_leak(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = f'sql = """{AHEAD[kind]}"""\nreads = {{ loan = "taken" }}'
    text = TEXT.replace('table = "loan"', sql).replace('time = "taken"', 'time = "t"')
    code, (found,), _ = look(case(library(tmp_path).root, text), capsys)
    assert code == 1
    assert (found["verdict"], found["kind"]) == ("leak", "L2")
    assert found["lo"] > 0
    assert "and was" in found["what"]


def test_a_table_that_was_changed_after_its_build_is_a_leak(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = case(library(tmp_path).root)
    path = root / "data" / "built" / "visits.parquet"
    table = pl.read_parquet(path)
    table.with_columns(loans_ever=pl.col("loans_ever") + 1).write_parquet(path)
    _, (found,), _ = look(root, capsys)
    assert found["columns"] == ["loans_ever"]


def test_features_that_cannot_be_made_again_are_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = case(library(tmp_path).root)
    (root / "data" / "loan.parquet").unlink()
    _, (found,), _ = look(root, capsys)
    assert found["verdict"] == "note"
    assert "there is no table 'loan'" in found["what"]


def test_a_function_of_one_s_own_can_be_held_against_the_past() -> None:
    from dataclasses import replace

    rows = pl.DataFrame({"x": range(40), "y": [0, 1] * 20})
    world = world_of(rows[:20], rows[20:], "y")
    found = LookAhead(cuts=3, compared=60, different=2, features=["x"])
    audit = audit_world(replace(world, recompute=lambda: found))
    (leak,) = [one for one in audit.findings if one.detector == "look-ahead"]
    assert leak.verdict == "leak"
    again = audit_world(replace(world, recompute=lambda: replace_unrepeatable(found)))
    (doubt,) = [one for one in again.findings if one.detector == "look-ahead"]
    assert doubt.verdict == "suspect"


def replace_unrepeatable(found: LookAhead) -> LookAhead:
    import msgspec

    return msgspec.structs.replace(found, repeatable=False)
