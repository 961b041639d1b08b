"""The Open Data Contract Standard: out, checked by its own schema and model, and back."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trackrecord.data.contract.odcs import document, from_odcs, to_odcs
from trackrecord.data.contract.spec import Contract, decode_contract
from trackrecord.errors import DataError

yaml: Any = pytest.importorskip("yaml")

FULL = """\
contract = 1
name = "trips"
version = "1.2.3"
description = "one row is a trip"
key = ["id", "day"]
other_columns = "refuse"
[rows]
min = 10
max = 1000
[freshness]
column = "at"
max_age = "36 hours"
[columns.id]
type = "integer"
required = true
min = 0
unique = true
[columns.day]
type = "date"
required = true
min = 2024-01-01
[columns.at]
type = "time"
max = 2030-01-01T00:00:00Z
[columns.line]
type = "string"
allowed = ["a", "b: c"]
pattern = "[a-z: ]+"
description = "where it went"
[columns.delay]
type = "number"
min = -5.5
max_missing = 0.25
[columns.ok]
type = "boolean"
[[rule]]
name = "in_order"
sql = "id > 0 AND line <> 'it''s'"
why = "else it is no trip"
[[foreign_key]]
columns = ["line"]
source = "lines"
references = ["code"]
[[foreign_key]]
columns = ["id", "day"]
source = "calls"
references = ["trip", "date"]
"""


@pytest.fixture
def full() -> Contract:
    return decode_contract(FULL, "trips")[0]


def test_a_contract_comes_back_as_it_went(full: Contract, tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text(to_odcs(full), "utf-8")
    assert from_odcs(tmp_path / "o.yaml", "trips") == (full, [])


def test_the_official_model_and_schema_take_it(full: Contract) -> None:
    official = pytest.importorskip("open_data_contract_standard.model")
    jsonschema = pytest.importorskip("jsonschema")
    text = to_odcs(full)
    model = official.OpenDataContractStandard.from_string(text)
    assert model.schema_[0].properties[0].primaryKey is True
    schema = json.loads(
        resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    )
    errors = jsonschema.validators.validator_for(schema)(schema).iter_errors(yaml.safe_load(text))
    assert [error.message for error in errors] == []


def test_what_a_contract_has_no_place_for_is_told(full: Contract, tmp_path: Path) -> None:
    foreign = document(full)
    foreign["team"] = [{"username": "someone"}]
    foreign["servers"] = []
    table = foreign["schema"][0]
    table["quality"].append({"type": "sql", "name": "other", "query": "SELECT 1", "mustBe": 1})
    table["properties"][0]["logicalTypeOptions"]["multipleOf"] = 5
    (tmp_path / "o.yaml").write_text(yaml.safe_dump(foreign, sort_keys=False), "utf-8")
    found, left_out = from_odcs(tmp_path / "o.yaml", "trips")
    assert found == full
    assert left_out == ["team", "servers", "id: multipleOf", "quality other"]


def test_the_only_table_is_taken_whatever_it_is_called(full: Contract, tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text(to_odcs(full), "utf-8")
    found, _ = from_odcs(tmp_path / "o.yaml", "rides")
    assert found == msgspec.structs.replace(full, name="rides")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a contract of"),
        ("kind: DataContract\napiVersion: v2.2.2\n", "apiVersion"),
        ("a: [1", "not YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
        ("kind: DataContract\napiVersion: v3.1.0\nschema: 7\n", "does not keep"),
        ("kind: DataContract\napiVersion: v3.1.0\nversion: 1.0.0\nschema: []\n", "no table"),
        ("kind: &a DataContract\nb: *a\n", "aliases"),
        ("kind: DataContract\napiVersion: v3.1.0\nversion: one\nschema: [{name: t}]\n", "keep"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text(text)
    with pytest.raises(DataError, match=what):
        from_odcs(tmp_path / "o.yaml", "t")
