"""docs/reference/case.md says every key of a case, with type and default; editors know them."""

from __future__ import annotations

import json
import re
import tomllib

import msgspec
import pytest
from msgspec import inspect
from tests.promises.pages import REFERENCE, ROOT, blocks, sections

from trackrecord.cases.explain import keys_at, types_at
from trackrecord.cases.reader import decode_case
from trackrecord.cases.spec import Case

PAGE = (REFERENCE / "case.md").read_text("utf-8")
TABLES = {
    ("" if name == "Top level" else name.strip("`[]")): body
    for name, body in sections(PAGE, "## ").items()
}
ROW = re.compile(r"^\| `([a-z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def path_of(table: str) -> str:
    """``data.asof`` becomes ``data.asof.0``, where the format has a list."""
    listed = any(isinstance(kind, inspect.ListType) for kind in types_at(table))
    return f"{table}.0" if table and listed else table


def tables() -> list[str]:
    """Every table of the format that has keys of its own, as its heading says it."""
    found = [""]
    for table in found:
        for key in sorted(keys_at(path_of(table))):
            path = f"{table}.{key}".lstrip(".")
            if keys_at(path_of(path)) and path not in SHARED:
                found.append(path)
    return found


# Spans and the splits of contrasts are described where they are used first.
SHARED = {"split.train", "split.validation", "split.test", "contrast.split"}


def test_every_table_of_the_format_has_a_section() -> None:
    assert set(TABLES) == {*tables(), "data.types"}


@pytest.mark.parametrize("table", tables())
def test_every_key_is_described_with_its_default(table: str) -> None:
    rows = {key: default for key, _, default, _ in ROW.findall(TABLES[table])}
    assert set(rows) == keys_at(path_of(table))
    for kind in types_at(path_of(table)):
        if isinstance(kind, inspect.NoneType):  # a table that may be left out
            continue
        assert isinstance(kind, inspect.StructType)
        for field in kind.fields:
            said = rows[field.encode_name]
            if field.required:
                assert said.startswith("required")
            elif field.default_factory is not msgspec.NODEFAULT:
                assert said == f"`{json.dumps(field.default_factory())}`"
            elif field.default is None:
                assert said == "none"
            else:
                assert f"`{json.dumps(field.default)}`" in said


def test_the_pages_examples_are_a_case() -> None:
    pieces = [block.text for block in blocks(PAGE) if block.language == "toml"]
    case, _ = decode_case("\n".join(pieces), "case.toml")
    assert case.name == "trips"
    assert len(pieces) == len(TABLES)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_section_has_an_example_that_is_toml(table: str) -> None:
    (example,) = [block for block in blocks(TABLES[table]) if block.language == "toml"]
    assert tomllib.loads(example.text)


def test_the_schema_takes_the_pages_case_and_refuses_an_unknown_key() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((REFERENCE / "schemas" / "case.json").read_text("utf-8"))
    pieces = [block.text for block in blocks(PAGE) if block.language == "toml"]
    document = tomllib.loads("\n".join(pieces))
    jsonschema.validate(document, schema)
    assert msgspec.convert(document, Case)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "seeds": 3}, schema)
    assert (ROOT / "docs/reference/case.md").exists()
