"""Inference by the protocol: tensors by the features' names, or one encoded matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.errors import suggest
from trackrecord.serving.batching import Scores
from trackrecord.serving.exchange import Refused, Reply, Request, as_json, read_body
from trackrecord.serving.loaded import Loaded
from trackrecord.serving.protocol.tensors import (
    BOOL,
    BYTES,
    TYPES,
    Tensor,
    elements,
    from_bytes,
    from_json,
    to_bytes,
    wrong,
)
from trackrecord.serving.service import Asked, Service

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENCODED = "encoded"
PROBABILITY, LABEL = "probability", "label"
OUTPUTS = {PROBABILITY: "FP64", LABEL: BOOL}
LENGTH = b"inference-header-content-length"
DATATYPES = {"string": BYTES, "number": "FP64", "boolean": BOOL}
NUMBERS = [name for name in TYPES if name != BOOL]


class Wanted(msgspec.Struct, frozen=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, frozen=True):
    """The protocol's ``inference_request``."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[Wanted] | None = None


_decode = msgspec.json.Decoder(InferRequest).decode


async def infer(service: Service, request: Request, version: int | None) -> Reply:
    """Answer one inference request. Raises Refused."""
    chosen = service.choose(request, version)
    body = await read_body(request, service.limits.body)
    head, tail = _parts(request, body)
    try:
        asked = _decode(head)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Refused(400, f"the request is no inference request: {str(error)[:200]}") from None
    except RecursionError:
        raise Refused(400, "the request is nested too deeply") from None
    wanted = _wanted(asked)
    rows = _rows(asked.inputs, tail, chosen.answer.loaded)
    scores = await service.ask(request, chosen, rows)
    if scores.faults:
        at, fault = next(iter(scores.faults.items()))
        raise Refused(400 if fault.own else 500, f"row {at}: {fault.why}")
    return _reply(asked, wanted, scores, chosen.answer.loaded)


def _parts(request: Request, body: bytes) -> tuple[bytes | memoryview, memoryview]:
    """The JSON part of a body, and the bytes after it."""
    text = request.headers.get(LENGTH)
    if text is None:
        return body, memoryview(b"")
    if not text.isdigit() or len(text) > 12 or int(text) > len(body):
        raise Refused(400, "Inference-Header-Content-Length is no length within the body")
    whole = memoryview(body)
    return whole[: int(text)], whole[int(text) :]


def _wanted(asked: InferRequest) -> list[tuple[str, str, bool]]:
    """The outputs to give: name, datatype, and whether as bytes."""
    binary = asked.parameters.get("binary_data_output") is True
    if not asked.outputs:
        return [(name, datatype, binary) for name, datatype in OUTPUTS.items()]
    found = []
    for output in asked.outputs:
        if output.name not in OUTPUTS:
            raise Refused(
                400,
                f"there is no output {output.name[:80]!r}; there are {', '.join(OUTPUTS)}",
            )
        for strange in {"shared_memory_region", "classification"} & output.parameters.keys():
            raise Refused(400, f"the output parameter {strange} is not supported")
        datatype = output.parameters.get("datatype", OUTPUTS[output.name])
        if datatype not in ({"FP64", "FP32"} if output.name == PROBABILITY else {BOOL}):
            raise Refused(400, f"the output {output.name} cannot be of {str(datatype)[:20]}")
        as_bytes = output.parameters.get("binary_data", binary)
        found.append((output.name, datatype, as_bytes is True))
    return found


def _rows(inputs: list[Tensor], tail: memoryview, loaded: Loaded) -> Asked:
    """The inputs as rows for the model."""
    place = 0
    values: dict[str, Any] = {}
    shapes: dict[str, list[int]] = {}
    datatypes: dict[str, str] = {}
    if not inputs:
        raise Refused(400, "the request has no inputs")
    if len(inputs) > len(loaded.names) + 1:
        raise Refused(400, "the request has more inputs than the model")
    for tensor in inputs:
        if tensor.name in values:
            raise wrong(tensor, "is given twice")
        if "shared_memory_region" in tensor.parameters:
            raise wrong(tensor, "is in shared memory, which is not supported")
        count = elements(tensor)
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            values[tensor.name] = from_json(tensor, count)
        else:
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise wrong(tensor, "has a binary_data_size that is no size")
            if place + size > len(tail):
                raise wrong(tensor, "goes beyond the end of the body")
            values[tensor.name] = from_bytes(tensor, tail[place : place + size], count)
            place += size
        shapes[tensor.name], datatypes[tensor.name] = tensor.shape, tensor.datatype
    if place != len(tail):
        raise Refused(400, f"{len(tail) - place:,} bytes after the last tensor belong to none")
    if ENCODED in values and ENCODED not in loaded.names:
        return _encoded(values, shapes, datatypes, loaded)
    return _named(values, shapes, datatypes, loaded)


def _encoded(
    values: dict[str, Any], shapes: dict[str, list[int]], datatypes: dict[str, str], loaded: Loaded
) -> Asked:
    import numpy as np

    width = loaded.bundle.width
    if len(values) > 1:
        raise Refused(400, f"beside {ENCODED!r} there can be no other input")
    shape, datatype = shapes[ENCODED], datatypes[ENCODED]
    if len(shape) != 2 or shape[1] != width:
        raise Refused(400, f"the input {ENCODED!r} has the shape {shape}, not [rows, {width}]")
    if datatype not in NUMBERS:
        raise Refused(400, f"the input {ENCODED!r} is of {datatype}, not of FP32")
    with np.errstate(over="ignore"):
        matrix = np.asarray(_doubles(values[ENCODED], ENCODED), np.float32).reshape(shape)
    return Asked(shape[0], matrix=np.ascontiguousarray(matrix))


def _named(
    values: dict[str, Any], shapes: dict[str, list[int]], datatypes: dict[str, str], loaded: Loaded
) -> Asked:
    names = loaded.names
    for name in values:
        if name not in names:
            near = suggest(name[:80], names)
            hint = f"; did you mean {near!r}?" if near else ""
            raise Refused(400, f"the model has no input {name[:80]!r}{hint}")
    columns: list[Any] = []
    count = None
    for feature in loaded.bundle.features:
        name = feature.name
        if name not in values:
            raise Refused(400, f"the input {name!r} is missing; unknown values of it are null")
        shape = shapes[name]
        if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
            raise Refused(400, f"the input {name!r} has the shape {shape}, not [rows] or [rows, 1]")
        if count is None:
            count = shape[0]
        if shape[0] != count:
            raise Refused(400, f"the input {name!r} has {shape[0]} rows, others have {count}")
        datatype, column = datatypes[name], values[name]
        fits = (
            datatype in NUMBERS if feature.kind == "number" else datatype == DATATYPES[feature.kind]
        )
        if not fits:
            raise Refused(
                400,
                f"the input {name!r} is of {datatype[:20]}, and the model takes"
                f" {DATATYPES[feature.kind]}",
            )
        columns.append(_doubles(column, name) if feature.kind == "number" else column)
    assert count is not None
    return Asked(count, matrix=loaded.encode.columns(columns, count), columns=columns)


def _doubles(column: Any, name: str) -> NDArray[Any]:
    """Numbers, with NaN where they are missing."""
    import numpy as np

    try:
        return np.asarray(column, None if isinstance(column, np.ndarray) else np.float64)
    except (OverflowError, ValueError):
        raise Refused(400, f"the input {name!r} has a number that no double holds") from None


class _Output(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int] = {}
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET


class _Response(msgspec.Struct, frozen=True, omit_defaults=True):
    model_name: str
    model_version: str
    outputs: list[_Output]
    id: str | None = None


def _reply(
    asked: InferRequest, wanted: list[tuple[str, str, bool]], scores: Scores, loaded: Loaded
) -> Reply:
    bundle = loaded.bundle
    outputs, tails = [], []
    for name, datatype, as_bytes in wanted:
        values: Any = scores.probability
        if name == LABEL:
            values = scores.probability >= bundle.threshold
        shape = [len(values)]
        if as_bytes:
            data = to_bytes(values, datatype)
            tails.append(data)
            outputs.append(_Output(name, datatype, shape, {"binary_data_size": len(data)}))
        else:
            if datatype == "FP32":
                values = values.astype("f4")
            outputs.append(_Output(name, datatype, shape, data=values.tolist()))
    head = as_json(_Response(bundle.case, str(loaded.version), outputs, asked.id))
    if not tails:
        return Reply(200, head)
    length = ((LENGTH, str(len(head)).encode()),)
    return Reply(200, b"".join([head, *tails]), b"application/octet-stream", length)
