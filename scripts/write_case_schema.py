"""Writes docs/reference/case.schema.json, with which editors complete and check a case.toml."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from trackrecord.cases.spec import Case

FILE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "case.schema.json"


def schema_text() -> str:
    """JSON Schema (2020-12) of a case, as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "trackrecord case",
        **msgspec.json.schema(Case),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text(), "utf-8")
    sys.stdout.write(f"wrote {FILE}\n")
