"""``data/NAME.contract.toml``: structs, and a strict reader that knows the line of every key."""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from trackrecord.cases.explain import syntax_error
from trackrecord.cases.reader import line_finder
from trackrecord.errors import BadInput, DataError, suggest

FORMAT = 1
MOST_BYTES = 1_000_000
RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
RESERVED = frozenset(("columns", "other_columns", "rows", "key", "freshness", "foreign_key"))
NAMES = "a name has lower-case letters, digits and _, and starts with a letter"
VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})\Z")
AGE = re.compile(r"(\d{1,6}) ?(minute|hour|day|week)s?\Z")
MINUTES = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}
LineOf = Callable[[str], int | None]
Type = Literal["integer", "number", "boolean", "string", "date", "time"]
Bound = int | float | str


class ColumnTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one column promises. Bounds of dates and times are ISO text.

    ``max_missing`` is the greatest share of missing values, 0 where ``required``; ``pattern`` is a
    regular expression that the whole text matches.
    """

    type: Type
    required: bool = False
    unique: bool = False
    min: Bound | None = None
    max: Bound | None = None
    allowed: list[Bound] | None = None
    pattern: str | None = None
    max_missing: float | None = None
    description: str | None = None


class RowCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many rows there are, at least and at most."""

    min: int | None = None
    max: int | None = None


class Freshness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The newest value of a date or time ``column`` is at most ``max_age`` old: ``"36 hours"``."""

    column: str
    max_age: str


class RowRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition in SQL that holds in each row, or is unknown there because a value is missing."""

    name: str
    sql: str
    why: str | None = None


class ForeignKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Each value of ``columns`` is one of ``references`` in another ``source``, or is missing."""

    columns: list[str]
    source: str
    references: list[str]


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A contract. ``other_columns`` says whether the table may have columns that are not in it."""

    contract: int
    name: str
    version: str
    columns: dict[str, ColumnTerms]
    description: str | None = None
    key: list[str] = []
    other_columns: Literal["refuse", "allow"] = "refuse"
    rows: RowCount = RowCount()
    freshness: Freshness | None = None
    rule: list[RowRule] = []
    foreign_key: list[ForeignKey] = []


def read_contract(path: Path, shown: str) -> tuple[Contract, LineOf]:
    """The contract in ``path``, called ``shown`` in what is told, and the line of each of its keys.

    Raises DataError, with file and line, for what is no contract.
    """
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read {shown}", why="it is no plain file")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"there is no contract {shown}",
            next=f"trackrecord data contract {path.name.partition('.')[0]} --draft",
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {shown}", why=error.strerror) from None
    if len(raw) > MOST_BYTES:
        raise DataError(f"{shown} is larger than 1 MB", why="a contract is a few pages of text")
    try:
        return decode_contract(raw.decode("utf-8-sig"), shown)
    except UnicodeDecodeError as error:
        raise DataError(f"{shown} is not UTF-8", where=f"{shown}, byte {error.start}") from None


def decode_contract(text: str, shown: str) -> tuple[Contract, LineOf]:
    """Like :func:`read_contract`, from text already in hand."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        told = syntax_error(shown, text, str(error))
        raise DataError(
            told.what,
            where=told.where,
            why=told.why,
            next="open it there; a column has one table, text has quotes, a list has [ ]",
        ) from None
    line_of = line_finder(text)
    contract = convert(document, shown, line_of)
    check_terms(contract, shown, line_of)
    return contract, line_of


def convert(document: dict[str, Any], shown: str, line_of: LineOf) -> Contract:
    """Plain values as a contract. Raises DataError naming the key that does not fit."""
    version = document.get("contract")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        raise DataError(
            f"{shown} was written for a newer trackrecord",
            why=f"it has contract = {version}; this version reads up to {FORMAT}",
            next="update trackrecord",
        )
    try:
        return msgspec.convert(plain(document), Contract)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), shown, line_of) from None


def plain(value: Any) -> Any:
    """TOML's own dates and times as ISO text, which JSON has, too."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, datetime.date) else value


def _invalid(message: str, shown: str, line_of: LineOf) -> DataError:
    found = re.search(r" - at `(?:key in )?\$\.?(.*?)`$", message)
    what = message[: found.start()] if found else message
    path = re.sub(r"\[(\d+)\]", r".\1", found.group(1)) if found else ""
    why = None
    if unknown := re.search(r"unknown field `(.+)`", what):
        key = unknown.group(1)
        near = suggest(key, sorted(_KEYS))
        what = f"there is no key {key!r} here"
        why = f"did you mean {near!r}?" if near else None
        path = f"{path}.{key}".strip(".")
    elif missing := re.search(r"missing required field `(.+)`", what):
        what = f"{missing.group(1)!r} is missing"
    line = line_of(path.replace("[...]", "")) if path else None
    at = f" ({path})" if path and not line else ""
    return DataError(
        f"{shown} is not a contract: {what}{at}",
        where=f"{shown}:{line}" if line else shown,
        why=why,
        next="the keys are described in docs/reference/contract.md",
    )


_KEYS = {
    field.name
    for struct in (Contract, ColumnTerms, RowCount, Freshness, RowRule, ForeignKey)
    for field in msgspec.structs.fields(struct)
}


def check_terms(contract: Contract, shown: str, line_of: LineOf) -> None:
    """Raise DataError for terms that no table can keep, or that mean nothing."""

    def refuse(what: str, key: str, why: str | None = None, next: str | None = None) -> None:
        line = line_of(key)
        raise DataError(what, where=f"{shown}:{line}" if line else shown, why=why, next=next)

    if not RULE_NAME.match(contract.name):
        refuse(f"{contract.name!r} cannot be the name of a contract", "name", NAMES)
    if not VERSION.match(contract.version):
        refuse(f"{contract.version!r} is not a version", "version", "a version is like 1.0.0")
    if not contract.columns:
        refuse("a contract without columns promises nothing", "columns")
    for name, terms in contract.columns.items():
        _check_column(name, terms, refuse)
    _check_named(contract, refuse)
    rows = contract.rows
    if rows.min is not None and rows.max is not None and rows.min > rows.max:
        refuse(f"rows.min ({rows.min}) is more than rows.max ({rows.max})", "rows.min",
               "no table has such a number of rows")  # fmt: skip
    if contract.freshness is not None and not AGE.match(contract.freshness.max_age):
        refuse(f"{contract.freshness.max_age!r} is not an age", "freshness.max_age",
               'an age is like "90 minutes", "36 hours" or "7 days"')  # fmt: skip


Refuse = Callable[..., None]


def _check_column(name: str, terms: ColumnTerms, refuse: Refuse) -> None:
    at = f"columns.{name}"
    for key in ("min", "max"):
        bound = getattr(terms, key)
        if bound is not None:
            if terms.type in ("boolean", "string"):
                refuse(f"{key} of the {terms.type} column {name!r}", f"{at}.{key}",
                       "only numbers, dates and times are in a range",
                       "remove it, or use allowed or pattern")  # fmt: skip
            as_value(bound, terms.type, f"{key} of the column {name!r}", refuse, f"{at}.{key}")
    if terms.min is not None and terms.max is not None:
        low, high = (as_value(v, terms.type, "", refuse, at) for v in (terms.min, terms.max))
        if low > high:
            refuse(f"the range of {name!r} is empty: min {terms.min} is more than max {terms.max}",
                   f"{at}.min", "no value is in it", "exchange them, or correct one")  # fmt: skip
    if terms.pattern is not None:
        if terms.type != "string":
            refuse(f"a pattern of the {terms.type} column {name!r}", f"{at}.pattern",
                   "patterns are of text")  # fmt: skip
        _check_pattern(name, terms.pattern, refuse)
    if terms.allowed is not None:
        if not terms.allowed:
            refuse(f"no value of {name!r} is allowed", f"{at}.allowed", "the list is empty")
        for value in terms.allowed:
            as_value(value, terms.type, f"allowed of the column {name!r}", refuse, f"{at}.allowed")
    if terms.max_missing is not None and not 0 <= terms.max_missing <= 1:
        refuse(f"max_missing of {name!r} is no share", f"{at}.max_missing", "it is from 0 to 1")
    if terms.required and terms.max_missing:
        refuse(f"{name!r} is required, and max_missing allows missing values", f"{at}.max_missing",
               None, "remove one of the two")  # fmt: skip


def _check_pattern(name: str, pattern: str, refuse: Refuse) -> None:
    import polars as pl

    try:
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except pl.exceptions.PolarsError as error:
        reason = [line.strip() for line in str(error).splitlines() if "error:" in line]
        refuse(f"the pattern of {name!r} is no regular expression", f"columns.{name}.pattern",
               reason[0] if reason else str(error).splitlines()[0])  # fmt: skip


def as_value(value: Bound, type: str, what: str, refuse: Refuse, key: str) -> Any:
    """A bound or an allowed value as what Polars compares a column of this type with."""
    wrong = f"{what} is {value!r}, which is not of type {type}"
    if isinstance(value, bool):
        return refuse(wrong, key)
    if type in ("integer", "number"):
        if not isinstance(value, int | float) or math.isnan(value):
            refuse(wrong, key, "NaN is in no range" if isinstance(value, float) else None)
        return value
    if type == "string":
        return value if isinstance(value, str) else refuse(wrong, key, None, "put it in quotes")
    if type == "boolean":
        return refuse(f"{what}: a boolean has two values only", key, None, "remove it")
    try:
        if not isinstance(value, str):
            raise ValueError
        if type == "date":
            return datetime.date.fromisoformat(value)
        moment = datetime.datetime.fromisoformat(value)
        utc = datetime.UTC
        return moment.astimezone(utc) if moment.tzinfo else moment.replace(tzinfo=utc)
    except ValueError:
        form = "2024-01-31" if type == "date" else "2024-01-31T12:00:00Z"
        return refuse(wrong, key, f"a {type} is like {form}")


def _check_named(contract: Contract, refuse: Refuse) -> None:
    """Every column that a term names is one of the contract's, and no name is there twice."""
    known = list(contract.columns)

    def named(names: list[str], key: str) -> None:
        for number, name in enumerate(names):
            if name not in contract.columns:
                near = suggest(name, known)
                why = f"did you mean {near!r}?" if near else f"columns: {', '.join(known[:40])}"
                refuse(f"{key} names {name!r}, which is no column of the contract", key, why)
            if name in names[:number]:
                refuse(f"{key} names {name!r} twice", key)

    named(contract.key, "key")
    if contract.freshness is not None:
        named([contract.freshness.column], "freshness.column")
        if contract.columns[contract.freshness.column].type not in ("date", "time"):
            refuse("freshness is of a date or a time", "freshness.column")
    seen: set[str] = set()
    for number, rule in enumerate(contract.rule):
        if not RULE_NAME.match(rule.name):
            refuse(f"{rule.name!r} cannot be the name of a rule", f"rule.{number}.name", NAMES)
        if rule.name in RESERVED:
            refuse(f"a rule cannot be called {rule.name!r}", f"rule.{number}.name",
                   "that is what a rule of the whole table is called")  # fmt: skip
        if rule.name in seen:
            refuse(f"two rules are called {rule.name!r}", f"rule.{number}.name", None,
                   "rename one of them")  # fmt: skip
        seen.add(rule.name)
    for number, foreign in enumerate(contract.foreign_key):
        key = f"foreign_key.{number}.columns"
        named(foreign.columns, key)
        if not foreign.columns or len(foreign.columns) != len(foreign.references):
            refuse("a foreign key has as many references as columns", key)
        if not RULE_NAME.match(foreign.source):
            refuse(f"{foreign.source!r} cannot be the name of a source",
                   f"foreign_key.{number}.source")  # fmt: skip


def max_age_minutes(age: str) -> int:
    """An age such as ``36 hours`` in minutes. Raises BadInput for what is none."""
    found = AGE.match(age)
    if found is None:
        raise BadInput(f"{age!r} is not an age", next='write it like "36 hours" or "7 days"')
    return int(found.group(1)) * MINUTES[found.group(2)]
