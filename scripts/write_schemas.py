"""Writes docs/reference/schemas and docs/reference/predicates.md from the structs themselves.

    python scripts/write_schemas.py           write them
    python scripts/write_schemas.py --check   exit 1 when they are stale

The schemas are what the program decodes: nothing in them is typed by hand, and a test fails when
they no longer agree with the code.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
FOLDER = REFERENCE / "schemas"
PAGE = REFERENCE / "predicates.md"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
KINDS = ("seal", "amendment", "run", "look", "evaluation", "contrast", "contract", "build",
         "audit", "features", "ingest", "registration", "alias", "rollout", "monitoring", "drill",
         "publication")  # fmt: skip


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


def predicates_page() -> str:
    """The page that says, for a reader, what each kind of evidence holds."""
    found = schemas()
    parts = [INTRODUCTION]
    for kind in KINDS:
        schema = found[f"{kind}.json"]
        parts.append(f"## `{kind}`\n\n{_prose(schema['description'])}\n\n{SUBJECTS[kind]}\n")
        parts.append(_table(schema))
    parts.append("## What they are made of\n")
    named: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        named |= found[f"{kind}.json"].get("$defs", {})
    for name in sorted(named):
        parts.append(f"### {name}\n\n{_prose(named[name].get('description', ''))}\n")
        parts.append(_table(named[name]))
    return "\n".join(parts)


def _prose(text: str) -> str:
    return re.sub(r":\w+:(?=`)", "", text).replace("``", "`")


def _table(schema: dict[str, Any]) -> str:
    rows = ["| field | type | |", "| --- | --- | --- |"]
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        default = "" if name in required else f"default `{json.dumps(field.get('default'))}`"
        rows.append(f"| `{name}` | {_type(field)} | {default} |")
    return "\n".join(rows) + "\n"


def _type(field: dict[str, Any]) -> str:
    """A field's type as people say it."""
    if "prefixItems" in field:
        return f"list: {', '.join(_type(part) for part in field['prefixItems'])}"
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(part) for part in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type")
    if kind == "array":
        return f"list of {_type(field['items'])}"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) and values else "object"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return names.get(str(kind), str(kind))


SUBJECTS = {
    "seal": "Subjects: the case by the digest of its canonical form, each data file by the SHA-256 "
    "of its bytes and its `trackrecordTable1` [content digest](content-digest.md), and the split.",
    "amendment": "Subjects: as a seal's.",
    "run": "Subjects: the run's `predictions.parquet` first, then the author's Python files and "
    "outcomes files that it used.",
    "look": "Subject: the run that was looked at.",
    "evaluation": "Subject: the outcomes that everything in `result` was computed from.",
    "contrast": "Subjects: the outcomes of each protocol, and the evaluation beside them.",
    "contract": "Subjects: the contract's file, then the data's, each by the SHA-256 of its bytes.",
    "build": "Subjects: the table that was made, the step's file, then each table that it read, "
    "each by the SHA-256 of its bytes.",
    "audit": "Subjects: each data file by the SHA-256 of its bytes and its `trackrecordTable1` "
    "[content digest](content-digest.md), and the split.",
    "features": "Subjects: the table that was made, the definition, then each table that it was "
    "made of, each by the SHA-256 of its bytes.",
    "ingest": "Subjects: the raw bytes (of a folder: the list of its files and their digests), and "
    "the Parquet table made of them.",
    "registration": "Subjects: the model's file and its `bundle.json`.",
    "alias": "Subject: the file of aliases as it is from then on.",
    "rollout": "Subjects: the `bundle.json` of the champion and of the challenger.",
    "monitoring": "Subject: the `bundle.json` of the version that was watched.",
    "drill": "Subject: the `bundle.json` of the version of which a copy was broken.",
    "publication": "Subjects: the page, the card, the claims, and each table of outcomes.",
}

INTRODUCTION = """\
# Evidence predicates

A piece of evidence is an [in-toto Statement v1](https://github.com/in-toto/attestation) in
canonical JSON (RFC 8785), in a file named by the SHA-256 of its bytes. Its `predicateType` is
`urn:trackrecord:predicate:KIND:v1`; its predicate is what this page describes, kind by kind. This
page and the JSON Schemas in [`schemas/`](schemas/) are written by `scripts/write_schemas.py` from
the structs that the program decodes with; a test fails when they no longer agree.

| kind | schema | says |
| --- | --- | --- |
| `seal` | [seal.json](schemas/seal.json) | what was fixed before the first training run |
| `amendment` | [amendment.json](schemas/amendment.json) | what was changed after that, and why |
| `run` | [run.json](schemas/run.json) | what was trained, and where |
| `look` | [look.json](schemas/look.json) | that the sealed test was opened |
| `evaluation` | [evaluation.json](schemas/evaluation.json) | what the predictions are worth |
| `contrast` | [contrast.json](schemas/contrast.json) | what a worse protocol would have claimed |
| `build` | [build.json](schemas/build.json) | what a step made of what, and which rows it lost |
| `audit` | [audit.json](schemas/audit.json) | what leaks were looked for, and found |
| `features` | [features.json](schemas/features.json) | what was made of what was known then |
| `ingest` | [ingest.json](schemas/ingest.json) | which bytes became a table, and what was lost |
| `publication` | [publication.json](schemas/publication.json) | what was shown to others |

[`statement.json`](schemas/statement.json) is the schema of the statement around each of them,
[`case.json`](schemas/case.json) that of the case inside a seal (and of `case.toml`),
[`claims.json`](schemas/claims.json) that of `claims.toml`. Numbers are JSON numbers; a whole
number in a field of type number has no decimal point, as RFC 8785 writes it. `trackrecord verify`
accepts a predicate only if it has these fields and no others.

A later version of a kind has another type (`…:v2`). A program that does not know it says so and
checks nothing: exit code 2.
"""


def text_of(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """Names of the files that are missing, different or superfluous."""
    wanted = {name: text_of(schema) for name, schema in schemas().items()}
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    wanted[PAGE.name] = predicates_page()
    if PAGE.exists():
        there[PAGE.name] = PAGE.read_text("utf-8")
    names = wanted.keys() | there.keys()
    return sorted(name for name in names if wanted.get(name) != there.get(name))


def main(words: list[str]) -> int:
    if words == ["--check"]:
        names = stale()
        for name in names:
            sys.stdout.write(f"stale: {name}\n")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = schemas()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, schema in wanted.items():
        (FOLDER / name).write_text(text_of(schema), "utf-8")
    PAGE.write_text(predicates_page(), "utf-8")
    sys.stdout.write(f"{len(wanted)} schemas in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
