"""The Open Inference Protocol, version 2, as others understand it.

``open_inference/open_inference_rest.yaml`` is the protocol's own OpenAPI file (Apache-2.0, its
licence beside it); the client is NVIDIA's ``tritonclient``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from tests.serving.conftest import CASE, Running, row, server, trained, tumours

__all__ = ["server"]  # the fixture of tests/serving

SPECIFICATION: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "open_inference/open_inference_rest.yaml").read_text("utf-8")
)
MODEL = f"/v2/models/{CASE}"
ROWS = 30
NUMBERS = ("mean radius", "mean texture", "mean smoothness", "worst area")
LENGTH = "Inference_Header_Content_Length"


def fits(schema: str, value: Any) -> None:
    """``value`` is what the protocol's file says under this name."""
    whole = {**SPECIFICATION, "$ref": f"#/components/schemas/{schema}"}
    jsonschema.Draft202012Validator(whole).validate(value)


def expected(rows: int = ROWS) -> np.ndarray:
    """The trained model's own probabilities."""
    estimator, encoder = trained("boosted", 3)
    matrix = encoder.transform(tumours()[0].head(rows)).astype("f4")
    return estimator.predict_proba(matrix)[:, 1]


def encoded(rows: int = ROWS) -> np.ndarray:
    _, encoder = trained("boosted", 3)
    return encoder.transform(tumours()[0].head(rows)).astype("f4")


def columns(rows: int = ROWS) -> dict[str, list[Any]]:
    return tumours()[0].head(rows).to_dict(as_series=False)


DATATYPES = dict.fromkeys(NUMBERS, "FP64") | {"clinic": "BYTES", "doubted": "BOOL"}


def named(rows: int = ROWS, **changes: Any) -> list[dict[str, Any]]:
    """A tensor for each feature, as JSON."""
    return [
        {"name": name, "shape": [rows], "datatype": DATATYPES[name], "data": values, **changes}
        for name, values in columns(rows).items()
    ]


# What the protocol's own file says.


def test_every_path_of_the_protocol_is_served(server: Running) -> None:
    wanted = {"MODEL_NAME": CASE, "MODEL_VERSION": "1"}
    for path, operations in SPECIFICATION["paths"].items():
        for method in operations.keys() & {"get", "post"}:
            url = path.format(**wanted)
            body = json.dumps({"inputs": named()}).encode() if method == "post" else None
            status, _, _ = server.ask(method.upper(), url, body)
            assert status == 200, (method, url)


def test_the_protocols_metadata_is_as_its_schemas_say(server: Running) -> None:
    status, told = server.json("GET", "/v2")
    assert status == 200
    fits("metadata_server_response", told)
    assert told["extensions"] == ["binary_tensor_data"]
    for url in (MODEL, f"{MODEL}/versions/1"):
        status, told = server.json("GET", url)
        assert status == 200
        fits("metadata_model_response", told)
        assert (told["name"], told["versions"], told["platform"]) == (CASE, ["1"], "onnx_onnxv1")
        assert {one["name"]: one["datatype"] for one in told["inputs"]} == DATATYPES


def test_tensors_by_name_are_answered_as_the_schema_says(server: Running) -> None:
    request = {"id": "abc", "parameters": {"note": "kept"}, "inputs": named()}
    for url in (f"{MODEL}/infer", f"{MODEL}/versions/1/infer"):
        status, told = server.json("POST", url, request)
        assert status == 200
        fits("inference_response", told)
        assert (told["model_name"], told["model_version"], told["id"]) == (CASE, "1", "abc")
        probability, label = told["outputs"]
        assert (probability["name"], probability["shape"]) == ("probability", [ROWS])
        np.testing.assert_allclose(probability["data"], expected(), atol=1e-6)
        assert label["data"] == [one >= 0.5 for one in probability["data"]]


def test_the_shape_with_one_column_and_nested_data_mean_the_same(server: Running) -> None:
    flat = server.json("POST", f"{MODEL}/infer", {"inputs": named()})[1]
    shaped = [{**one, "shape": [ROWS, 1]} for one in named()]
    nested = [{**one, "data": [[value] for value in one["data"]]} for one in shaped]
    for inputs in (shaped, nested, named(parameters={"any": 1})):
        assert server.json("POST", f"{MODEL}/infer", {"inputs": inputs})[1] == flat


def test_a_matrix_that_is_encoded_already_is_answered(server: Running) -> None:
    full = encoded()
    rows = np.flatnonzero(~np.isnan(full).any(axis=1))  # JSON has no NaN
    matrix = full[rows]
    tensor = {"name": "encoded", "shape": list(matrix.shape), "datatype": "FP32"}
    for data in (matrix.ravel().tolist(), matrix.tolist()):
        status, told = server.json("POST", f"{MODEL}/infer", {"inputs": [{**tensor, "data": data}]})
        assert status == 200
        np.testing.assert_allclose(told["outputs"][0]["data"], expected()[rows], atol=1e-6)


def test_only_the_outputs_that_are_asked_for_come(server: Running) -> None:
    asked = {"inputs": named(2), "outputs": [{"name": "label"}]}
    told = server.json("POST", f"{MODEL}/infer", asked)[1]
    assert [one["name"] for one in told["outputs"]] == ["label"]
    asked["outputs"] = [{"name": "probability", "parameters": {"datatype": "FP32"}}]
    (single,) = server.json("POST", f"{MODEL}/infer", asked)[1]["outputs"]
    assert (single["datatype"], len(single["data"])) == ("FP32", 2)


TENSOR = {"name": "encoded", "shape": [1, 6], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}


@pytest.mark.parametrize(
    ("request_body", "why"),
    [
        ({}, "required field `inputs`"),
        ({"inputs": []}, "no inputs"),
        ({"inputs": [{**TENSOR, "shape": [2, 6]}]}, "its shape says 12"),
        ({"inputs": [{**TENSOR, "shape": [6]}]}, "not [rows, 6]"),
        ({"inputs": [{**TENSOR, "shape": [-1, -6]}]}, "has the shape [-1, -6]"),
        ({"inputs": [{**TENSOR, "shape": [10**9, 10**9]}]}, "too large"),
        ({"inputs": [{**TENSOR, "datatype": "FP128"}]}, "unknown datatype 'FP128'"),
        ({"inputs": [{**TENSOR, "datatype": "BYTES"}]}, "no BYTES"),
        ({"inputs": [{**TENSOR, "data": [1, 2, 3, 4, 5, "6"]}]}, "no FP32"),
        ({"inputs": [{**TENSOR, "data": [1, 2, 3, 4, 5, 1e300]}]}, "beyond what the model"),
        ({"inputs": [TENSOR, TENSOR]}, "given twice"),
        ({"inputs": [TENSOR, named(1)[0]]}, "no other input"),
        ({"inputs": named(1)[1:]}, "'mean radius' is missing"),
        ({"inputs": [*named(1)[:-1], {**named(1)[-1], "name": "doubtd"}]}, "mean 'doubted'"),
        ({"inputs": [*named(1)[:-1], {**named(1)[-1], "datatype": "FP32", "data": [1]}]}, "BOOL"),
        ({"inputs": [*named(1)[:-1], {**named(2)[-1]}]}, "has 2 rows, others have 1"),
        ({"inputs": [TENSOR], "outputs": [{"name": "odds"}]}, "no output 'odds'"),
        ({"inputs": [{**TENSOR, "parameters": {"binary_data_size": 24}}]}, "beyond the end"),
        ({"inputs": [{**TENSOR, "parameters": {"shared_memory_region": "x"}}]}, "shared memory"),
    ],
)  # fmt: skip
def test_a_wrong_request_gets_the_protocols_error(
    server: Running, request_body: dict[str, Any], why: str
) -> None:
    status, told = server.json("POST", f"{MODEL}/infer", request_body)
    assert status == 400
    fits("inference_error_response", told)
    assert why in told["error"]


@pytest.mark.parametrize("path", ["other", f"{CASE}/versions/7", f"{CASE}/versions/x"])
def test_a_model_that_is_not_served_is_not_found(server: Running, path: str) -> None:
    for method, end in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        status, told = server.json(method, f"/v2/models/{path}{end}")
        assert (status, "is not served here" in told["error"]) == (404, True)
        fits("metadata_model_error_response", told)


# The binary tensor extension, byte by byte.


def test_bytes_after_the_json_part_are_tensors_and_come_back_so(server: Running) -> None:
    matrix = encoded()
    request = {
        "inputs": [
            {"name": "encoded", "shape": list(matrix.shape), "datatype": "FP32",
             "parameters": {"binary_data_size": matrix.nbytes}}
        ],
        "outputs": [
            {"name": "label"},
            {"name": "probability", "parameters": {"binary_data": True}},
        ],
    }  # fmt: skip
    head = json.dumps(request).encode()
    status, headers, body = server.ask(
        "POST", f"{MODEL}/infer", head + matrix.tobytes(), **{LENGTH: str(len(head))}
    )
    assert status == 200
    length = int(headers["inference-header-content-length"])
    told = json.loads(body[:length])
    label, probability = told["outputs"]
    assert "data" not in probability
    assert probability["parameters"]["binary_data_size"] == 8 * ROWS == len(body) - length
    found = np.frombuffer(body[length:], "<f8")
    np.testing.assert_allclose(found, expected(), atol=1e-6)
    assert label["data"] == (found >= 0.5).tolist()


@pytest.mark.parametrize(
    ("size", "data", "length", "why"),
    [
        (23, b"\0" * 23, None, "23 bytes, and 6 elements of FP32 are 24"),
        (24, b"\0" * 25, None, "belong to none"),
        (24, b"\0" * 24, 10_000, "no length within the body"),
        (-1, b"", None, "no size"),
        (True, b"", None, "no size"),
    ],
)
def test_bytes_that_are_not_what_the_json_part_says_are_refused(
    server: Running, size: Any, data: bytes, length: int | None, why: str
) -> None:
    tensor = {"name": "encoded", "shape": [1, 6], "datatype": "FP32"}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}).encode()
    said = {LENGTH: str(length or len(head))}
    status, _, body = server.ask("POST", f"{MODEL}/infer", head + data, **said)
    assert (status, why in json.loads(body)["error"]) == (400, True), body


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\1\0", "within the length"),
        (struct.pack("<I", 9) + b"abc", "within an element"),
        (struct.pack("<I", 2) + b"\xff\xfe", "no UTF-8"),
        (struct.pack("<I", 1) + b"a" + struct.pack("<I", 1) + b"b", "2 elements"),
    ],
)
def test_texts_that_are_cut_short_are_refused(server: Running, data: bytes, why: str) -> None:
    inputs = named(1)
    place = next(at for at, one in enumerate(inputs) if one["name"] == "clinic")
    del inputs[place]["data"]
    inputs[place]["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": inputs}).encode()
    said = {LENGTH: str(len(head))}
    status, _, body = server.ask("POST", f"{MODEL}/infer", head + data, **said)
    assert (status, why in json.loads(body)["error"]) == (400, True), body


# NVIDIA's client.


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[Any]:
    http = pytest.importorskip("tritonclient.http")
    opened = http.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield opened
    opened.close()


def test_tritonclient_finds_server_and_model(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(CASE)
    assert client.is_model_ready(CASE, "1")
    assert not client.is_model_ready(CASE, "9")
    assert client.get_server_metadata()["name"] == "trackrecord"
    assert client.get_model_metadata(CASE)["versions"] == ["1"]


@pytest.mark.parametrize("binary_out", [True, False, None])
@pytest.mark.parametrize("binary_in", [True, False])
def test_tritonclient_asks_by_name_both_ways(
    client: Any, binary_in: bool, binary_out: bool | None
) -> None:
    from tritonclient.http import InferInput, InferRequestedOutput

    frame, _ = tumours()
    rows = np.flatnonzero(~frame["mean texture"].is_null().to_numpy())[:ROWS]
    part = frame[rows]
    inputs = []
    for name in part.columns:
        values = part[name].to_numpy()
        values = values.astype(object) if name == "clinic" else values
        tensor = InferInput(name, [ROWS], DATATYPES[name])
        tensor.set_data_from_numpy(values, binary_data=binary_in)
        inputs.append(tensor)
    outputs = None
    if binary_out is not None:
        names = ("probability", "label")
        outputs = [InferRequestedOutput(name, binary_data=binary_out) for name in names]
    result = client.infer(CASE, inputs, outputs=outputs, request_id="seventeen")
    estimator, encoder = trained("boosted", 3)
    wanted = estimator.predict_proba(encoder.transform(part).astype("f4"))[:, 1]
    np.testing.assert_allclose(result.as_numpy("probability"), wanted, atol=1e-6)
    np.testing.assert_array_equal(result.as_numpy("label"), wanted >= 0.5)
    assert result.get_response()["id"] == "seventeen"


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16"])
def test_tritonclient_asks_with_an_encoded_matrix(client: Any, datatype: str) -> None:
    from tritonclient.http import InferInput
    from tritonclient.utils import triton_to_np_dtype

    matrix = encoded().astype(triton_to_np_dtype(datatype))
    tensor = InferInput("encoded", list(matrix.shape), datatype)
    tensor.set_data_from_numpy(matrix)
    found = client.infer(CASE, [tensor], model_version="1").as_numpy("probability")
    estimator, _ = trained("boosted", 3)
    wanted = estimator.predict_proba(matrix.astype("f4"))[:, 1]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_missing_numbers_are_nan_in_bytes_and_null_in_json(client: Any, server: Running) -> None:
    from tritonclient.http import InferInput

    inputs = []
    for name, values in columns().items():
        array = np.array(values, dtype=object if name == "clinic" else None)
        array = array.astype(float) if name in NUMBERS else array
        tensor = InferInput(name, [ROWS], DATATYPES[name])
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    assert None in columns()["mean texture"]
    found = client.infer(CASE, inputs).as_numpy("probability")
    np.testing.assert_allclose(found, expected(), atol=1e-6)
    told = server.json("POST", f"{MODEL}/infer", {"inputs": named()})[1]
    np.testing.assert_array_equal(found, told["outputs"][0]["data"])


def test_tritonclient_is_told_what_is_wrong(client: Any) -> None:
    from tritonclient.http import InferInput
    from tritonclient.utils import InferenceServerException

    matrix = np.full((2, 6), np.inf, np.float32)
    tensor = InferInput("encoded", [2, 6], "FP32")
    tensor.set_data_from_numpy(matrix)
    with pytest.raises(InferenceServerException, match="row 0: holds a number beyond"):
        client.infer(CASE, [tensor])
    with pytest.raises(InferenceServerException, match="is not served here"):
        client.infer("other", [tensor])


def test_the_same_row_is_answered_alike_by_both_doors(server: Running) -> None:
    one = row()
    inputs = [
        {"name": name, "shape": [1], "datatype": DATATYPES[name], "data": [value]}
        for name, value in one.items()
    ]
    told = server.json("POST", f"{MODEL}/infer", {"inputs": inputs})[1]
    answer = server.json("POST", "/predict", one)[1]
    assert told["outputs"][0]["data"] == [answer["probability"]]
