"""Which tables a step in SQL reads, by its tree: names that nothing in the file itself defines."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from trackrecord.errors import DataError

if TYPE_CHECKING:
    from sqlglot import exp

# What DuckDB says about itself; no step makes these.
_OWN = ("information_schema", "pg_catalog")


def parse(sql: str, where: str) -> list[exp.Expr]:
    """The statements of ``sql`` as trees. DataError where it is no SQL, with line and column."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    # That it takes a statement as it stands is no news to a person; DuckDB judges it.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        found = sqlglot.parse(sql, dialect="duckdb")
    except RecursionError:
        raise DataError(
            f"{where} is nested too deep to be read", where=where, next="name parts of it with WITH"
        ) from None
    except SqlglotError as error:
        place, why = where, "a quote or a comment is not closed"
        details = getattr(error, "errors", None)
        if details:
            place = f"{where}:{details[0].get('line')}"
            why = f"{details[0].get('description')} near {details[0].get('highlight')!r}"[:200]
        raise DataError(
            f"{where} is not SQL that can be read", where=place, why=why, next="mend that line"
        ) from None
    # What follows the last semicolon may be a comment.
    return [one for one in found if one is not None and not isinstance(one, exp.Semicolon)]


def digest_of_sql(sql: str) -> str:
    """SHA-256 of the SQL's tokens: comments, layout and a last semicolon do not count.

    Nothing else is normalised: what is not compared could not be told apart. The SQL is one that
    :func:`parse` reads.
    """
    import sqlglot

    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    text = "\n".join(f"{token.token_type.name} {len(token.text)} {token.text}" for token in tokens)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def reads_of(statements: list[exp.Expr]) -> list[str]:
    """Names of the tables that the statements read and do not make, in order of first use.

    Common table expressions, sub-queries, views and tables made by an earlier statement, and table
    functions are no tables. Names are in lower case, as DuckDB tells them apart.
    """
    from sqlglot import exp

    made: set[str] = set()
    found: dict[str, tuple[int, int]] = {}
    for number, statement in enumerate(statements):
        target = _made_by(statement)
        for table in statement.find_all(exp.Table, bfs=False):
            name = table.name.lower()
            if table is target or not isinstance(table.this, exp.Identifier) or not name:
                continue
            if table.db.lower() in _OWN or name in made or _is_cte(table, name):
                continue
            place = table.this.meta.get("start", 0)
            found[name] = min(found.get(name, (number, place)), (number, place))
        if target is not None:
            made.add(target.name.lower())
    return sorted(found, key=lambda name: found[name])


def _made_by(statement: exp.Expr) -> exp.Table | None:
    """The name that a statement gives to something of its own."""
    from sqlglot import exp

    if not isinstance(statement, exp.Create):
        return None
    target = statement.this
    if isinstance(target, exp.Schema | exp.UserDefinedFunction):
        target = target.this
    return target if isinstance(target, exp.Table) else None


def _is_cte(table: exp.Expr, name: str) -> bool:
    """Whether ``name`` means a common table expression where ``table`` stands.

    An expression sees those before it; itself only where the WITH is recursive.
    """
    from sqlglot import exp

    child: exp.Expr = table
    node: exp.Expr | None = table.parent
    while node is not None:
        seen: list[exp.Expr] = []
        if isinstance(node, exp.With):
            place = next(n for n, cte in enumerate(node.expressions) if cte is child)
            seen = node.expressions[: place + bool(node.args.get("recursive"))]
            # Its owner would show what comes later in it.
            child, node = node, node.parent
        elif (with_ := node.args.get("with_")) is not None and with_ is not child:
            seen = with_.expressions
        if any(cte.alias.lower() == name for cte in seen):
            return True
        assert node is not None
        child, node = node, node.parent
    return False
