"""The page at ``/``: try the model by hand. Made of the bundle alone; nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.modeling.export.bundle import Feature
from trackrecord.serving.loaded import Loaded

HERE = Path(__file__).parent
# Suggestions for a text; others may be typed.
MOST_VALUES = 50


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def page(loaded: Loaded) -> tuple[bytes, bytes]:
    """The page, and the Content-Security-Policy that lets it do no more than it must."""
    style, script = _file("try.css"), _file("try.js")
    bundle = loaded.bundle
    data = {
        "features": [{"name": f.name, "kind": f.kind} for f in bundle.features],
        "rows": bundle.probe.rows,
        "threshold": bundle.threshold,
    }
    parity = bundle.parity
    values = {
        "style": style,
        "script": script,
        "data": _embedded(data),
        "case": escape(bundle.case),
        "question": escape(bundle.question),
        "positive": escape(bundle.positive),
        "threshold": escape(f"{bundle.threshold:g}"),
        "version": str(loaded.version),
        "model": escape(bundle.model),
        "estimator": escape(bundle.estimator.rpartition(".")[2]),
        "format": {"onnx": "ONNX", "skops": "skops"}[bundle.format],
        "run": escape(bundle.run),
        "evidence": escape(bundle.evidence[:16]),
        "made": escape(bundle.made),
        "parity": f"{parity.rows:,} rows compared with the trained model, the largest difference"
        f" {parity.largest:.1g}"
        if parity.rows
        else "not compared",
        "fields": "\n".join(_field(place, f) for place, f in enumerate(bundle.features)),
    }
    # In one pass: what a bundle says is never looked at for names again.
    text = re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found[1]], _file("try.html"))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return text.encode(), policy.encode()


def _field(place: int, feature: Feature) -> str:
    """One column's input. Empty means that its value is not known."""
    name = escape(feature.name)
    told, field = "", ""
    ids = f'id="f{place}" data-place="{place}" aria-describedby="t{place} e{place}"'
    if feature.kind == "boolean":
        field = (
            f'<select {ids}><option value="">not known</option><option value="true">true</option>'
            '<option value="false">false</option></select>'
        )
    elif feature.kind == "number":
        if feature.lo is not None and feature.hi is not None:
            told = f"{feature.lo:g} to {feature.hi:g} in training"
        field = f'<input {ids} type="text" inputmode="decimal" autocomplete="off">'
    else:
        options = "".join(
            f'<option value="{escape(value)}">' for value in feature.values[:MOST_VALUES]
        )
        field = f'<input {ids} type="text" list="v{place}" autocomplete="off">'
        if options:
            field += f'<datalist id="v{place}">{options}</datalist>'
            told = f"{len(feature.values)} frequent values"
    return (
        f'<div class="field"><label for="f{place}">{name}</label>{field}'
        f'<small id="t{place}">{escape(told)}</small>'
        f'<small class="wrong" id="e{place}" role="alert"></small></div>'
    )


def _embedded(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
