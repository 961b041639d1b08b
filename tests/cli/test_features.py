"""``trackrecord features``: what each door prints, for a person and for a program, and its code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.data.features.test_build import SQL
from tests.data.features.worlds import TEXT, library

from trackrecord.cli.main import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return library(tmp_path).root


def test_build_check_and_get(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-C", str(root)]
    assert main(["features", "build", "visits", *where]) == 0
    out = capsys.readouterr().out
    assert "✓ 3 features of 4 rows" in out
    assert "1 (25.00 % [4.56, 69.94])" in out
    assert "recorded as entry 0" in out
    assert main(["features", "check", "visits", *where]) == 0
    out = capsys.readouterr().out
    assert "✓ visits: the features respect time" in out
    assert "does not say when its events become known" in out
    assert "as made now, exactly, in 4 rows" in out
    at = ["--entity", "reader=ann", "--at", "2024-01-09T09:00:00+01:00"]
    assert main(["features", "get", "visits", *at, *where]) == 0
    assert "Momo" in capsys.readouterr().out


def test_one_row_for_a_program(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--entity", "reader=ann", "--at", "2024-01-09T08:00:00Z", "--json", "-C", str(root)]
    assert main(["features", "get", "visits", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["features"] == {"loan_book": "Momo", "loans_ever": 3, "pages_week": 300.0}
    assert found["event"] == {"loans": "2024-01-08T22:00:00Z"}


def test_a_look_ahead_ends_in_1_with_its_proof(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ahead = SQL.replace("taken,", "taken - INTERVAL 9 DAY AS taken,")
    (root / "features" / "visits.toml").write_text(TEXT.replace('table = "loan"', ahead))
    assert main(["features", "check", "visits", "-C", str(root)]) == 1
    out = capsys.readouterr().out
    assert "✗ look-ahead" in out
    assert "reader ann" in out
    assert main(["features", "check", "visits", "--json", "-C", str(root)]) == 1
    assert json.loads(capsys.readouterr().out)["look_ahead"]["different"] > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["build", "vists"], "did you mean 'visits'?"),
        (["get", "visits", "--entity", "readr=ann"], "did you mean 'reader'?"),
        (["get", "visits"], "the entity has no 'reader'"),
        (["get", "visits", "--entity", "reader=ann", "--at", "noon"], "is no time"),
        (["get", "visits", "--entity", "reader=ann", "--at", "2024-01-09"], "its offset or Z"),
        (["check", "visits", "--cuts", "0"], "--cuts is between"),
        (["build"], "required"),
    ],
)
def test_what_cannot_be_done_ends_in_2(
    words: list[str], told: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["features", *words, "-C", str(root)]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "next:" in err
