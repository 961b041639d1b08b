"""The rules of a contract as Polars expressions: true where a row breaks one.

A missing value breaks ``required`` and nothing else, as in SQL a CHECK that is unknown passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trackrecord.data.contract.spec import ColumnTerms, Contract, LineOf, as_value
from trackrecord.data.contract.sql import row_rule
from trackrecord.data.profile.measure import shown
from trackrecord.data.profile.scan import named
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl


FEW = 8


class Rule(NamedTuple):
    """One rule on rows: its name, what it asks, the columns it reads, and where it is broken.

    ``over`` says which form of the table ``broken`` is over: as it is ``stored``, or ``typed``: in
    the declared types, times in UTC without an offset, as SQL writes them. Of a rule on the whole
    table, ``broken`` is the sorted numbers of the rows, from 0; None where it has a
    column that is not there. Up to a share ``limit`` of the rows
    may break it.
    """

    name: str
    asks: str
    columns: list[str]
    broken: pl.Expr | pl.Series | None
    over: Literal["stored", "typed"] = "typed"
    limit: float = 0.0


def declared(type: str) -> pl.DataType:
    """The Polars type of a declared one; times are in UTC."""
    import polars as pl

    known: dict[str, pl.DataType] = {
        "integer": pl.Int64(),
        "number": pl.Float64(),
        "boolean": pl.Boolean(),
        "string": pl.String(),
        "date": pl.Date(),
        "time": pl.Datetime("us", "UTC"),
    }
    return known[type]


def typed(name: str, dtype: pl.DataType, type: str) -> pl.Expr | None:
    """The canonical column as the declared type, null where a value is none; None where it fits."""
    import polars as pl

    column = named(name)
    want = declared(type)
    if dtype == want or (type in ("integer", "number") and dtype.is_integer()):
        return None
    if type == "number" and dtype.is_numeric():
        return None
    if dtype == pl.String:
        if type == "date":
            return column.str.to_date("%Y-%m-%d", strict=False)
        if type == "time":
            return column.str.to_datetime(
                time_unit="us", time_zone="UTC", strict=False, ambiguous="earliest"
            )
        if type == "boolean":
            words = {"true": True, "false": False}
            lowered = column.str.to_lowercase()
            return lowered.replace_strict(words, default=None, return_dtype=pl.Boolean)
        return column.cast(want, strict=False)
    if type == "integer" and dtype.is_float():
        return (
            pl.when(column == column.floor()).then(column).cast(pl.Int64, strict=False).alias(name)
        )
    return pl.when(False).then(pl.lit(None, dtype=want)).alias(name)


def rules_of(
    contract: Contract, schema: dict[str, pl.DataType], shown_as: str, line_of: LineOf
) -> list[Rule]:
    """Every rule on rows, in the order of the contract, for a table with this canonical ``schema``.

    Rules on columns that the table does not have are left out.
    """
    import polars as pl

    found: list[Rule] = []
    for name, terms in contract.columns.items():
        if name in schema:
            found += _of_column(name, terms, schema[name], required=name in contract.key)
    kinds = {
        name: pl.Datetime("us") if terms.type == "time" else declared(terms.type)
        for name, terms in contract.columns.items()
    }
    for number, rule in enumerate(contract.rule):
        line = line_of(f"rule.{number}.sql")
        where = f"{shown_as}:{line}" if line else shown_as
        holds, read = row_rule(rule.sql, kinds, name=rule.name, where=where)
        if all(name in schema for name in read):
            asks = rule.sql if len(rule.sql) <= 120 else rule.sql[:119] + "…"
            found.append(Rule(rule.name, asks, read, ~holds))
    return found


def _of_column(name: str, terms: ColumnTerms, dtype: pl.DataType, *, required: bool) -> list[Rule]:
    import polars as pl

    column = named(name)
    found = []
    over: Literal["stored", "typed"] = "typed"
    if (value := typed(name, dtype, terms.type)) is not None:
        over = "stored"
        wrong = value.is_null() & column.is_not_null()
        found.append(Rule(f"{name}.type", f"is of type {terms.type}", [name], wrong, "stored"))
    if terms.required or required or terms.max_missing is not None:
        asks = (
            f"at most {100 * terms.max_missing:g} % missing"
            if terms.max_missing and not terms.required and not required
            else "is never missing"
        )
        limit = 0.0 if required else terms.max_missing or 0.0
        found.append(Rule(f"{name}.required", asks, [name], column.is_null(), over, limit))
    low, high = _bound(terms, "min"), _bound(terms, "max")
    broken = None
    if low is not None:
        broken = column < low
    if high is not None:
        broken = column > high if broken is None else broken | (column > high)
    if broken is not None:
        ends = [f"at least {terms.min}"] * (low is not None)
        ends += [f"at most {terms.max}"] * (high is not None)
        found.append(Rule(f"{name}.range", "is " + " and ".join(ends), [name], broken))
    if terms.allowed is not None:
        allowed = pl.Series(
            [as_value(value, terms.type, name, _never, name) for value in terms.allowed],
            dtype=declared("number" if terms.type == "integer" else terms.type),
            strict=False,
        )
        if terms.type == "time":
            allowed = allowed.dt.replace_time_zone(None)
        if terms.type == "integer":
            allowed = allowed.cast(pl.Int64) if (allowed == allowed.floor()).all() else allowed
        # A few comparisons take a third of the time of a search.
        few = 0 < len(allowed) <= FEW and not allowed.null_count()
        among = (
            pl.any_horizontal(column == value for value in allowed)
            if few
            else (column.is_in(allowed.implode()))
        )
        listed = ", ".join(shown(value) for value in terms.allowed[:8])
        more = f" and {len(terms.allowed) - 8} more" if len(terms.allowed) > 8 else ""
        found.append(
            Rule(
                f"{name}.allowed",
                f"is one of {listed}{more}",
                [name],
                ~among,
            )
        )
    if terms.pattern is not None:
        whole = ~column.str.contains(f"^(?:{terms.pattern})$")
        found.append(Rule(f"{name}.pattern", f"matches {terms.pattern}", [name], whole))
    return found


def _bound(terms: ColumnTerms, key: str) -> Any:
    """A bound as a literal of the column's type."""
    import polars as pl

    bound = getattr(terms, key)
    if bound is None:
        return None
    value = as_value(bound, terms.type, key, _never, key)
    if terms.type == "time":
        return pl.lit(value.replace(tzinfo=None), dtype=pl.Datetime("us"))
    return pl.lit(value)


def _never(what: str, key: str, *_: object) -> None:  # pragma: no cover - checked when it was read
    raise DataError(what, where=key)
