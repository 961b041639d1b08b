"""Small ONNX graphs that misbehave on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import (
    Bundle,
    Feature,
    Number,
    Parity,
    Probe,
    write_bundle,
)

# What the table gives for a whole number as input; it has no answer beyond its end.
ANSWERS = [0.0, 0.25, 0.5, 1.0, 2.0, float("nan")]


def looked_up() -> bytes:
    """A model that looks its answer up in ``ANSWERS``, and raises beyond their end."""
    from onnx import TensorProto, helper, numpy_helper

    table = numpy_helper.from_array(np.array(ANSWERS, np.float32), "table")
    zero = numpy_helper.from_array(np.array(0, np.int64), "zero")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["encoded", "zero"], ["column"], axis=1),
            helper.make_node("Cast", ["column"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["table", "place"], ["probability"]),
        ],
        "looked_up",
        [helper.make_tensor_value_info("encoded", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None])],
        [table, zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data


def write_table(models: Path, version: int, **changes: Any) -> None:
    """A version whose one column ``x`` is looked up."""
    folder = models / str(version)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(looked_up())
    bundle = Bundle(
        case=models.name,
        question="What does the table say?",
        model="table",
        estimator="table",
        run="0001",
        seal=None,
        evidence="0" * 64,
        format="onnx",
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        features=[Feature(name="x", kind="number", lo=0.0, hi=5.0)],
        encoding=[Number("x")],
        width=1,
        positive="yes",
        parity=Parity(rows=0, largest=0.0, mean=0.0, flips=0, threshold=0.5),
        probe=Probe([{"x": 1.0}, {"x": 3.0}], [0.25, 1.0]),
        made="2026-01-01T00:00:00Z",
        tool="0",
    )
    import msgspec

    write_bundle(folder, msgspec.structs.replace(bundle, **changes))
