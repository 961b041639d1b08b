"""What the protocol tells of a server and its model."""

from __future__ import annotations

from typing import Any

from trackrecord.serving.loaded import Loaded
from trackrecord.serving.protocol.infer import DATATYPES, ENCODED, OUTPUTS
from trackrecord.version import __version__

EXTENSIONS = ["binary_tensor_data"]
PLATFORMS = {"onnx": "onnx_onnxv1", "skops": "sklearn_skops"}


def server_metadata() -> dict[str, Any]:
    """The protocol's ``metadata_server_response``."""
    return {"name": "trackrecord", "version": __version__, "extensions": EXTENSIONS}


def model_metadata(loaded: Loaded, versions: list[int]) -> dict[str, Any]:
    """The protocol's ``metadata_model_response``; an input stands for each feature.

    ``properties`` say what else the model can be asked with, and what its answer means.
    """
    bundle = loaded.bundle
    return {
        "name": bundle.case,
        "versions": [str(version) for version in sorted(versions)],
        "platform": PLATFORMS[bundle.format],
        "inputs": [
            {"name": feature.name, "datatype": DATATYPES[feature.kind], "shape": [-1]}
            for feature in bundle.features
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1]}
            for name, datatype in OUTPUTS.items()
        ],
        "properties": {
            "question": bundle.question,
            "positive": bundle.positive,
            "threshold": repr(bundle.threshold),
            "version": str(loaded.version),
            "sha256": bundle.sha256,
            "evidence": bundle.evidence,
            "encoded_input": f"{ENCODED} FP32 [-1, {bundle.width}]",
        },
    }
