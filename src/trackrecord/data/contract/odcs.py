"""Contracts to and from the Open Data Contract Standard, version 3 (Bitol, Linux Foundation).

https://github.com/bitol-io/open-data-contract-standard. Everything in a contract has a place in it:
ranges and patterns are ``logicalTypeOptions``, allowed values the metric ``invalidValues``, a rule
on rows a SQL quality check that counts the rows that break it. What a foreign file has and a
contract has not (servers, prices, teams) is left out by the import, and told.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from trackrecord.data.contract.spec import (
    AGE,
    RULE_NAME,
    Contract,
    LineOf,
    check_terms,
    convert,
    plain,
)
from trackrecord.errors import DataError, MissingExtra

API = "v3.1.0"
LOGICAL = {"time": "timestamp"}
TYPES = {"timestamp": "time", "date": "date", "string": "string", "number": "number",
         "integer": "integer", "boolean": "boolean"}  # fmt: skip
UNITS = {"minute": "min", "hour": "h", "day": "d", "week": "w"}
READ_UNITS = {
    "min": "minute", "minute": "minute", "minutes": "minute", "h": "hour", "hr": "hour",
    "hour": "hour", "hours": "hour", "d": "day", "day": "day", "days": "day", "w": "week",
    "week": "week", "weeks": "week",
}  # fmt: skip
SQL = "trackrecordSql"
OTHERS = "trackrecordOtherColumns"
# What a contract has no place for, and what says nothing about the data.
_READ = {"apiVersion", "kind", "id", "name", "version", "status", "description", "schema",
         "slaProperties", "slaDefaultElement", "customProperties"}  # fmt: skip
MOST_BYTES = 5_000_000


def to_odcs(contract: Contract) -> str:
    """The contract as a YAML document of the standard."""
    yaml: Any = _yaml()
    text: str = yaml.safe_dump(document(contract), sort_keys=False, allow_unicode=True, width=100)
    return text


def document(contract: Contract) -> dict[str, Any]:
    """The same as plain values."""
    table: dict[str, Any] = {
        "name": contract.name,
        "logicalType": "object",
        "physicalType": "table",
        "properties": [_property(contract, name) for name in contract.columns],
    }
    if contract.description:
        table["description"] = contract.description
    if relations := [
        {
            "type": "foreignKey",
            "from": _one_or_all([f"{contract.name}.{name}" for name in one.columns]),
            "to": _one_or_all([f"{one.source}.{name}" for name in one.references]),
        }
        for one in contract.foreign_key
    ]:
        table["relationships"] = relations
    if quality := [*_row_counts(contract), *_row_rules(contract)]:
        table["quality"] = quality
    found: dict[str, Any] = {
        "apiVersion": API,
        "kind": "DataContract",
        "id": f"urn:trackrecord:contract:{contract.name}",
        "name": contract.name,
        "version": contract.version,
        "status": "active",
        "schema": [table],
        "customProperties": [{"property": OTHERS, "value": contract.other_columns}],
    }
    if contract.description:
        found["description"] = {"purpose": contract.description}
    if contract.freshness is not None and (age := AGE.match(contract.freshness.max_age)):
        found["slaProperties"] = [
            {
                "property": "latency",
                "value": int(age.group(1)),
                "unit": UNITS[age.group(2)],
                "element": f"{contract.name}.{contract.freshness.column}",
            }
        ]
    return found


def _one_or_all(names: list[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else names


def _property(contract: Contract, name: str) -> dict[str, Any]:
    terms = contract.columns[name]
    found: dict[str, Any] = {
        "name": name,
        "logicalType": LOGICAL.get(terms.type, terms.type),
        "required": terms.required or name in contract.key,
    }
    if terms.description:
        found["description"] = terms.description
    if terms.unique:
        found["unique"] = True
    if name in contract.key:
        found |= {"primaryKey": True, "primaryKeyPosition": contract.key.index(name) + 1}
    limits = {"minimum": terms.min, "maximum": terms.max, "pattern": terms.pattern}
    if limits := {key: value for key, value in limits.items() if value is not None}:
        found["logicalTypeOptions"] = limits
    quality: list[dict[str, Any]] = []
    if terms.allowed is not None:
        allowed = {"validValues": list(terms.allowed)}
        quality.append({"type": "library", "metric": "invalidValues", "arguments": allowed,
                        "mustBe": 0})  # fmt: skip
    if terms.max_missing is not None:
        quality.append({"type": "library", "metric": "nullValues", "unit": "percent",
                        "mustBeLessOrEqualTo": 100 * terms.max_missing})  # fmt: skip
    if quality:
        found["quality"] = quality
    return found


def _row_counts(contract: Contract) -> list[dict[str, Any]]:
    limits = {"mustBeGreaterOrEqualTo": contract.rows.min, "mustBeLessOrEqualTo": contract.rows.max}
    return [
        {"type": "library", "metric": "rowCount", key: value}
        for key, value in limits.items()
        if value is not None
    ]


def _row_rules(contract: Contract) -> list[dict[str, Any]]:
    found = []
    for rule in contract.rule:
        one: dict[str, Any] = {
            "name": rule.name,
            "type": "sql",
            "query": f"SELECT COUNT(*) FROM {contract.name} WHERE NOT ({rule.sql})",
            "mustBe": 0,
            "customProperties": [{"property": SQL, "value": rule.sql}],
        }
        found.append(one | ({"description": rule.why} if rule.why else {}))
    return found


def from_odcs(path: Path, name: str) -> tuple[Contract, list[str]]:
    """The contract of the table ``name`` (or the only one) in a file, and what was left out.

    Raises DataError for what is no such file, or says what no contract can.
    """
    shown = path.name
    yaml: Any = _yaml()
    try:
        if path.is_dir() or path.stat().st_size > MOST_BYTES:
            raise DataError(f"{shown} is no contract", why="it is a folder, or beyond 5 MB")
        text = path.read_text("utf-8-sig")
        if (
            "&" in text
            and "*" in text
            and any(
                isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)
            )
        ):
            # A few lines of references can stand for gigabytes.
            raise DataError(f"{shown} has YAML aliases", next="write it without & and *")
        read = plain(yaml.safe_load(text))
    except OSError as error:
        raise DataError(f"cannot read {shown}", where=str(path), why=error.strerror) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(
            f"{shown} is not YAML",
            where=f"{shown}:{mark.line + 1}" if mark else shown,
            why=str(getattr(error, "problem", None) or error)[:200],
        ) from None
    if not isinstance(read, dict) or read.get("kind") != "DataContract":
        raise DataError(f"{shown} is not a contract of the Open Data Contract Standard",
                        where=shown, why="it has no `kind: DataContract`")  # fmt: skip
    if not str(read.get("apiVersion", "")).startswith("v3."):
        raise DataError(f"{shown} has apiVersion {read.get('apiVersion')!r}", where=shown,
                        why="versions 3 of the standard are read")  # fmt: skip
    try:
        return _Reader(read, name, shown).contract()
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise DataError(f"{shown} does not keep to the standard", where=shown,
                        why=f"{type(error).__name__}: {error}"[:200]) from None  # fmt: skip


class _Reader:
    """One document on its way to a contract; ``left_out`` gathers what has no place in it."""

    def __init__(self, read: dict[str, Any], name: str, shown: str) -> None:
        self.read, self.name, self.shown = read, name, shown
        self.left_out = [f"{key}" for key in read if key not in _READ]

    def contract(self) -> tuple[Contract, list[str]]:
        table = self._table()
        found: dict[str, Any] = {
            "contract": 1,
            "name": self.name,
            "version": _version(self.read.get("version")),
            "columns": {},
            "other_columns": "allow",
            "rule": [],
            "foreign_key": [],
            "rows": {},
        }
        purpose = (self.read.get("description") or {}).get("purpose") or table.get("description")
        if purpose:
            found["description"] = str(purpose)
        for one in self.read.get("customProperties") or []:
            if one.get("property") == OTHERS and one.get("value") in ("allow", "refuse"):
                found["other_columns"] = one["value"]
        keys = {}
        for item in table.get("properties") or []:
            found["columns"][str(item["name"])] = self._column(item)
            if item.get("primaryKey"):
                keys[str(item["name"])] = item.get("primaryKeyPosition") or 0
        found["key"] = sorted(keys, key=lambda key: keys[key])
        for one in table.get("quality") or []:
            self._quality(one, found)
        for one in table.get("relationships") or []:
            self._relation(one, found)
        for one in self.read.get("slaProperties") or []:
            self._age(one, found)
        line_of: LineOf = lambda _key: None  # noqa: E731 - a YAML file's lines are not known here
        contract = convert(found, self.shown, line_of)
        check_terms(contract, self.shown, line_of)
        return contract, self.left_out

    def _table(self) -> dict[str, Any]:
        tables: list[dict[str, Any]] = self.read.get("schema") or []
        named = [table for table in tables if table.get("name") == self.name]
        if not named and len(tables) != 1:
            names = ", ".join(str(table.get("name")) for table in tables[:20])
            raise DataError(f"{self.shown} has no table {self.name!r}", where=self.shown,
                            why=f"tables: {names or 'none'}")  # fmt: skip
        return (named or tables)[0]

    def _column(self, item: dict[str, Any]) -> dict[str, Any]:
        name = item["name"]
        logical = item.get("logicalType") or "string"
        if logical not in TYPES:
            raise DataError(f"the column {name!r} has the type {logical!r}", where=self.shown,
                            why="a column holds one value a row")  # fmt: skip
        found: dict[str, Any] = {"type": TYPES[logical]}
        for key in ("required", "unique"):
            if item.get(key):
                found[key] = True
        if item.get("description"):
            found["description"] = str(item["description"])
        limits = {"minimum": "min", "maximum": "max", "pattern": "pattern"}
        for key, value in (item.get("logicalTypeOptions") or {}).items():
            if key in limits:
                found[limits[key]] = value
            else:
                self.left_out.append(f"{name}: {key}")
        if item.get("enum"):
            found["allowed"] = [one["value"] for one in item["enum"]]
        for one in item.get("quality") or []:
            arguments = one.get("arguments") or {}
            metric = one.get("metric")
            if metric == "invalidValues" and "validValues" in arguments and one.get("mustBe") == 0:
                found["allowed"] = arguments["validValues"]
            elif (
                metric == "nullValues"
                and one.get("unit") == "percent"
                and ("mustBeLessOrEqualTo" in one)
            ):
                found["max_missing"] = one["mustBeLessOrEqualTo"] / 100
            else:
                self.left_out.append(f"{name}: quality {metric or one.get('type') or ''}".strip())
        return found

    def _quality(self, one: dict[str, Any], found: dict[str, Any]) -> None:
        own = [p for p in one.get("customProperties") or [] if p.get("property") == SQL]
        if one.get("metric") == "rowCount" and (
            {"mustBeGreaterOrEqualTo", "mustBeLessOrEqualTo"} & set(one)
        ):
            for key, side in (("mustBeGreaterOrEqualTo", "min"), ("mustBeLessOrEqualTo", "max")):
                if key in one:
                    found["rows"][side] = one[key]
        elif own and RULE_NAME.match(str(one.get("name"))):
            rule = {"name": one["name"], "sql": own[0]["value"]}
            found["rule"].append(
                rule | ({"why": one["description"]} if "description" in one else {})
            )
        else:
            self.left_out.append(
                f"quality {one.get('name') or one.get('metric') or one.get('type')}"
            )

    def _relation(self, one: dict[str, Any], found: dict[str, Any]) -> None:
        mine, theirs = (
            [side] if isinstance(side, str) else list(side) for side in (one["from"], one["to"])
        )
        sources = {item.rpartition(".")[0] for item in theirs}
        if len(sources) == 1 and RULE_NAME.match(source := sources.pop()):
            found["foreign_key"].append({
                "columns": [item.rpartition(".")[2] for item in mine],
                "source": source,
                "references": [item.rpartition(".")[2] for item in theirs],
            })  # fmt: skip
        else:
            self.left_out.append(f"relationship to {', '.join(theirs)}")

    def _age(self, one: dict[str, Any], found: dict[str, Any]) -> None:
        column = str(one.get("element") or "").rpartition(".")[2]
        unit = READ_UNITS.get(str(one.get("unit")))
        whole = isinstance(one.get("value"), int)
        if one.get("property") == "latency" and unit and whole and column in found["columns"]:
            age = f"{one['value']} {unit}{'' if one['value'] == 1 else 's'}"
            found["freshness"] = {"column": column, "max_age": age}
        else:
            self.left_out.append(f"slaProperties: {one.get('property')}")


def _version(value: Any) -> str:
    """``1.2`` and ``v1`` as three numbers."""
    numbers = str(value if value is not None else "1.0.0").removeprefix("v").split(".")
    if len(numbers) > 3 or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"the version {value!r} is not like 1.0.0")
    return ".".join([*numbers, "0", "0"][:3])


def _yaml() -> Any:
    try:
        return import_module("yaml")
    except ModuleNotFoundError:  # pragma: no cover - mlflow-skinny brings it
        raise MissingExtra(
            "the Open Data Contract Standard is written in YAML, and PyYAML is not installed",
            next="pip install pyyaml",
        ) from None
