"""How a query makes its columns, and which columns decide its rows, by sqlglot's lineage.

What it cannot tell it says: a star over a table whose columns nobody knows, a table function, SQL
that cannot be read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from trackrecord.data.build.sql_reads import parse
from trackrecord.errors import DataError

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.lineage import Node as Found
    from sqlglot.optimizer import Scope

LONGEST = 400
# Which clauses decide which rows there are or what they are with, in OpenLineage's words.
CLAUSES = {
    "where": "FILTER",
    "joins": "JOIN",
    "group": "GROUP_BY",
    "having": "FILTER",
    "qualify": "FILTER",
    "order": "SORT",
    "distinct": "GROUP_BY",
}


class Origin(msgspec.Struct, frozen=True, order=True):
    """A column of a table."""

    table: str
    column: str


class Term(msgspec.Struct, frozen=True):
    """One column that a query gives: the expression, and what of other tables is in it.

    ``copied`` where the value is another column's own, ``gathers`` where it is of many rows.
    ``untold`` is the reason where the origin cannot be told, else empty.
    """

    column: str
    expression: str
    made_of: list[Origin] = []
    copied: bool = False
    gathers: bool = False
    untold: str = ""


class Choice(msgspec.Struct, frozen=True, order=True):
    """A column that decides which rows there are: ``how`` is FILTER, JOIN, GROUP_BY or SORT."""

    how: str
    origin: Origin


class Query(msgspec.Struct, frozen=True):
    """What a query gives. ``untold`` where nothing of it can be told."""

    terms: list[Term]
    choices: list[Choice] = []
    untold: str = ""

    def term(self, column: str) -> Term | None:
        """The term of a column, by its name in any case, as DuckDB has it."""
        return next((t for t in self.terms if t.column.lower() == column.lower()), None)


def read_query(text: str, where: str, tables: Mapping[str, Sequence[str] | None]) -> Query:
    """The terms of the last statement in ``text``, the views before it seen through.

    ``tables`` has the columns of each table that it reads, None where nobody knows them.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        *before, last = parse(text, where)
    except DataError as error:
        return Query([], untold=f"{error.what}: {error.why}" if error.why else error.what)
    except ValueError:
        return Query([], untold=f"{where} has no statement")
    views: dict[str, exp.Expr] = {}
    for statement in before:
        if isinstance(statement, exp.Create) and isinstance(statement.expression, exp.Query):
            views[statement.this.name.lower()] = statement.expression
    if isinstance(last, exp.Create) and isinstance(last.expression, exp.Query):
        last = last.expression
    try:
        return _told(last, views, tables)
    except (SqlglotError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        # SQL that DuckDB runs and sqlglot's optimizer does not follow.
        why = str(error).partition("\n")[0][:160] or type(error).__name__
        return Query([], untold=f"its SQL cannot be followed: {why}")


def _told(
    query: exp.Expr, views: Mapping[str, exp.Expr], tables: Mapping[str, Sequence[str] | None]
) -> Query:
    from sqlglot import exp, lineage
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer import build_scope, qualify
    from sqlglot.schema import MappingSchema

    schema = MappingSchema(dialect="duckdb", normalize=False)
    for name, columns in tables.items():
        if columns is not None:
            schema.add_table(
                exp.Table(this=exp.to_identifier(name.lower(), quoted=True)),
                {column.lower(): "UNKNOWN" for column in columns},
                match_depth=False,
            )
    if views:
        query = exp.expand(query, views, dialect="duckdb")  # type: ignore[arg-type]
    qualified = qualify.qualify(
        query, dialect="duckdb", schema=schema, validate_qualify_columns=False, identify=False
    )
    scope = build_scope(qualified)
    if scope is None or not isinstance(qualified, exp.Query):
        raise SqlglotError("it is no SELECT")
    spelt = {
        (name.lower(), column.lower()): Origin(name, column)
        for name, columns in tables.items()
        for column in columns or ()
    }
    terms = []
    for select in qualified.selects:
        if select.is_star:
            blind = [name for name, columns in tables.items() if columns is None]
            why = "a star stands for columns that nobody knows yet"
            terms.append(Term("*", "*", untold=f"{why}: {', '.join(blind)}" if blind else why))
            continue
        name = select.alias_or_name
        found = lineage.to_node(name, scope, "duckdb", schema, trim_selects=False)
        terms.append(_term(name, found, spelt))
    choices = sorted(set(_choices(scope, schema, spelt)))
    return Query(terms, choices)


def _term(name: str, found: Found, spelt: Mapping[tuple[str, str], Origin]) -> Term:
    from sqlglot import exp

    origins: dict[Origin, None] = {}
    untold = ""
    known = {origin.table.lower() for origin in spelt.values()}
    for node in found.walk():
        if isinstance(node.expression, exp.Table):
            if node.name == "*":
                untold = "a star stands for columns that nobody knows yet"
            elif node.expression.name:  # else it is a function, such as range
                origin = _origin(node, spelt)
                origins[origin] = None
                if origin.table.lower() in known and origin not in spelt.values():
                    untold = f"{origin.table} has no column {origin.column}"
        elif node.expression.find(exp.Columns):
            untold = "COLUMNS chooses columns when it runs"
        elif isinstance(node.expression, exp.Placeholder | exp.UDTF | exp.Star):
            untold = untold or f"nothing says what {node.name} is"
    if not origins and not untold and any(_reads_column(node) for node in found.walk()):
        untold = "the columns behind it cannot be followed"
    shown = _shown(found)
    branches = found.downstream if isinstance(found.source, exp.SetOperation) else [found]
    copied = bool(origins) and all(_is_copy(branch) for branch in branches)
    gathers = any(
        not isinstance(node.expression, exp.Table) and node.expression.find(exp.AggFunc)
        for node in found.walk()
    )
    return Term(name, shown, sorted(origins), copied, gathers, untold)


def _reads_column(node: Found) -> bool:
    from sqlglot import exp

    return not isinstance(node.expression, exp.Query) and bool(node.expression.find(exp.Column))


def _origin(node: Found, spelt: Mapping[tuple[str, str], Origin]) -> Origin:
    from sqlglot import exp

    table: str = node.expression.name if isinstance(node.expression, exp.Table) else ""
    column = _name_of(node)
    return spelt.get((table.lower(), column.lower()), Origin(table, column))


def _name_of(node: Found) -> str:
    """The column that a node is of; its name is ``table.column``, quoted where SQL asks for it."""
    from sqlglot import exp

    if '"' in node.name:
        return exp.to_column(node.name, dialect="duckdb").name
    return node.name.partition(".")[2] or node.name


def _is_copy(node: Found) -> bool:
    """Whether a value goes through unchanged from a table's column."""
    from sqlglot import exp

    if isinstance(node.expression, exp.Table):
        return True
    inner = node.expression.unalias() if isinstance(node.expression, exp.Alias) else node.expression
    return (
        isinstance(inner, exp.Column) and len(node.downstream) == 1 and _is_copy(node.downstream[0])
    )


def _shown(node: Found) -> str:
    """An expression in columns of tables: what sub-queries and CTEs name is put in its place."""
    from sqlglot import exp

    if isinstance(node.source, exp.SetOperation):
        parts = list(dict.fromkeys(_shown(branch) for branch in node.downstream))
        return " | ".join(parts)[:LONGEST]
    text = _whole(node, 0).sql(dialect="duckdb", comments=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _whole(node: Found, depth: int) -> exp.Expr:
    from sqlglot import exp

    inner = node.expression.copy()
    inner = inner.unalias() if isinstance(inner, exp.Alias) else inner
    if depth > 20:
        return inner

    def put(part: exp.Expr) -> exp.Expr:
        if not isinstance(part, exp.Column):
            return part
        given = [
            child
            for child in node.downstream
            if _name_of(child).lower() == part.name.lower()
            and part.table.lower()
            == (child.reference_node_name or child.name.partition(".")[0].strip('"')).lower()
        ]
        if len(given) != 1:
            return part
        child = given[0]
        if isinstance(child.expression, exp.Table):
            # The table's own name, not the alias that the query gave it.
            return exp.column(part.this.copy(), table=exp.to_identifier(child.expression.name))
        if isinstance(child.source, exp.SetOperation):
            return part
        made = _whole(child, depth + 1)
        return exp.paren(made, copy=False) if isinstance(made, exp.Binary | exp.Connector) else made

    return inner.transform(put)


def _choices(
    scope: Scope, schema: object, spelt: Mapping[tuple[str, str], Origin]
) -> Iterator[Choice]:
    """The columns in clauses that decide rows, in every part of the query."""
    from sqlglot import exp

    for part in scope.traverse():
        for clause, how in CLAUSES.items():
            given = part.expression.args.get(clause)
            for piece in given if isinstance(given, list) else [given] if given else []:
                if isinstance(piece, exp.Join):
                    piece = piece.args.get("on")
                if not isinstance(piece, exp.Expression):
                    continue
                for column in piece.find_all(exp.Column):
                    for origin in _behind(column, part, schema, spelt):
                        yield Choice(how, origin)


def _behind(
    column: exp.Column, scope: Scope, schema: object, spelt: Mapping[tuple[str, str], Origin]
) -> Iterator[Origin]:
    """The tables' columns that a column of some part of the query is made of."""
    from sqlglot import exp, lineage

    source = scope.sources.get(column.table)
    if isinstance(source, exp.Table):
        key = (source.name.lower(), column.name.lower())
        yield spelt.get(key, Origin(source.name, column.name))
    elif source is not None:
        found = lineage.to_node(column.name, source, "duckdb", schema, trim_selects=False)  # type: ignore[arg-type]
        for node in found.walk():
            if isinstance(node.expression, exp.Table) and node.name != "*":
                yield _origin(node, spelt)
