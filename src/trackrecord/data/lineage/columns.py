"""Column lineage through the whole pipeline: from a column of a table back to the raw bytes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from trackrecord.data.build.steps import step_text
from trackrecord.data.lineage.features import feature_of
from trackrecord.data.lineage.graph import Graph, Node
from trackrecord.data.lineage.query import Origin, Query, Term, read_query
from trackrecord.errors import BadInput, DataError, TrackrecordError, suggest

# Beyond so many a tree is no longer read.
MOST = 500
DEEPEST = 100


class Made(msgspec.Struct, frozen=True):
    """A column of a table and how it was made.

    ``by`` is the file of the step, or the raw file; ``expression`` is SQL in columns of the tables
    that the step reads. ``untold`` says why the origin, or all of it, cannot be told; ``again``
    that the same column is in the tree before, where all of this stands.
    """

    table: str
    column: str
    kind: str = ""
    by: str = ""
    expression: str = ""
    copied: bool = False
    untold: str = ""
    again: bool = False
    made_of: list[Made] = []


class Columns:
    """Column lineage of one workspace; each step's SQL is read once."""

    def __init__(self, root: Path, graph: Graph) -> None:
        self.root = root
        self.graph = graph
        self._queries: dict[str, Query | None] = {}
        self._open: set[str] = set()

    def node(self, table: str) -> Node | None:
        """The table with this name: what a step makes, or a source."""
        known = self.graph.by_id
        wanted = table.lower()
        kinds = ("table", "source", "features")
        return next(
            (known[f"{kind}:{wanted}"] for kind in kinds if f"{kind}:{wanted}" in known), None
        )

    def query(self, table: str) -> Query | None:
        """What the step that makes ``table`` says; None where it is no step in SQL."""
        if table in self._queries:
            return self._queries[table]
        step = self.graph.by_id.get(f"step:{table}")
        if step is None or not step.file.endswith(".sql") or table in self._open:
            return None
        self._open.add(table)
        reads = [node.name for node in map(self.graph.by_id.__getitem__, self.graph.above[step.id])]
        tables = {name: self.names(name) for name in reads}
        try:
            found = read_query(step_text(self.root / step.file), step.file, tables)
        except DataError as error:
            found = Query([], untold=error.what)
        self._open.discard(table)
        self._queries[table] = self._as_built(table, found)
        return self._queries[table]

    def _as_built(self, table: str, found: Query) -> Query:
        """The terms with the names that their columns got, where the table is of this query."""
        node, step = self.node(table), self.graph.by_id.get(f"step:{table}")
        fields = node.fields if node else []
        if step is None or step.state != "fresh" or len(fields) != len(found.terms):
            return found
        terms = [
            msgspec.structs.replace(term, column=field.name)
            for field, term in zip(fields, found.terms, strict=True)
        ]
        return msgspec.structs.replace(found, terms=terms)

    def terms(self, node: Node) -> Query | None:
        """How each column of a table is made; None where nothing says it."""
        if node.kind != "features":
            return self.query(node.name) if node.kind == "table" else None
        try:
            terms = [feature_of(self.root, node.name, f.name, self.names) for f in node.fields]
        except TrackrecordError as error:
            return Query([], untold=error.what)
        return Query(
            [msgspec.structs.replace(t, expression=t.expression or _own(t)) for t in terms]
        )

    def names(self, table: str) -> list[str] | None:
        """The columns of a table: as its step says, else as its file has them; None: unknown."""
        query = self.query(table)
        if query and query.terms and all(term.column != "*" for term in query.terms):
            return [term.column for term in query.terms]
        node = self.node(table)
        return [field.name for field in node.fields] if node and node.fields else None

    def made(self, table: str, column: str) -> Made:
        """The tree of a column. Raises BadInput for a column that the table has not."""
        node = self.node(table)
        if node is not None:
            # In the order that data goes, so that no query has to wait for one before it.
            above = self.graph.upstream(node.id)
            for step in (one for one in self.graph.nodes if one.kind == "step" and one.id in above):
                for target in self.graph.below[step.id]:
                    self.query(self.graph.by_id[target].name)
        names = self.names(table)
        found = next((n for n in names or () if n.lower() == column.lower()), None)
        if names is not None and found is None:
            near = suggest(column, names)
            raise BadInput(
                f"the table {table!r} has no column {column!r}",
                where=node.file if node else None,
                why=f"did you mean {near!r}?" if near else f"columns: {', '.join(names[:40])}",
                next=f"trackrecord data lineage {table}",
            )
        return self._made(Origin(table, found or column), set(), ())

    def _made(self, at: Origin, seen: set[Origin], path: tuple[Origin, ...]) -> Made:
        node = self.node(at.table)
        kind = next((f.kind for f in node.fields if f.name == at.column), "") if node else ""
        if node is None:
            return Made(at.table, at.column, untold=f"there is no table {at.table}")
        if at in path or len(seen) > MOST or len(path) > DEEPEST:
            why = "it is made of itself" if at in path else "there is more than can be shown"
            return Made(at.table, at.column, kind, untold=why)
        if node.kind == "source":
            raw = [self.graph.by_id[name] for name in self.graph.above[node.id]]
            if not raw:
                return Made(at.table, at.column, kind, untold=node.why)
            return Made(at.table, at.column, kind, by=raw[0].name)
        if at in seen:
            return Made(at.table, at.column, kind, again=True)
        seen.add(at)
        if node.kind == "features":
            return self._feature(node, at, kind, seen, path)
        step = self.graph.by_id[f"step:{node.name}"]
        made = Made(at.table, at.column, kind, by=step.file)
        query = self.query(node.name)
        if query is None:
            why = "a step in Python does not say which columns go in"
            reads = step.facts.get("reads", "")
            return msgspec.structs.replace(made, untold=f"{why}; it reads {reads}")
        term = query.term(at.column)
        if query.untold or term is None:
            why = query.untold or _star(query)
            return msgspec.structs.replace(made, untold=why)
        return msgspec.structs.replace(
            made,
            expression=term.expression,
            copied=term.copied,
            untold=term.untold,
            made_of=[self._made(one, seen, (*path, at)) for one in term.made_of],
        )

    def _feature(
        self, node: Node, at: Origin, kind: str, seen: set[Origin], path: tuple[Origin, ...]
    ) -> Made:
        """A feature, as its definition takes it of events; or a column of the rows, as it was."""
        made = Made(at.table, at.column, kind, by=node.facts.get("defined in", ""))
        try:
            found = feature_of(self.root, node.name, at.column, self.names)
        except TrackrecordError as error:
            return msgspec.structs.replace(made, untold=error.what)
        return msgspec.structs.replace(
            made,
            expression=found.expression,
            copied=found.copied,
            untold=found.untold,
            made_of=[self._made(one, seen, (*path, at)) for one in found.made_of],
        )


def _own(term: Term) -> str:
    return ", ".join(f"{origin.table}.{origin.column}" for origin in term.made_of)


def _star(query: Query) -> str:
    untold = (term.untold for term in query.terms if term.untold)
    return next(untold, "its query gives no such column")
