"""What each part of a step's SQL did to the rows that came to it.

The parts are read off the SQL's tree, and counted by queries on the same closed database: the rows
that each condition of a WHERE lets through, in the order written; the rows that find no partner in
a join, and those that find several; what grouping, HAVING, QUALIFY, DISTINCT and LIMIT leave. A row
that fails two conditions is counted at the first. Where a count cannot be had, that is said.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.data.build.counting import Block, Parts, SelectParts, SetParts
from trackrecord.data.build.effect import Effect
from trackrecord.data.build.unsettled import unsettled
from trackrecord.data.build.words import join_words

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp


def effects_of(
    trees: list[exp.Expr], database: duckdb.DuckDBPyConnection, rows: int, seconds: float
) -> list[Effect]:
    """The effects in the order rows pass through them; ``rows`` is what the last SELECT gave.

    What has not been counted after ``seconds`` stays so, and says it.
    """
    found: list[Effect] = []
    with _for_at_most(seconds, database) as over:
        for part, tree in _queries(trees):
            for block in _blocks(tree, part, []):
                out = rows if block.query is trees[-1] else None
                found += _of_block(block, database, out, over)
    return found


@contextlib.contextmanager
def _for_at_most(seconds: float, database: duckdb.DuckDBPyConnection) -> Iterator[threading.Event]:
    """Interrupt the database's queries once the time is over; the event says that it is."""
    over = threading.Event()

    def stop() -> None:
        over.set()
        database.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
        timer.join()


def _queries(trees: list[exp.Expr]) -> Iterator[tuple[str, exp.Expr]]:
    """Views and tables that the file makes for itself, then its last SELECT."""
    from sqlglot import exp

    for tree in trees[:-1]:
        made = tree.args.get("expression")
        kind = str(tree.args.get("kind")).upper()
        if isinstance(tree, exp.Create) and kind in ("VIEW", "TABLE") and made is not None:
            yield tree.this.name, made
    yield "", trees[-1]


def _blocks(query: exp.Expr, part: str, before: list[exp.Expr]) -> Iterator[Block]:
    """The SELECTs inside ``query``, those first that others read."""
    from sqlglot import exp

    while isinstance(query, exp.Subquery | exp.Paren):
        query = query.this
    with_ = query.args.get("with_")
    if with_ is not None:
        if with_.args.get("recursive"):
            yield Block(part, query, before)
            return
        before = list(before)
        for cte in with_.expressions:
            yield from _blocks(cte.this, cte.alias, list(before))
            before.append(cte)
    if isinstance(query, exp.SetOperation):
        for arm in (query.left, query.right):
            yield from _blocks(arm, part, before)
        yield Block(part, query, before)
    elif isinstance(query, exp.Select):
        for source in _sources(query):
            if isinstance(source, exp.Subquery):
                yield from _blocks(source.this, source.alias or part, before)
        yield Block(part, query, before)


def _sources(query: exp.Expr) -> list[exp.Expr]:
    """What a SELECT takes rows from, in order."""
    from_ = query.args.get("from_")
    joins = query.args.get("joins") or []
    return ([from_.this] if from_ is not None else []) + [join.this for join in joins]


def _of_block(
    block: Block, database: duckdb.DuckDBPyConnection, rows: int | None, over: threading.Event
) -> list[Effect]:
    from sqlglot import exp

    parts: Parts
    if isinstance(block.query, exp.SetOperation):
        parts = SetParts(block)
    elif isinstance(block.query, exp.Select) and block.query.args.get("from_") is not None:
        parts = SelectParts(block)
    else:
        return []
    if not parts.names:
        return []
    if (why := _untellable(block.query)) is not None:
        return parts.untold(why)
    import duckdb

    for aliases in (False, True):
        if over.is_set():
            break
        try:
            counts = parts.count(database, known=rows is not None, aliases=aliases)
        except (duckdb.Error, RecursionError):
            continue
        return parts.told(counts, rows)
    if over.is_set():
        return parts.untold("counting would have taken longer than the step itself")
    return parts.untold("it cannot be counted apart from the rest")


def _untellable(query: exp.Expr) -> str | None:
    """Why a block's parts cannot be counted one by one; None where they can."""
    with_ = query.args.get("with_")
    if with_ is not None and with_.args.get("recursive"):
        return "it is recursive"
    doubts = [doubt for doubt in unsettled([query]) if not doubt.startswith(("LIMIT", "OFFSET"))]
    if doubts:
        return doubts[0]
    if any(join_words(join)[0] == "CROSS JOIN" for join in query.args.get("joins") or []):
        return "pairs of rows are found in WHERE; JOIN … ON can be told"
    return None
