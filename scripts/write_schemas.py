"""Writes the JSON Schemas of docs/reference/schemas from the structs that read and write.

    python scripts/write_schemas.py           write them
    python scripts/write_schemas.py --check   exit 1 when they are stale

The schemas are what the program decodes: nothing in them is typed by hand, and a test fails when
they no longer agree with the code.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent.parent / "docs" / "reference" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
KINDS = ("seal", "amendment", "run", "look", "evaluation", "contrast", "publication")


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema, for every format that is read by somebody else."""
    from trackrecord.cases.spec import Case
    from trackrecord.ledger import Statement, predicate_type
    from trackrecord.portfolio.checking.kinds import predicate_struct
    from trackrecord.portfolio.claims import Claims

    found = {
        "statement": schema_of(Statement, "A piece of evidence: an in-toto Statement v1"),
        "case": schema_of(Case, "case.toml: one question, written down before the answer"),
        "claims": schema_of(Claims, "claims.toml: sentences whose numbers are pointers"),
    }
    for kind in KINDS:
        found[kind] = schema_of(predicate_struct(kind), f"Predicate {predicate_type(kind)}")
    found["statement"] = _bound_statement(found["statement"])
    return {f"{name}.json": schema for name, schema in found.items()}


def schema_of(struct: Any, title: str) -> dict[str, Any]:
    """A struct's schema, with docstrings as descriptions."""
    (reference,), parts = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    root = parts.pop(reference["$ref"].rpartition("/")[2])
    schema = {
        "$schema": DRAFT,
        "$id": f"urn:trackrecord:schema:{struct.__name__}:v1",
        "title": title,
    }
    schema |= {key: value for key, value in root.items() if key != "title"}
    if parts:
        schema["$defs"] = {name: parts[name] for name in sorted(parts)}
    return _described(schema, _structs(struct))


def _described(schema: dict[str, Any], structs: dict[str, type]) -> dict[str, Any]:
    """Docstrings without their line breaks, so that editors can lay them out."""
    for name, part in [("", schema), *schema.get("$defs", {}).items()]:
        struct = structs.get(name) if name else None
        text = inspect.getdoc(struct) if struct is not None else part.get("description")
        if text:
            part["description"] = "\n\n".join(
                " ".join(paragraph.split()) for paragraph in text.split("\n\n")
            )
    return schema


def _structs(root: Any) -> dict[str, type]:
    """Every struct that a struct is made of, by name."""
    found: dict[str, type] = {}

    def visit(info: Any) -> None:
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls.__name__ in found:
                return
            found[info.cls.__name__] = info.cls
            for field in info.fields:
                visit(field.type)
        for name in ("item_type", "value_type", "type"):
            if hasattr(info, name):
                visit(getattr(info, name))
        for inner in getattr(info, "types", ()):
            visit(inner)

    visit(msgspec.inspect.type_info(root))
    return found


def _bound_statement(schema: dict[str, Any]) -> dict[str, Any]:
    """What the type alone does not say: the statement's own type, kinds, and digests in hex."""
    from trackrecord.ledger import predicate_type

    properties = schema["properties"]
    properties["_type"] = {"const": "https://in-toto.io/Statement/v1"}
    properties["predicateType"] = {"enum": [predicate_type(kind) for kind in KINDS]}
    properties["subject"]["minItems"] = 1
    digest = schema["$defs"]["Subject"]["properties"]["digest"]
    digest["additionalProperties"] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    digest["minProperties"] = 1
    schema["required"] = ["_type", "subject", "predicateType", "predicate"]
    return schema


def text_of(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """Names of the schema files that are missing, different or superfluous."""
    wanted = {name: text_of(schema) for name, schema in schemas().items()}
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    return sorted(
        name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)
    )


def main(words: list[str]) -> int:
    if words == ["--check"]:
        names = stale()
        for name in names:
            sys.stdout.write(f"stale: docs/reference/schemas/{name}\n")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = schemas()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, schema in wanted.items():
        (FOLDER / name).write_text(text_of(schema), "utf-8")
    sys.stdout.write(f"{len(wanted)} schemas in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
