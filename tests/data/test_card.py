"""A data card: what is known is filled in, what is not is blank, and programs can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trackrecord.data.card.croissant import CONFORMS, croissant
from trackrecord.data.card.datasheet import SECTIONS, Sheet, blank_sheet, read_sheet
from trackrecord.data.card.facts import Facts, chosen_source, known_facts
from trackrecord.data.ingest.add import add
from trackrecord.data.ingest.record import Read
from trackrecord.errors import BadInput, DataError
from trackrecord.portfolio.data_card import render_data_card
from trackrecord.workspace import make_workspace

TEXT = 'id,day,name,load,late,<b>odd & ""\n1,2024-01-31,ada,0.5,true,\n2,2024-03-01,bob,,false,\n'


def source(tmp_path: Path, text: str = TEXT, **said: Any) -> tuple[Path, Facts]:
    root = tmp_path / "workspace"
    if not root.exists():
        make_workspace(root)
    given = tmp_path / "trips.csv"
    given.write_text(text, "utf-8")
    done = add(
        root, given, "trips", Read(format=""), origin=said.get("origin"),
        license=said.get("license"), replace=True, tool="0", now="2024-01-31T10:00:00Z",
    )  # fmt: skip
    return root, known_facts(root, done.source)


def sheet_of(facts: Facts, *changes: tuple[str, str]) -> Sheet:
    text = blank_sheet()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read_sheet(text, "data/trips.card.toml", facts)


def answers(sheet: Sheet) -> dict[str, tuple[str | None, str | None]]:
    keys = [question.key for _, questions in SECTIONS.values() for question in questions]
    found = [answer for section in sheet.sections for answer in section.answers]
    return {key: (a.known, a.said) for key, a in zip(keys, found, strict=True)}


def test_what_the_program_knows_is_filled_in(tmp_path: Path) -> None:
    root, facts = source(tmp_path, license="CC0-1.0")
    (root / "cases/late").mkdir()
    (root / "cases/late/case.toml").write_text('[data]\npath = "data/trips.parquet"\n')
    known = {key: value for key, (value, _) in answers(sheet_of(
        known_facts(root, facts.source))).items()}  # fmt: skip
    assert known["instances"] == (
        "2 rows of 6 columns: 2 number, 1 date, 1 string, 1 boolean, 1 missing."
    )
    assert "load in 1" in str(known["missing"])
    assert known["period"] == "day runs from 2024-01-31 to 2024-03-01."
    assert known["used"] == "In the cases late."
    assert known["license"] == "CC0-1.0"
    assert known["origin"] is None
    assert "1 in the ledger" in str(known["versions"])


def test_only_the_owner_answers_what_only_people_know(tmp_path: Path) -> None:
    _, facts = source(tmp_path)
    sheet = sheet_of(facts)
    for key in ("purpose", "consent", "people", "unfit", "owner", "labels"):
        assert answers(sheet)[key] == (None, None)
    said = sheet_of(facts, ('people = ""', 'people = "Yes: names."'))
    assert answers(said)["people"] == (None, "Yes: names.")
    assert said.blank == sheet.blank - 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (('people = ""', 'peple = ""'), "unknown key 'composition.peple'"),
        (('people = ""', "people = 3"), "is no text"),
        (("card = 1", "card = 2"), "does not say card = 1"),
        (("[uses]", "[use]"), "unknown key 'use'"),
        (('people = ""', 'people = "'), "is not TOML"),
    ],
)
def test_an_owners_file_that_says_something_else_is_refused(
    tmp_path: Path, change: tuple[str, str], what: str
) -> None:
    _, facts = source(tmp_path)
    with pytest.raises(DataError, match=what):
        sheet_of(facts, change)


def test_a_table_that_was_changed_gets_no_card(tmp_path: Path) -> None:
    root, facts = source(tmp_path)
    (root / "data/trips.parquet").write_bytes(b"other")
    with pytest.raises(DataError, match="is not the table that was made"):
        known_facts(root, facts.source)


def test_a_source_is_named_or_the_only_one(tmp_path: Path) -> None:
    root, _ = source(tmp_path)
    assert chosen_source(root, None).name == "trips"
    with pytest.raises(BadInput) as caught:
        chosen_source(root, "trip")
    assert caught.value.why == "did you mean 'trips'?"
    make_workspace(tmp_path / "empty")
    with pytest.raises(BadInput, match="no source yet"):
        chosen_source(tmp_path / "empty", None)


def test_versions_are_those_of_the_bytes(tmp_path: Path) -> None:
    root, _ = source(tmp_path)
    source(tmp_path, license="CC0-1.0")
    _, facts = source(tmp_path, TEXT + "3,2024-04-01,eve,1,true,\n")
    assert [version.rows for version in facts.versions] == [2, 3]
    assert facts.source.license == "CC0-1.0"
    assert root.exists()


def test_what_is_missing_shows_as_missing_and_what_is_there_does_not(tmp_path: Path) -> None:
    _, facts = source(tmp_path)
    page = render_data_card(facts, sheet_of(facts), tool="0")
    assert "Missing: description, origin, licence." in page
    assert "nobody has said where it is from" in page
    _, facts = source(tmp_path, license="CC0-1.0", origin="https://example.org/?a=1&b=<x>")
    page = render_data_card(
        facts, sheet_of(facts, ('description = ""', 'description = "Trips."')), tool="0"
    )
    assert "Missing:" not in page
    assert 'href="https://example.org/?a=1&amp;b=&lt;x&gt;"' in page


def test_a_page_shows_names_as_they_are_and_no_text_of_rows(tmp_path: Path) -> None:
    _, facts = source(tmp_path, origin="javascript:alert(1)")
    page = render_data_card(facts, sheet_of(facts), tool="0")
    assert "<b>odd" not in page
    assert "&lt;b&gt;odd &amp;" in page
    assert 'href="javascript' not in page
    assert "ada" not in page.replace("adata", "")
    assert "ada" not in json.dumps(croissant(facts, sheet_of(facts)))


def test_croissant_says_what_is_known_and_makes_up_nothing(tmp_path: Path) -> None:
    _, facts = source(tmp_path)
    document = croissant(facts, sheet_of(facts))
    assert document["conformsTo"] == CONFORMS
    assert not {"license", "url", "creator", "citeAs", "description"} & set(document)
    (table,) = document["distribution"]
    assert table["sha256"] == facts.source.parquet
    kinds = {field["name"]: field["dataType"] for field in document["recordSet"][0]["field"]}
    assert list(kinds.values()) == [
        "sc:Integer", "sc:Date", "sc:Text", "sc:Float", "sc:Boolean", "sc:Text",
    ]  # fmt: skip


def test_croissants_own_validator_takes_it_and_reads_the_rows(tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    root, facts = source(tmp_path, license="CC0-1.0", origin="https://example.org")
    path = root / "data/trips.croissant.json"
    path.write_text(json.dumps(croissant(facts, sheet_of(facts))), "utf-8")
    dataset = mlcroissant.Dataset(jsonld=str(path))
    assert not dataset.metadata.ctx.issues.errors
    rows = list(dataset.records("rows"))
    assert len(rows) == 2
    assert rows[0]["rows/0"] == 1
