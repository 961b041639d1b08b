"""Builds of steps and features as OpenLineage jobs, their columns followed where that is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from trackrecord.data.build.record import BuildPredicate
from trackrecord.data.build.steps import step_text
from trackrecord.data.features.record import FeaturesPredicate
from trackrecord.data.lineage.columns import Columns
from trackrecord.data.lineage.facets import dataset, facet, metrics_facet, schema_facet
from trackrecord.data.lineage.features import feature_of
from trackrecord.data.lineage.known import Known, Said
from trackrecord.data.lineage.query import Origin, Query, Term
from trackrecord.data.lineage.told import Told
from trackrecord.errors import TrackrecordError


def build_event(namespace: str, one: Said, known: Known, columns: Columns) -> Told:
    """A step that ran. Its text, and its columns' origins, while its file still says the same."""
    said = msgspec.convert(one.predicate, BuildPredicate)
    files = {given.name: _file(columns, given.name) for given in said.inputs}
    inputs = []
    for given in said.inputs:
        read = dataset(namespace, files[given.name], version=given.parquet)
        read["inputFacets"] = facet("inputStatistics", rowCount=given.rows, fileCount=1)
        inputs.append(read)
    facets = schema_facet((column.name, column.kind) for column in said.columns)
    missing = {column.name: column.missing for column in said.columns}
    facets |= metrics_facet(said.rows, missing, given=False)
    facets |= facet(
        "lifecycleStateChange", lifecycleStateChange="OVERWRITE" if said.replaces else "CREATE"
    )
    if said.contract is not None:
        held = {
            "assertion": "contract",
            "success": True,
            "name": f"{said.contract.name} {said.contract.version}",
            "description": f"{said.contract.rules} rules held before the table got its name",
        }
        facets |= facet("dataQualityAssertions", assertions=[held])
    job: dict[str, Any] = {}
    step = columns.graph.by_id.get(f"step:{said.step}")
    if step is not None and step.digest == said.digest:
        text = step_text(known.root / step.file)
        if said.kind == "sql":
            job = facet("sql", query=text, dialect="duckdb")
            query = columns.query(said.step)
            if query is not None:
                names = [column.name for column in said.columns]
                facets |= _followed(namespace, names, query, files)
        else:
            job = facet("sourceCode", language="PYTHON", sourceCode=text)
    made = dataset(
        namespace, f"data/built/{said.step}.parquet", version=said.parquet, facets=facets
    )
    made["outputFacets"] = facet("outputStatistics", rowCount=said.rows, fileCount=1)
    run = {}
    if said.effects:
        effects = [
            {key: value for key, value in msgspec.to_builtins(effect).items() if value is not None}
            for effect in said.effects
        ]
        run = facet("trackrecord_rows", effects=effects)
    return Told(
        job=f"build.{said.step}",
        kind="QUERY" if said.kind == "sql" else "TASK",
        description=f"Builds {said.step} by {said.file}; it ran because {', '.join(said.why)}.",
        tool=said.tool,
        job_facets=job,
        run_facets=run,
        inputs=inputs,
        outputs=[made],
        started=said.started,
        ended=said.ended,
        engine=said.engine,
    )


def features_event(namespace: str, one: Said, known: Known, columns: Columns) -> Told:
    """Features that were made, each column as the definition takes it, while that is the same."""
    said = msgspec.convert(one.predicate, FeaturesPredicate)
    out, definition, *given = one.statement.subject
    kinds = {f.name: f.kind for f in node.fields} if (node := columns.node(said.name)) else {}
    facets = schema_facet((name, kinds.get(name, "")) for name in said.columns)
    if known.sha256(known.root / definition.name) == definition.digest.get("sha256"):
        terms = []
        try:
            for name in said.columns:
                terms.append(feature_of(known.root, said.name, name, columns.names))
        except TrackrecordError:
            terms = []
        files = {table: _file(columns, table) for term in terms for table in _tables(term)}
        facets |= _followed(namespace, said.columns, Query(terms), files)
    made = dataset(namespace, out.name, version=out.digest.get("sha256", ""), facets=facets)
    made["outputFacets"] = facet("outputStatistics", rowCount=said.rows, fileCount=1)
    return Told(
        job=f"features.{said.name}",
        kind="TASK",
        description=said.definition.description
        or f"Makes the features {said.name}, as known {said.definition.rows.known_by}.",
        tool=said.tool,
        inputs=[dataset(namespace, s.name, version=s.digest.get("sha256", "")) for s in given],
        outputs=[made],
    )


def _tables(term: Term) -> Iterable[str]:
    return (origin.table for origin in term.made_of)


def _file(columns: Columns, table: str) -> str:
    node = columns.node(table)
    return node.file if node is not None else f"data/{table}.parquet"


def _followed(
    namespace: str, names: list[str], query: Query, files: dict[str, str]
) -> dict[str, Any]:
    """Columns and what is in them, in OpenLineage's words; nothing where nothing can be told."""

    def field(origin: Origin, how: dict[str, str]) -> dict[str, Any]:
        name = files.get(origin.table, f"data/{origin.table}.parquet")
        told = {"namespace": namespace, "name": name, "field": origin.column}
        return {**told, "transformations": [how]}

    fields = {}
    for name in names:
        term = query.term(name)
        if term is None or not term.made_of:
            continue
        subtype = "IDENTITY" if term.copied else "AGGREGATION" if term.gathers else "TRANSFORMATION"
        how = {"type": "DIRECT", "subtype": subtype, "description": term.expression}
        fields[name] = {"inputFields": [field(origin, how) for origin in term.made_of]}
    chosen = [
        field(choice.origin, {"type": "INDIRECT", "subtype": choice.how})
        for choice in query.choices
    ]
    if not fields and not chosen:
        return {}
    return facet("columnLineage", fields=fields, dataset=chosen)
