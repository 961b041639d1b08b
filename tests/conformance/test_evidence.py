"""Evidence of a real workspace against the published schemas and against in-toto's own rules."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rfc8785
from tests.portfolio.mutations_small import CASE, shared_publication

SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "reference" / "schemas"


# The publication that they look at takes some seconds to make.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_publication(tmp_path_factory).parent.parent


@pytest.fixture(scope="module")
def statements(workspace: Path) -> dict[str, Any]:
    """Every statement of the workspace, both cases', by digest."""
    return {p.stem: json.loads(p.read_bytes()) for p in (workspace / "evidence").glob("*.json")}


def schema(name: str) -> jsonschema.Draft202012Validator:
    found = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def kind_of(statement: dict[str, Any]) -> str:
    return str(statement["predicateType"]).split(":")[-2]


def test_the_workspace_has_every_kind_of_evidence(statements: dict[str, Any]) -> None:
    kinds = {kind_of(statement) for statement in statements.values()}
    assert kinds == {
        *("seal", "amendment", "run", "look"),
        *("evaluation", "contrast", "publication"),
    }


def test_every_statement_fits_its_schemas(statements: dict[str, Any]) -> None:
    for statement in statements.values():
        schema("statement").validate(statement)
        schema(kind_of(statement)).validate(statement["predicate"])


def test_every_sealed_case_fits_the_schema_of_cases(statements: dict[str, Any]) -> None:
    seals = [s for s in statements.values() if kind_of(s) in ("seal", "amendment")]
    assert seals
    for seal in seals:
        schema("case").validate(seal["predicate"]["case"]["spec"])


def test_a_case_file_and_a_claims_file_fit_their_schemas(workspace: Path) -> None:
    import tomllib

    schema("case").validate(tomllib.loads(CASE.format(name="parcels", least="0.02")))
    claims = (workspace / "published" / "parcels" / "claims.toml").read_text()
    schema("claims").validate(tomllib.loads(claims))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("statement", {"_type": "https://in-toto.io/Statement/v0.1"}),
        ("look", {"case": "parcels"}),
        ("case", {"spec": 1, "name": "x", "surprise": True}),
        ("claims", {"claims": 1, "claim": [{"words": "x"}]}),
    ],
)
def test_the_schemas_refuse_what_does_not_fit(name: str, document: dict[str, Any]) -> None:
    assert not schema(name).is_valid(document)


def test_statements_follow_in_totos_rules(workspace: Path, statements: dict[str, Any]) -> None:
    """github.com/in-toto/attestation, spec/v1: statement, resource descriptor, digest set."""
    for digest, statement in statements.items():
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert re.fullmatch(r"[a-z][a-z0-9+.-]*:\S+", statement["predicateType"]), "a TypeURI"
        assert isinstance(statement["predicate"], dict)
        assert statement["subject"]
        names = [subject["name"] for subject in statement["subject"]]
        assert len(set(names)) == len(names), "names tell the subjects apart"
        for subject in statement["subject"]:
            assert subject["digest"], "each subject has a digest"
            for algorithm, value in subject["digest"].items():
                assert re.fullmatch(r"[A-Za-z0-9_]+", algorithm)
                assert re.fullmatch(r"[0-9a-f]+", value), "lower-case hex"
        path = workspace / "evidence" / f"{digest}.json"
        assert rfc8785.dumps(statement) == path.read_bytes(), "canonical JSON"


def test_the_schemas_are_those_of_the_code() -> None:
    sys.path.insert(0, str(SCHEMAS.parent.parent.parent / "scripts"))
    try:
        from write_schemas import stale
    finally:
        sys.path.pop(0)
    assert stale() == [], "run: python scripts/write_schemas.py"


def test_every_schema_says_what_it_is() -> None:
    files = sorted(SCHEMAS.glob("*.json"))
    assert {path.stem for path in files} >= {"statement", "case", "claims", "seal", "publication"}
    for path in files:
        found = json.loads(path.read_text("utf-8"))
        assert found["$schema"].endswith("2020-12/schema")
        assert found["title"]
        assert found["description"]
