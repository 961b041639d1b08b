"""A contract as TOML text: what an import writes, without a comment."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from trackrecord.data.contract.spec import Contract
from trackrecord.data.draft import toml_string

_FIRST = ("contract", "name", "version", "description", "key", "other_columns")


def contract_text(contract: Contract) -> str:
    """TOML that reads as this contract; what has its default is left out."""
    document = msgspec.to_builtins(contract)
    lines = [f"{key} = {_value(document[key])}" for key in _FIRST if key in document]
    for key in ("rows", "freshness"):
        if document.get(key):
            lines += ["", f"[{key}]", *_pairs(document[key])]
    for name, terms in document["columns"].items():
        lines += ["", f"[columns.{toml_string(name)}]", *_pairs(terms)]
    for key in ("rule", "foreign_key"):
        for item in document.get(key, []):
            lines += ["", f"[[{key}]]", *_pairs(item)]
    return "\n".join(lines) + "\n"


def _pairs(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        text = repr(value)
        return text if "." in text or "e" in text else text + ".0"
    return str(value)
