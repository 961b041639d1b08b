"""OpenLineage's facets and datasets: the few that this record can fill, each with its schema's URL.

The specification: https://openlineage.io/docs/spec/facets/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from trackrecord.version import __version__

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
PRODUCER = f"urn:trackrecord:producer:{__version__}"
_FACETS = "https://openlineage.io/spec/facets"

# The facet's key: (version of its schema, the schema's name).
SCHEMAS = {
    "schema": ("1-2-0", "SchemaDatasetFacet"),
    "dataSource": ("1-0-1", "DatasourceDatasetFacet"),
    "version": ("1-0-1", "DatasetVersionDatasetFacet"),
    "tags": ("1-0-0", "TagsDatasetFacet"),
    "columnLineage": ("1-2-0", "ColumnLineageDatasetFacet"),
    "lifecycleStateChange": ("1-0-1", "LifecycleStateChangeDatasetFacet"),
    "dataQualityMetrics": ("1-0-3", "DataQualityMetricsInputDatasetFacet"),
    "dataQualityAssertions": ("1-1-0", "DataQualityAssertionsDatasetFacet"),
    "inputStatistics": ("1-0-0", "InputStatisticsInputDatasetFacet"),
    "outputStatistics": ("1-0-2", "OutputStatisticsOutputDatasetFacet"),
    "documentation": ("1-1-0", "DocumentationJobFacet"),
    "jobType": ("2-0-4", "JobTypeJobFacet"),
    "sql": ("1-1-0", "SQLJobFacet"),
    "sourceCode": ("1-0-1", "SourceCodeJobFacet"),
    "errorMessage": ("1-0-1", "ErrorMessageRunFacet"),
    "processing_engine": ("1-1-1", "ProcessingEngineRunFacet"),
}


def facet(key: str, **content: Any) -> dict[str, Any]:
    """``{key: facet}``, ready to be merged; what is None is left out."""
    if key in SCHEMAS:
        version, name = SCHEMAS[key]
        url = f"{_FACETS}/{version}/{name}.json#/$defs/{name}"
    else:
        url = f"urn:trackrecord:facet:{key.removeprefix('trackrecord_')}:v1"
    kept = {name: value for name, value in content.items() if value is not None}
    return {key: {"_producer": PRODUCER, "_schemaURL": url, **kept}}


def dataset(
    namespace: str, name: str, *, version: str = "", facets: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A dataset: a file of the workspace, its version the SHA-256 of its bytes."""
    told = facet("dataSource", name=namespace, uri=f"urn:trackrecord:workspace:{quote(namespace)}")
    if version:
        told |= facet("version", datasetVersion=version)
    return {"namespace": namespace, "name": name, "facets": told | dict(facets or {})}


def schema_facet(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Columns with their kinds, in order."""
    listed = [
        {"name": name, "type": kind, "ordinal_position": number}
        for number, (name, kind) in enumerate(fields, start=1)
    ]
    return facet("schema", fields=listed)


def metrics_facet(rows: int, missing: Mapping[str, int], *, given: bool) -> dict[str, Any]:
    """How many rows have no value, by column; of an input where ``given``, else of any dataset."""
    metrics = {name: {"nullCount": count, "count": rows - count} for name, count in missing.items()}
    found = facet("dataQualityMetrics", rowCount=rows, columnMetrics=metrics)
    if not given:
        url = f"{_FACETS}/1-0-0/DataQualityMetricsDatasetFacet.json"
        found["dataQualityMetrics"]["_schemaURL"] = f"{url}#/$defs/DataQualityMetricsDatasetFacet"
    return found


def run_id(digest: str, time: str) -> str:
    """A UUID of version 7 (RFC 9562): the time, then bits of the chain entry's digest.

    The same entry has the same id wherever and how often it is told.
    """
    moment = datetime.fromisoformat(time)
    bits = hashlib.sha256(digest.encode()).digest()[:10]
    made = bytearray(int(moment.timestamp() * 1000).to_bytes(6, "big") + bits)
    made[6] = 0x70 | (made[6] & 0x0F)
    made[8] = 0x80 | (made[8] & 0x3F)
    text = made.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
