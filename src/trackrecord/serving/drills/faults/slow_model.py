"""The model got heavy: each answer waits for a long calculation whose result is thrown away."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.errors import BadInput
from trackrecord.ledger.store import file_sha256, write_atomic
from trackrecord.modeling.export.bundle import Bundle
from trackrecord.serving.drills.fault import Fault, Release, register_fault

SIZE = 512
PRODUCTS = 40


def make(release: Release) -> Bundle:
    """Add matrix products to the ONNX file that change the answer by nothing."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    if release.bundle.format != "onnx":
        raise BadInput("only an ONNX model can be made slow")
    path = release.folder / release.bundle.file
    model = onnx.load(str(path))
    graph = model.graph
    answer, asked = graph.output[0].name, graph.input[0].name
    random = np.random.default_rng(0).normal(0, SIZE**-0.5, (SIZE, SIZE)).astype(np.float32)
    graph.initializer.append(numpy_helper.from_array(random, "weight"))
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "nothing"))
    # Begun with the number of rows, so that nothing of it can be worked out beforehand.
    nodes = [
        helper.make_node("Shape", [asked], ["shape"]),
        helper.make_node("Cast", ["shape"], ["sides"], to=onnx.TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["sides"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["zero"]),
        helper.make_node("Add", ["weight", "zero"], ["product0"]),
    ]
    for number in range(PRODUCTS):
        nodes.append(
            helper.make_node("MatMul", [f"product{number}", "weight"], [f"product{number + 1}"])
        )
    nodes += [
        helper.make_node("ReduceMean", [f"product{PRODUCTS}"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["no_change"]),
        helper.make_node("Add", [answer, "no_change"], ["late"]),
    ]
    graph.node.extend(nodes)
    graph.output[0].name = "late"
    write_atomic(path, model.SerializeToString())
    return replace(release.bundle, sha256=file_sha256(path))


FAULT = register_fault(
    Fault("slow-model", "The model got slow", "release", __doc__ or "", make=make)
)
