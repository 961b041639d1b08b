"""Checks a table against its contract: counts what breaks each rule, then shows which rows do.

Only where a rule is broken are its rows sought, named, and written to a quarantine file.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trackrecord.data.contract.offenders import ROW, Finder
from trackrecord.data.contract.outcome import Checked, Outcome
from trackrecord.data.contract.repeats import repeated_rows
from trackrecord.data.contract.rules import Rule, rules_of, typed
from trackrecord.data.contract.spec import Contract, ForeignKey, LineOf, max_age_minutes
from trackrecord.data.profile.measure import shown
from trackrecord.data.profile.scan import Scanned, clean, named, scan_table
from trackrecord.errors import DataError
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
        The folder where the sources of foreign keys are, as NAME.parquet.
    quarantine:
        The folder for the rows that break a rule; what an earlier check of this contract left there
        is removed. Without it no rows are written.
    now:
        The moment for freshness; by default the clock's.

    Raises DataError for a rule that does not parse, and for a foreign source that is not there.
    """
    frame = table.canonical()
    schema = dict(frame.collect_schema())
    rules = rules_of(contract, schema, shown_as, line_of)
    outcomes = _of_columns(contract, schema, table.rows)
    fitted = _fitted(contract, schema, frame)
    counts = _count(rules, frame, fitted)
    rows_of = Finder(contract, table, frame, fitted, quarantine)
    if quarantine is not None:
        clear(quarantine, contract.name)
    outcomes.append(_of_size(contract, table.rows))
    done = {rule.name: _outcome(rule, counts[rule.name], rows_of, contract) for rule in rules}
    for name in _expected(contract):
        outcomes.append(done.get(name) or _untested(name, contract, schema, table.rows))
    outcomes += _of_keys(contract, rows_of, schema)
    for number, foreign in enumerate(contract.foreign_key, 1):
        outcomes.append(_of_foreign(foreign, number, rows_of, sources, schema))
    if contract.freshness is not None:
        outcomes.append(_of_age(contract, fitted, table.rows, schema, now))
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


def _untested(name: str, contract: Contract, schema: dict[str, pl.DataType], rows: int) -> Outcome:
    """A rule that needed no pass: a type that fits as it is stored, or a column that is not there.

    A row rule of such a column is not checked either.
    """
    column, _, what = name.rpartition(".")
    if what == "type" and column in schema:
        lo, hi = proportion(0, rows)
        asks = f"is of type {contract.columns[column].type}"
        return Outcome(name, asks, "held", rows, 0, 0.0 if rows else None, lo, hi)
    return Outcome(name, "needs a column that is not there", "not checked", rows)


def _fitted(
    contract: Contract, schema: dict[str, pl.DataType], frame: pl.LazyFrame
) -> pl.LazyFrame:
    """The table in the declared types, times without an offset, as SQL writes them."""
    import polars.selectors as cs

    retyped = frame.with_columns(
        value
        for name, terms in contract.columns.items()
        if name in schema and (value := typed(name, schema[name], terms.type)) is not None
    )
    return retyped.with_columns(cs.datetime(time_zone="*").dt.replace_time_zone(None))


def _count(rules: list[Rule], frame: pl.LazyFrame, fitted: pl.LazyFrame) -> dict[str, int]:
    """Rows that break each rule.

    Rules that read the same columns are counted together, and group after group: that is half the
    time, and a fraction of the memory, of all rules in one query.
    """
    import polars as pl

    groups: dict[tuple[str, ...], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.over, *rule.columns), []).append(rule)
    found: dict[str, int] = {}
    for (over, *_), some in groups.items():
        base = frame if over == "stored" else fitted
        query = base.select(rule.broken.sum().alias(rule.name) for rule in some)
        try:
            counted = query.collect(engine="streaming").row(0, named=True)
        except pl.exceptions.PolarsError as error:
            # What only the values make fail, such as a pattern that is no regular expression.
            raise DataError(
                f"{some[0].name} cannot be worked out on this table",
                where=some[0].asks,
                why=str(error).strip().splitlines()[0][:200],
                next="correct the rule in the contract",
            ) from None
        found |= {name: int(value or 0) for name, value in counted.items()}
    return found


def _keys(contract: Contract) -> dict[str, list[str]]:
    """Rule name to the columns that are unique together."""
    found = {f"{n}.unique": [n] for n, terms in contract.columns.items() if terms.unique}
    if contract.key:
        found["key"] = contract.key
    return found


def _outcome(rule: Rule, failed: int, seek: Finder, contract: Contract) -> Outcome:
    import polars as pl

    column, _, what = rule.name.rpartition(".")
    limit = 0.0
    if what == "required" and column in contract.columns and column not in contract.key:
        limit = contract.columns[column].max_missing or 0.0
    if failed <= limit * seek.rows:
        lo, hi = proportion(failed, seek.rows)
        share = failed / seek.rows if seek.rows else 0.0
        return Outcome(rule.name, rule.asks, "held", seek.rows, failed, share, lo, hi)
    rows = (
        seek.frames[rule.over]
        .filter(rule.broken)
        .select(pl.col(ROW))
        .collect(engine="streaming")
        .to_series()
    )
    return seek.told(rule.name, rule.asks, rule.columns, rows.sort())


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


def _of_keys(contract: Contract, seek: Finder, schema: dict[str, pl.DataType]) -> list[Outcome]:
    found = []
    for rule, names in _keys(contract).items():
        asks = f"{', '.join(names)}: no value twice" if rule == "key" else "has no value twice"
        if not all(name in schema for name in names):
            found.append(Outcome(rule, asks, "not checked", seek.rows))
            continue
        rows = repeated_rows(seek.frames["typed"], names)
        if len(rows):
            found.append(seek.told(rule, asks, names, rows))
        else:
            lo, hi = proportion(0, seek.rows)
            found.append(Outcome(rule, asks, "held", seek.rows, 0, 0.0, lo, hi))
    return found


def _of_foreign(
    foreign: ForeignKey,
    number: int,
    seek: Finder,
    sources: Path | None,
    schema: dict[str, pl.DataType],
) -> Outcome:
    import polars as pl

    name = f"foreign_key.{number}"
    asks = f"{', '.join(foreign.columns)} is in {foreign.source} ({', '.join(foreign.references)})"
    if not all(column in schema for column in foreign.columns):
        return Outcome(name, asks, "not checked", seek.rows)
    path = None if sources is None else sources / f"{foreign.source}.parquet"
    if path is None or not path.is_file():
        raise DataError(
            f"there is no source {foreign.source!r} for the foreign key of "
            f"{', '.join(foreign.columns)}",
            where=path.as_posix() if path else None,
            next="add it, or remove the foreign key from the contract",
        )
    other = scan_table(path)
    for column in foreign.references:
        if column not in other.schema:
            raise DataError(
                f"the source {foreign.source!r} has no column {column!r}",
                why=f"columns: {', '.join(list(other.schema)[:40])}",
                next="correct references of the foreign key",
            )
    kinds = seek.frames["typed"].collect_schema()
    there = other.frame.select(
        clean(column, other.schema[column]).cast(kinds[mine], strict=False).alias(mine)
        for mine, column in zip(foreign.columns, foreign.references, strict=True)
    ).unique()
    rows = (
        seek.frames["typed"]
        .select(ROW, *map(named, foreign.columns))
        .drop_nulls()
        .join(there, on=list(map(named, foreign.columns)), how="anti")
        .select(pl.col(ROW))
        .collect(engine="streaming")
        .to_series()
    )
    if len(rows):
        return seek.told(name, asks, foreign.columns, rows.sort())
    lo, hi = proportion(0, seek.rows)
    return Outcome(name, asks, "held", seek.rows, 0, 0.0, lo, hi)


def _of_age(
    contract: Contract,
    fitted: pl.LazyFrame,
    rows: int,
    schema: dict[str, pl.DataType],
    now: datetime.datetime | None,
) -> Outcome:

    terms = contract.freshness
    if terms is None:  # pragma: no cover - the caller has asked
        raise TypeError
    asks = f"the newest {terms.column} is at most {terms.max_age} old"
    if terms.column not in schema:
        return Outcome("freshness", asks, "not checked", rows)
    newest = fitted.select(named(terms.column).max()).collect(engine="streaming").item()
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
