"""Queries that count the rows before and after each part of a SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.data.build.effect import Effect
from trackrecord.data.build.words import (
    conjuncts,
    join_sql,
    join_words,
    semi_join,
    tail_words,
    words,
)

if TYPE_CHECKING:
    import duckdb
    from sqlglot import exp

MOST_CONDITIONS = 40
TAIL = ("having", "qualify", "distinct", "limit")


class Block(NamedTuple):
    """One SELECT with the common table expressions that it sees."""

    part: str
    query: exp.Expr
    before: list[exp.Expr]


class _Counted(NamedTuple):
    """A clause, its words, and how its numbers come out of the counts before and after it."""

    clause: str
    what: str
    mode: str


class Parts:
    """The parts of one block and the queries that count them."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.names: list[_Counted] = []

    def count(
        self, database: duckdb.DuckDBPyConnection, *, known: bool, aliases: bool
    ) -> list[int]:
        """Rows before the first part, and after each; of the last only where it is not known."""
        raise NotImplementedError

    def told(self, counts: list[int], rows: int | None) -> list[Effect]:
        raise NotImplementedError

    def untold(self, why: str) -> list[Effect]:
        """The parts without numbers."""
        return [Effect(self.block.part, one.clause, one.what, untold=why) for one in self.names]

    def ask(self, database: duckdb.DuckDBPyConnection, queries: list[str]) -> list[int]:
        """Each query's one number; all in one go, so that what they share is worked out once."""
        if not queries:
            return []
        selected = ", ".join(f"({query})" for query in queries)
        (row,) = database.execute(f"{self.prefix()}SELECT {selected}").fetchall()
        return [int(value or 0) for value in row]

    def prefix(self) -> str:
        if not self.block.before:
            return ""
        written = ", ".join(cte.sql(dialect="duckdb") for cte in self.block.before)
        return f"WITH {written} "


class SelectParts(Parts):
    """FROM, joins, WHERE; then what follows."""

    def __init__(self, block: Block) -> None:

        from sqlglot import exp

        super().__init__(block)
        query = block.query.copy()
        query.set("with_", None)
        self.query = query
        self.joins: list[exp.Expr] = query.args.get("joins") or []
        where = query.args.get("where")
        self.conditions = _at_most(conjuncts(where.this)) if where is not None else []
        for join in self.joins:
            self.names.append(_Counted(*join_words(join)))
        for condition in self.conditions:
            self.names.append(_Counted("WHERE", words(condition), "lost"))
        group = query.args.get("group")
        self.grouped = True
        if group is not None:
            self.names.append(_Counted("GROUP BY", words(group).removeprefix("GROUP BY "), "group"))
        elif _aggregates(query):
            self.names.append(_Counted("GROUP BY", "all rows are one group", "group"))
        elif any(one.find(exp.Unnest, exp.Explode) for one in query.expressions):
            self.names.append(_Counted("SELECT", "unnest makes a row of each element", "net"))
        else:
            self.grouped = False
        self.tail = [name for name in TAIL if query.args.get(name) is not None]
        if query.args.get("offset") is not None and "limit" not in self.tail:
            self.tail.append("limit")
        for name in self.tail:
            node: Any = query.args.get(name) or query.args.get("offset")
            self.names.append(_Counted(*tail_words(name, node)))

    def count(
        self, database: duckdb.DuckDBPyConnection, *, known: bool, aliases: bool
    ) -> list[int]:
        """Of a join there are two numbers: the rows before it that have a partner, and after it."""
        base = f"FROM {self.query.args['from_'].this.sql(dialect='duckdb')}"
        queries = [f"SELECT count(*) {base}"]
        for number, join in enumerate(self.joins, 1):
            if (semi := semi_join(join)) is not None:
                queries.append(f"SELECT count(*) {base} {semi}")
            base += join_sql(join)
            if not (known and number == len(self.names)):
                queries.append(f"SELECT count(*) {base}")
        counts = self.ask(database, queries)
        if self.conditions:
            counts += self._conditions(database, base, aliases)
        stages = (["group"] if self.grouped else []) + self.tail
        wanted = stages[:-1] if known else stages
        queries = [f"SELECT count(*) FROM ({self._until(stage)})" for stage in wanted]
        return counts + self.ask(database, queries)

    def _conditions(
        self, database: duckdb.DuckDBPyConnection, base: str, aliases: bool
    ) -> list[int]:
        written = [
            (self._without_aliases(one) if aliases else one).sql(dialect="duckdb")
            for one in self.conditions
        ]
        columns = ", ".join(f"({text}) AS __{n}" for n, text in enumerate(written))
        passed = ", ".join(
            f"count(*) FILTER ({' AND '.join(f'__{k}' for k in range(n + 1))})"
            for n in range(len(written))
        )
        (row,) = database.execute(
            f"{self.prefix()}SELECT {passed} FROM (SELECT {columns} {base})"
        ).fetchall()
        return [int(value) for value in row]

    def _without_aliases(self, condition: exp.Expr) -> exp.Expr:
        """The condition with the names that the SELECT gives written out, as DuckDB takes them."""
        from sqlglot import exp

        meant = {
            one.alias.lower(): one.this
            for one in self.query.expressions
            if isinstance(one, exp.Alias)
        }

        def written_out(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and not node.table and node.name.lower() in meant:
                return exp.paren(meant[node.name.lower()].copy())
            return node

        return condition.copy().transform(written_out)

    def _until(self, stage: str) -> str:
        """The query with what comes after ``stage`` left out."""
        query = self.query.copy()
        order = ["group", *TAIL]
        for name in order[order.index(stage) + 1 :]:
            query.set(name, None)
        if "limit" not in order[: order.index(stage) + 1]:
            query.set("offset", None)
        query.set("order", None)
        return query.sql(dialect="duckdb")

    def told(self, counts: list[int], rows: int | None) -> list[Effect]:
        left = iter(counts)
        now = next(left)
        found = []
        last = len(self.names) - 1
        for number, one in enumerate(self.names):
            partners = next(left) if one.mode == "inner" else None
            after = next(left, None)
            if after is None and number == last:
                after = rows
            if after is None:
                found.append(Effect(self.block.part, one.clause, one.what, untold="not counted"))
                continue
            found.append(_effect(self.block.part, one, now, after, partners))
            now = after
        if rows is not None and now != rows:
            return self.untold("the counts do not come out at the rows that the step gave")
        return found


class SetParts(Parts):
    """UNION, INTERSECT, EXCEPT."""

    def __init__(self, block: Block) -> None:
        from sqlglot import exp

        super().__init__(block)
        query = block.query
        distinct = bool(query.args.get("distinct"))
        kinds = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
        clause = next(name for kind, name in kinds.items() if isinstance(query, kind))
        if clause == "UNION" and not distinct and query.args.get("limit") is None:
            return
        what = "rows that are there twice are one" if clause == "UNION" else "rows of both sides"
        self.names.append(_Counted(clause if distinct else f"{clause} ALL", what, "lost"))

    def count(
        self, database: duckdb.DuckDBPyConnection, *, known: bool, aliases: bool
    ) -> list[int]:
        query: Any = self.block.query.copy()
        query.set("with_", None)
        arms = (query.left, query.right) if self.names[0].clause == "UNION" else (query.left,)
        queries = [f"SELECT count(*) FROM ({arm.sql(dialect='duckdb')})" for arm in arms]
        return [
            sum(self.ask(database, queries)),
            *self.ask(database, [f"SELECT count(*) FROM ({query.sql(dialect='duckdb')})"]),
        ]

    def told(self, counts: list[int], rows: int | None) -> list[Effect]:
        before, after = counts
        return [_effect(self.block.part, self.names[0], before, after, None)]


def _effect(part: str, one: _Counted, now: int, after: int, partners: int | None) -> Effect:
    if one.mode == "inner" and partners is not None:
        lost, added = now - partners, after - partners
    elif one.mode == "group":
        lost, added = 0, 0
    else:
        lost, added = max(0, now - after), max(0, after - now)
    return Effect(part, one.clause, one.what, now, after, lost, added)


def _aggregates(query: exp.Expr) -> bool:
    """Whether a SELECT without GROUP BY makes one row of all."""
    from sqlglot import exp

    for one in query.expressions:
        for function in one.find_all(exp.AggFunc):
            if function.find_ancestor(exp.Window, exp.Select) is query:
                return True
    return False


def _at_most(conditions: list[exp.Expr]) -> list[exp.Expr]:
    """The conditions; the last ones of very many are one."""
    from sqlglot import exp

    if len(conditions) <= MOST_CONDITIONS:
        return conditions
    rest = exp.and_(*conditions[MOST_CONDITIONS - 1 :], copy=False)
    return [*conditions[: MOST_CONDITIONS - 1], rest]
