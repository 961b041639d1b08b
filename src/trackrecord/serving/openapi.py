"""An OpenAPI 3.1 document of one model: its own columns, with their kinds, ranges and examples."""

from __future__ import annotations

import math
from typing import Any

from trackrecord.modeling.export.bundle import Feature
from trackrecord.serving.loaded import Loaded
from trackrecord.serving.rows import MOST_ROWS
from trackrecord.version import __version__

# What a model can take: what still rounds to the greatest float32.
GREATEST = math.nextafter(2.0**128 - 2.0**103, 0.0)
KINDS = {"string": "string", "number": "number", "boolean": "boolean"}


def document(loaded: Loaded) -> dict[str, Any]:
    """The document for the version that answers now."""
    bundle = loaded.bundle
    example = bundle.probe.rows[0] if bundle.probe.rows else None
    schemas: dict[str, Any] = {
        "Row": {
            "type": "object",
            "additionalProperties": False,
            "required": loaded.names,
            "properties": {feature.name: _property(feature) for feature in bundle.features},
            **({"examples": [example]} if example else {}),
        },
        "Rows": {
            "type": "object",
            "additionalProperties": False,
            "required": ["rows"],
            "properties": {
                "rows": {
                    "type": "array",
                    "maxItems": MOST_ROWS,
                    "items": {"$ref": "#/components/schemas/Row"},
                }
            },
        },
        "Prediction": {
            "type": "object",
            "required": ["probability", "label"],
            "properties": {
                "probability": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 1,
                    "description": f"of: {bundle.positive}",
                },
                "label": {
                    "type": "boolean",
                    "description": f"whether the probability reaches {bundle.threshold}",
                },
            },
        },
        "Answer": _with_origin({"allOf": [{"$ref": "#/components/schemas/Prediction"}]}, {}),
        "Answers": _with_origin(
            {},
            {
                "predictions": {
                    "type": "array",
                    "items": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Prediction"},
                            {"$ref": "#/components/schemas/Failure"},
                        ]
                    },
                },
                "failed": {"type": "integer", "description": "rows without an answer"},
            },
        ),
        "Failure": {
            "type": "object",
            "required": ["errors"],
            "properties": {
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}
            },
        },
        "Fault": {
            "type": "object",
            "required": ["row", "why"],
            "properties": {
                "row": {"type": "integer"},
                "column": {"type": "string"},
                "why": {"type": "string"},
                "did_you_mean": {"type": "string"},
            },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {"type": "string"},
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
                "request_id": {"type": "string"},
            },
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{bundle.case}: {bundle.question}",
            "version": str(loaded.version),
            "description": f"Served by trackrecord {__version__}; run {bundle.run}, evidence"
            f" {bundle.evidence}. Inference by the Open Inference Protocol is at /v2.",
        },
        "paths": {
            "/predict": {"post": _predict()},
            "/v2/health/live": {"get": _get("The server runs", {"200": "it does"})},
            "/v2/health/ready": {
                "get": _get(
                    "The model answers its probe rows", {"200": "it does", "503": "it does not"}
                )
            },
            "/health": {"get": _get("Versions that answer, and those refused", {"200": "state"})},
            "/metrics": {"get": _get("Figures for Prometheus", {"200": "text"})},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        # A server without keys asks for none.
        "security": [{}, {"bearer": []}, {"header": []}],
    }


def _property(feature: Feature) -> dict[str, Any]:
    told: dict[str, Any] = {"type": [KINDS[feature.kind], "null"]}
    if feature.kind == "number":
        told |= {"minimum": -GREATEST, "maximum": GREATEST}
    if feature.lo is not None and feature.hi is not None:
        told["description"] = f"in training from {feature.lo:g} to {feature.hi:g}"
    elif feature.values:
        told["examples"] = feature.values[:10]
    return told


def _with_origin(more: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """An answer that also says which model gave it."""
    origin = {
        "threshold": {"type": "number"},
        "model": {"type": "string"},
        "version": {"type": "integer"},
        "request_id": {"type": "string"},
    }
    return {
        **more,
        "type": "object",
        "required": [*properties, *origin],
        "properties": {**properties, **origin},
    }


def _get(summary: str, answers: dict[str, str]) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {code: {"description": text} for code, text in answers.items()},
    }


def _predict() -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "summary": "The probability of one row, or of each of many",
        "parameters": [
            {
                "name": "X-Request-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "comes back where it has at most 128 letters, digits and -_.:/+=@;"
                " else one is made",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Row"},
                            {"$ref": "#/components/schemas/Rows"},
                        ]
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "answers; of many rows, each may have failed alone",
                "content": {
                    "application/json": {
                        "schema": {
                            "anyOf": [
                                {"$ref": "#/components/schemas/Answer"},
                                {"$ref": "#/components/schemas/Answers"},
                            ]
                        }
                    }
                },
            },
            "400": {"description": "no JSON, or no rows", "content": error},
            "401": {"description": "a key is needed", "content": error},
            "403": {"description": "asked by a page of another origin", "content": error},
            "413": {"description": "too large", "content": error},
            "415": {"description": "compressed", "content": error},
            "421": {"description": "asked under a name that is not the server's", "content": error},
            "422": {"description": "which column of which row, and why", "content": error},
            "500": {"description": "the model failed", "content": error},
            "503": {"description": "busy: see Retry-After", "content": error},
        },
    }
