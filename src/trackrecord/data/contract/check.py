"""Checks a table against its contract: what breaks each rule, how often, and which rows do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trackrecord.data.contract.foreign import foreign_rule
from trackrecord.data.contract.offenders import Offenders
from trackrecord.data.contract.outcome import Checked, Outcome
from trackrecord.data.contract.repeats import repeated_rows
from trackrecord.data.contract.rules import Rule, rules_of
from trackrecord.data.contract.spec import Contract, Freshness, LineOf, max_age_minutes
from trackrecord.data.contract.sweep import fitted, sweep
from trackrecord.data.profile.measure import shown
from trackrecord.data.profile.scan import Scanned, scan_table
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    import polars as pl


def check_table(
    contract: Contract,
    table: Scanned,
    *,
    line_of: LineOf = lambda _key: None,
    shown_as: str = "the contract",
    sources: Path | None = None,
    quarantine: Path | None = None,
    now: datetime.datetime | None = None,
) -> Checked:
    """Every rule of ``contract`` on ``table``.

    Parameters
    ----------
    sources:
        The folder where the tables of foreign keys are, as NAME.parquet or built/NAME.parquet.
    quarantine:
        The folder for the rows that break a rule; what an earlier check of this contract left there
        is removed. Without it no rows are written.
    now:
        The moment for freshness; by default the clock's.

    Raises DataError for a rule that does not parse, and for a foreign source that is not there.
    """
    schema = dict(table.canonical().collect_schema())
    rules = rules_of(contract, schema, shown_as, line_of)
    in_types = fitted(contract, schema, table.canonical())
    whole = [*_keys(contract, schema, in_types)]
    for number, foreign in enumerate(contract.foreign_key, 1):
        whole.append(foreign_rule(foreign, number, sources, schema, in_types))
    if quarantine is not None:
        clear(quarantine, contract.name)
    asked = {rule.name: rule for rule in [*rules, *whole]}
    sought = [rule for rule in asked.values() if rule.broken is not None]
    swept = sweep(contract, table, sought, quarantine)
    outcomes = [*_of_columns(contract, schema, table.rows), _of_size(contract, table.rows)]
    for name in [*_expected(contract), *(rule.name for rule in whole)]:
        if name in swept.broken:
            outcomes.append(_outcome(asked[name], swept.broken[name], table.rows))
        else:
            outcomes.append(_untested(name, asked.get(name), contract, schema, table.rows))
    if contract.freshness is not None:
        outcomes.append(_of_age(contract.freshness, swept.newest, table.rows, schema, now))
    kept = [one for one in outcomes if one.asks]
    holds = all(one.status == "held" for one in kept)
    return Checked(contract.name, contract.version, table.rows, kept, holds)


def check_file(contract: Contract, path: Path, **options: Any) -> Checked:
    """Like :func:`check_table`, on the file at ``path``."""
    return check_table(contract, open_for(contract, path), **options)


def open_for(contract: Contract, path: Path) -> Scanned:
    """The table in ``path``; columns that the contract calls text stay text in a CSV file."""
    text = {name: "string" for name, terms in contract.columns.items() if terms.type == "string"}
    return scan_table(path, text)


def clear(folder: Path, name: str) -> None:
    """Remove the quarantine files of an earlier check."""
    for path in folder.glob(f"{name}-*.parquet"):
        path.unlink(missing_ok=True)


def _expected(contract: Contract) -> list[str]:
    """Names of all rules on rows that the contract has, whatever columns the table has."""
    names = []
    for name, terms in contract.columns.items():
        needs_value = terms.required or name in contract.key or terms.max_missing is not None
        names += [f"{name}.type"]
        names += [f"{name}.required"] * needs_value
        names += [f"{name}.range"] * (terms.min is not None or terms.max is not None)
        names += [f"{name}.allowed"] * (terms.allowed is not None)
        names += [f"{name}.pattern"] * (terms.pattern is not None)
    return names + [rule.name for rule in contract.rule]


def _untested(
    name: str, rule: Rule | None, contract: Contract, schema: dict[str, pl.DataType], rows: int
) -> Outcome:
    """A rule that needed no pass: a type that fits as it is stored, or a column that is not there.

    A row rule of such a column is not checked either.
    """
    column, _, what = name.rpartition(".")
    if what == "type" and column in schema:
        lo, hi = proportion(0, rows)
        asks = f"is of type {contract.columns[column].type}"
        return Outcome(name, asks, "held", rows, 0, 0.0 if rows else None, lo, hi)
    asks = rule.asks if rule else "needs a column that is not there"
    return Outcome(name, asks, "not checked", rows)


def _keys(
    contract: Contract, schema: dict[str, pl.DataType], in_types: pl.LazyFrame
) -> Iterator[Rule]:
    """The rules on columns that are unique together."""
    keys = {f"{n}.unique": [n] for n, terms in contract.columns.items() if terms.unique}
    if contract.key:
        keys["key"] = contract.key
    for rule, names in keys.items():
        there = all(name in schema for name in names)
        asks = f"{', '.join(names)}: no value twice" if rule == "key" else "has no value twice"
        yield Rule(rule, asks, names, repeated_rows(in_types, names) if there else None)


def _outcome(rule: Rule, found: Offenders, rows: int) -> Outcome:
    lo, hi = proportion(found.failed, rows)
    share = found.failed / rows if rows else 0.0
    if share <= rule.limit:
        return Outcome(rule.name, rule.asks, "held", rows, found.failed, share, lo, hi)
    return Outcome(
        rule.name, rule.asks, "failed", rows, found.failed, share, lo, hi,
        first_rows=found.rows(),
        values=found.values(),
        quarantine=None if found.path is None else found.path.as_posix(),
    )  # fmt: skip


def _of_columns(contract: Contract, schema: dict[str, pl.DataType], rows: int) -> list[Outcome]:
    """The columns themselves: all there, and no others unless they are allowed."""
    lost = [name for name in contract.columns if name not in schema]
    new = [name for name in schema if name not in contract.columns]
    found = [
        Outcome(
            "columns", "every column of the contract is there", "failed" if lost else "held", rows,
            detail=f"not there: {', '.join(map(shown, lost[:20]))}" if lost else None,
        )
    ]  # fmt: skip
    if contract.other_columns == "refuse":
        detail = f"not in the contract: {', '.join(map(shown, new[:20]))}" if new else None
        status: Literal["failed", "held"] = "failed" if new else "held"
        found.append(Outcome("other_columns", "there are no others", status, rows, detail=detail))
    return found


def _of_size(contract: Contract, rows: int) -> Outcome:
    low, high = contract.rows.min, contract.rows.max
    ends = [f"at least {low:,}"] if low is not None else []
    ends += [f"at most {high:,}"] if high is not None else []
    wrong = (low is not None and rows < low) or (high is not None and rows > high)
    return Outcome(
        "rows", f"{' and '.join(ends)} rows" if ends else "", "failed" if wrong else "held", rows,
        detail=f"there are {rows:,}" if wrong else None,
    )  # fmt: skip


def _of_age(
    terms: Freshness,
    newest: Any,
    rows: int,
    schema: dict[str, pl.DataType],
    now: datetime.datetime | None,
) -> Outcome:
    asks = f"the newest {terms.column} is at most {terms.max_age} old"
    if terms.column not in schema:
        return Outcome("freshness", asks, "not checked", rows)
    if newest is None:
        return Outcome("freshness", asks, "failed", rows, detail="no row has one")
    if isinstance(newest, datetime.datetime):
        newest = newest.replace(tzinfo=datetime.UTC)
    moment = now or datetime.datetime.now(datetime.UTC)
    if not isinstance(newest, datetime.datetime):
        # A day is as new as its last moment.
        end = datetime.datetime.combine(newest, datetime.time.max, datetime.UTC)
        age = moment - end
    else:
        age = moment - newest
    minutes = age.total_seconds() / 60
    old = minutes > max_age_minutes(terms.max_age)
    days = max(0.0, minutes / 1440)
    detail = f"the newest is {shown(newest)}, {days:,.1f} days ago" if old else None
    return Outcome("freshness", asks, "failed" if old else "held", rows, detail=detail)
