"""``data add`` and ``data card`` at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import digests, trackrecord


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trackrecord("init", tmp_path / "w")
    return tmp_path / "w"


def table(tmp_path: Path, text: str = "id,x\n1,2\n3,oops\n") -> Path:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_person_sees_kinds_losses_and_what_is_missing(root: Path, tmp_path: Path) -> None:
    told = trackrecord("data", "add", table(tmp_path), "--name", "t", "--type", "x=number", at=root)
    assert told.code == 0
    assert "added 't': 2 rows, 2 columns" in told.out
    assert "! x, 1 row: is no number, and became missing" in told.out
    assert "row 2 'oops'" in told.out
    assert "no origin and no license" in told.out


def test_a_program_gets_the_whole_source(root: Path, tmp_path: Path) -> None:
    told = trackrecord("data", "add", table(tmp_path), "--name", "t", "--json", at=root)
    assert told.json["state"] == "added"
    assert told.json["source"]["note"][0]["first"] == [{"row": 2, "value": "oops"}]


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere.csv", "--name", "t"],
        ["t.csv", "--name", "T"],
        ["t.csv", "--name", "t", "--delimiter", "ab"],
        ["t.csv", "--name", "t", "--type", "x=money"],
        ["t.csv", "--name", "t", "--table", "x"],
        ["postgresql://host/db", "--name", "t", "--query", "SELECT 1"],
    ],
)
def test_bad_words_end_in_2_and_change_nothing(
    root: Path, tmp_path: Path, words: list[str]
) -> None:
    table(root)
    before = digests(root)
    told = trackrecord("data", "add", *words, at=root)
    assert told.code == 2
    assert "next:" in told.err
    assert digests(root) == before


def test_a_card_is_written_and_the_owners_words_stay(root: Path, tmp_path: Path) -> None:
    trackrecord("data", "add", table(tmp_path), "--name", "t", at=root)
    told = trackrecord("data", "card", at=root)
    assert told.code == 0
    assert "missing: description, origin, license" in told.out
    owners = root / "data/t.card.toml"
    owners.write_text(owners.read_text().replace('purpose = ""', 'purpose = "To test."'))
    before = owners.read_bytes()
    assert trackrecord("data", "card", "t", "--json", at=root).json["missing"] == [
        "description", "origin", "license",
    ]  # fmt: skip
    assert owners.read_bytes() == before
    assert "To test." in (root / "data/t.card.html").read_text("utf-8")


def test_a_card_of_nothing_says_how_to_begin(root: Path) -> None:
    told = trackrecord("data", "card", at=root)
    assert told.code == 2
    assert "trackrecord data add" in told.err
