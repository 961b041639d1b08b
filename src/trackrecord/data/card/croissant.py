"""A source as Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""

from __future__ import annotations

from typing import Any

from trackrecord.data.card.datasheet import Sheet
from trackrecord.data.card.facts import Facts, Field

CONFORMS = "http://mlcommons.org/croissant/1.0"
RECORDS = "rows"

# The context that the specification gives, key for key.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

TYPES = {
    "string": "sc:Text",
    "missing": "sc:Text",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "time": "sc:DateTime",
}


def croissant(facts: Facts, sheet: Sheet) -> dict[str, Any]:
    """The JSON-LD document, to be written beside the table.

    What nobody has said (license, origin, creator …) is left out, never made up; the format's
    validator then warns, as it should.
    """
    source, top = facts.source, sheet.top
    table = f"{source.name}.parquet"
    told = {
        "description": top["description"],
        "license": source.license,
        "url": source.origin if "://" in source.origin else "",
        "citeAs": top["citation"],
        "datePublished": top["published"],
        "version": f"{len(facts.versions)}.0.0" if facts.versions else "",
    }
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": source.name,
        "conformsTo": CONFORMS,
        **{key: value for key, value in told.items() if value},
    }
    if top["creator"]:
        document["creator"] = {"@type": "sc:Organization", "name": top["creator"]}
    document["distribution"] = [
        {
            "@type": "cr:FileObject",
            "@id": table,
            "name": table,
            "description": f"The table made of {source.file}; its bytes as they came have the "
            f"SHA-256 {source.raw}.",
            "contentUrl": table,
            "contentSize": f"{facts.size} B",
            "encodingFormat": "application/x-parquet",
            "sha256": source.parquet,
        }
    ]
    document["recordSet"] = [
        {
            "@type": "cr:RecordSet",
            "@id": RECORDS,
            "name": RECORDS,
            "description": f"{source.rows:,} rows, in the order of the file.",
            "field": [_field(field, number, table) for number, field in enumerate(facts.fields)],
        }
    ]
    return document


def _field(field: Field, number: int, table: str) -> dict[str, Any]:
    kind = "sc:Integer" if field.whole else "sc:Float"
    # An id is part of an address: a column may have any name, so its number stands for it.
    return {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{number}",
        "name": field.name,
        "description": _described(field),
        "dataType": TYPES.get(field.kind, kind),
        "source": {"fileObject": {"@id": table}, "extract": {"column": field.name}},
    }


def _described(field: Field) -> str:
    told = [field.kind]
    if field.low is not None:
        told.append(f"from {field.low} to {field.high}")
    told.append(f"missing in {field.missing:,} rows" if field.missing else "never missing")
    return ", ".join(told)
