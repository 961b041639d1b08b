"""Feature views as nodes: what each is defined by, and the table that was made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trackrecord.data.features.spec import Definition, Feature, read_definition
from trackrecord.data.lineage.graph import Node, State
from trackrecord.data.lineage.known import Known, Said, fields_of
from trackrecord.data.lineage.query import Origin, Term, read_query
from trackrecord.data.named import NAME, built_table
from trackrecord.errors import TrackrecordError


def add_features(known: Known) -> None:
    """Each ``features/NAME.toml`` with the tables that it reads."""
    for path in sorted((known.root / "features").glob("*.toml")):
        name, shown = path.stem, f"features/{path.name}"
        if not NAME.match(name):
            continue
        try:
            definition = read_definition(known.root, name).definition
        except TrackrecordError as error:
            why = known.problem(error)
            known.add(
                Node(
                    id=f"features:{name}", kind="features", name=name, file=shown,
                    state="damaged", why=why,
                )
            )  # fmt: skip
            continue
        _add_view(known, name, definition)


def _add_view(known: Known, name: str, definition: Definition) -> None:
    tables = [definition.rows.table]
    for view in definition.view.values():
        tables += [view.table] if view.table else list(view.reads)
    path = built_table(known.root, name)
    shown = f"data/built/{name}.parquet"
    made = known.last("features", "name", name)
    fields, rows = fields_of(path)
    state, why = _stands(known, name, made, shown)
    known.add(
        Node(
            id=f"features:{name}",
            kind="features",
            name=name,
            file=shown,
            digest=known.sha256(path) or "",
            made=made.entry.time if made else "",
            state=state,
            why=why,
            rows=rows,
            facts={
                "defined in": f"features/{name}.toml",
                "rows of": definition.rows.table,
                "known by": definition.rows.known_by,
                "views": ", ".join(definition.view),
            },
            fields=fields,
        ),
        *(known.table(one, f"features/{name}.toml") for one in dict.fromkeys(tables)),
    )


def _stands(known: Known, name: str, made: Said | None, shown: str) -> tuple[State, str]:
    """Whether the features are those that were made, by this definition, of these tables."""
    if not (known.root / shown).is_file():
        if made is None:
            return "unmade", f"they are not made yet: trackrecord features build {name}"
        return "missing", f"{shown} is gone"
    if made is None:
        return "unknown", "the record does not say how they were made"
    for subject in made.statement.subject:
        if known.sha256(known.root / subject.name) != subject.digest.get("sha256"):
            return "stale", f"{subject.name} has changed since they were made"
    return "fresh", ""


def feature_of(
    root: Path, name: str, column: str, names_of: Callable[[str], list[str] | None]
) -> Term:
    """How a column of features is made; ``names_of`` gives the columns of a table.

    Raises TrackrecordError where the definition cannot be read.
    """
    written = read_definition(root, name)
    rows = written.definition.rows
    for view, plan in zip(written.definition.view.values(), written.plan.views, strict=True):
        for take in plan.takes:
            if take.name != column:
                continue
            given = view.features.get(column) or Feature(latest=take.column)
            told = f"{take.how} {take.column}".replace("*", "of events")
            told += f" within {given.window}" if given.window else ""
            told += f", known by {rows.known_by}"
            if view.table is not None:
                of = [] if take.column == "*" else [Origin(view.table, take.column)]
                return Term(column, told, of)
            tables = {table: names_of(table) for table in view.reads}
            query = read_query(view.sql or "", written.shown, tables)
            term = query.term(take.column)
            if term is None:
                why = "" if take.column == "*" else query.untold or "its SQL gives no such column"
                return Term(column, told, untold=why)
            return Term(column, f"{told}: {term.expression}", term.made_of, untold=term.untold)
    return Term(column, "", [Origin(rows.table, column)], copied=True)
