"""The record as OpenLineage run events: ingests, checks of contracts, builds, features.

One START and one COMPLETE or FAIL for each, in the order of the chain. The record has no clock but
its own: where evidence does not say how long something took, both have the time of its entry.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.data.contract.record import ContractPredicate
from trackrecord.data.ingest.record import IngestPredicate
from trackrecord.data.lineage.build_events import build_event, features_event
from trackrecord.data.lineage.columns import Columns
from trackrecord.data.lineage.facets import (
    PRODUCER,
    SPEC,
    dataset,
    facet,
    metrics_facet,
    run_id,
    schema_facet,
)
from trackrecord.data.lineage.gather import gathered
from trackrecord.data.lineage.known import Said
from trackrecord.data.lineage.told import Told
from trackrecord.errors import TrackrecordError

# How raw files are read whose columns are the table's own.
ALIKE = ("csv", "jsonl", "parquet", "arrow")


def events_of(root: Path, namespace: str) -> tuple[list[dict[str, Any]], list[str]]:
    """All events of a workspace, oldest first; and what could not be told.

    ``namespace`` is that of jobs and datasets; a dataset's name is its path in the workspace.
    """
    known, graph = gathered(root)
    columns = Columns(root, graph)
    problems = list(known.problems)
    found: list[tuple[int, list[dict[str, Any]]]] = []
    makers: dict[str, Callable[[Said], Told]] = {
        "ingest": lambda one: _ingest(namespace, one),
        "contract": lambda one: _check(namespace, one),
        "build": lambda one: build_event(namespace, one, known, columns),
        "features": lambda one: features_event(namespace, one, known, columns),
    }
    for kind, told_of in makers.items():
        for one in known.said(kind):
            try:
                told = told_of(one)
            except (TrackrecordError, IndexError) as error:
                problems.append(f"entry {one.entry.seq} of the chain, {kind}: {error}")
                continue
            found.append((one.entry.seq, _events(namespace, one, told)))
    found.sort(key=lambda pair: pair[0])
    return [event for _, events in found for event in events], problems


def _events(namespace: str, one: Said, told: Told) -> list[dict[str, Any]]:
    """START and what followed it. Inputs are known at the start, outputs at the end."""
    run: dict[str, Any] = {"runId": run_id(one.entry.digest, one.entry.time)}
    run["facets"] = _engine(told) | told.run_facets
    run["facets"] |= facet("trackrecord_evidence", sha256=one.entry.evidence, entry=one.entry.seq)
    job = {
        "namespace": namespace,
        "name": told.job,
        "facets": facet("documentation", description=told.description)
        | facet("jobType", processingType="BATCH", integration="TRACKRECORD", jobType=told.kind)
        | told.job_facets,
    }
    first: dict[str, Any] = {
        "eventType": "START", "eventTime": _moment(told.started, one), "run": run, "job": job,
        "inputs": told.inputs, "outputs": [], "producer": PRODUCER, "schemaURL": SPEC,
    }  # fmt: skip
    last = {
        **first,
        "eventType": "COMPLETE",
        "eventTime": _moment(told.ended, one),
        "outputs": told.outputs,
    }
    if told.error:
        error = facet("errorMessage", message=told.error, programmingLanguage="SQL")
        last |= {"eventType": "FAIL", "run": {**run, "facets": run["facets"] | error}}
    return [first, last]


def _engine(told: Told) -> dict[str, Any]:
    name, _, version = (told.engine or f"trackrecord {told.tool}").partition(" ")
    return facet("processing_engine", name=name, version=version or told.tool)


def _moment(time: str, one: Said) -> str:
    """A time of the evidence, or else when it was written down."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        moment = datetime.fromisoformat(one.entry.time)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ingest(namespace: str, one: Said) -> Told:
    """Raw bytes that became a table."""
    said = msgspec.convert(one.predicate, IngestPredicate)
    raw = f"data/raw/{said.raw}"
    tags = [
        {"key": key, "value": value or "not said", "source": "trackrecord"}
        for key, value in (("licence", said.license), ("origin", said.origin))
    ]
    given = dataset(namespace, raw, version=said.raw, facets=facet("tags", tags=tags))
    given["inputFacets"] = facet("inputStatistics", size=said.bytes, fileCount=said.files)
    facets = schema_facet((column.name, column.kind) for column in said.columns)
    facets |= facet(
        "lifecycleStateChange", lifecycleStateChange="OVERWRITE" if said.replaces else "CREATE"
    )
    if said.read.format in ALIKE:
        read = {column.name: _read_as(namespace, raw, column) for column in said.columns}
        facets |= facet("columnLineage", fields=read, dataset=[])
    made = dataset(namespace, f"data/{said.source}.parquet", version=said.parquet, facets=facets)
    missing = {column.name: column.missing for column in said.columns}
    made["facets"] |= metrics_facet(said.rows, missing, given=False)
    made["outputFacets"] = facet("outputStatistics", rowCount=said.rows, fileCount=1)
    job: dict[str, Any] = {}
    if said.read.query:
        job = facet("sql", query=said.read.query)
    return Told(
        job=f"ingest.{said.source}",
        kind="INGEST",
        description=f"Keeps the bytes of {said.source}, and makes a table of them.",
        tool=said.tool,
        job_facets=job,
        inputs=[given],
        outputs=[made],
    )


def _read_as(namespace: str, raw: str, column: Any) -> dict[str, Any]:
    how = {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": f"read as {column.kind}"}
    return {
        "inputFields": [
            {"namespace": namespace, "name": raw, "field": column.name, "transformations": [how]}
        ]
    }


def _check(namespace: str, one: Said) -> Told:
    """A table against its contract; broken rules end it in FAIL."""
    said = msgspec.convert(one.predicate, ContractPredicate)
    table = one.statement.subject[1]
    assertions = []
    for rule in said.rules:
        if rule.status == "not checked":
            continue
        column, dot, what = rule.name.rpartition(".")
        told = {
            "assertion": what or rule.name,
            "success": rule.status == "held",
            "name": rule.name,
            "description": rule.asks,
            "severity": "error",
        }
        if dot:
            told["column"] = column
        if rule.failed is not None:
            told |= {"expected": "0 rows broken", "actual": f"{rule.failed} of {rule.rows}"}
        assertions.append(told)
    given = dataset(namespace, table.name, version=table.digest.get("sha256", ""))
    given["inputFacets"] = facet("dataQualityAssertions", assertions=assertions)
    given["inputFacets"] |= metrics_facet(said.rows, {}, given=True)
    broken = [rule.name for rule in said.rules if rule.status == "failed"]
    return Told(
        job=f"contract.{said.name}",
        kind="CHECK",
        description=f"Holds {table.name} to version {said.version} of its contract.",
        error="" if said.holds else f"broken: {', '.join(broken)}"[:2000],
        inputs=[given],
    )
