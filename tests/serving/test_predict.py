"""``POST /predict``: what is answered, and what is said where nothing can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serving.conftest import CASE, Running, row, trained, tumours


def test_a_row_gets_the_trained_models_probability(server: Running) -> None:
    estimator, encoder = trained("boosted", 3)
    frame, _ = tumours()
    rows = frame.head(40).to_dicts()
    expected = estimator.predict_proba(encoder.transform(frame.head(40)).astype("f4"))[:, 1]
    for one, wanted in zip(rows[:5], expected, strict=False):
        status, answer = server.json("POST", "/predict", one)
        assert status == 200
        assert answer["probability"] == pytest.approx(wanted, abs=1e-6)
        assert answer["label"] is bool(wanted >= 0.5)
        assert (answer["model"], answer["version"], answer["threshold"]) == (CASE, 1, 0.5)
    status, answer = server.json("POST", "/predict", {"rows": rows})
    assert status == 200
    found = [one["probability"] for one in answer["predictions"]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert answer["failed"] == 0


def test_a_requests_id_comes_back_or_is_made(server: Running) -> None:
    status, headers, _ = server.ask("POST", "/predict", b"{}", X_Request_ID="order-17/a")
    assert (status, headers["x-request-id"]) == (422, "order-17/a")
    made = {server.json("POST", "/predict", row())[1]["request_id"] for _ in range(3)}
    assert len(made) == 3
    _, headers, _ = server.ask("POST", "/predict", b"{}", X_Request_ID='no"id')
    assert headers["x-request-id"] != 'no"id'


@pytest.mark.parametrize(
    ("changes", "column", "why"),
    [
        ({"clinic": 7}, "clinic", "is a number, and the model takes text"),
        ({"clinic": True}, "clinic", "is a boolean, and the model takes text"),
        ({"worst area": "800"}, "worst area", "is text, and the model takes a number"),
        ({"worst area": False}, "worst area", "is a boolean, and the model takes a number"),
        ({"worst area": [800]}, "worst area", "is a list, and the model takes a number"),
        ({"doubted": 1}, "doubted", "is a number, and the model takes true or false"),
        ({"doubted": ...}, "doubted", "is missing; a value that is not known is null"),
        ({"extra": 1}, "extra", "is no column of this model"),
    ],
)
def test_a_wrong_column_is_named(
    server: Running, changes: dict[str, Any], column: str, why: str
) -> None:
    status, answer = server.json("POST", "/predict", row(**changes))
    assert status == 422
    assert answer["errors"] == [{"row": 0, "column": column, "why": why}]
    assert why in answer["error"]


def test_a_misspelt_column_is_recognised(server: Running) -> None:
    wrong = row(**{"worst area": ..., "worst_area": 800})
    status, answer = server.json("POST", "/predict", wrong)
    assert status == 422
    first, second = answer["errors"]
    assert (first["column"], first["did_you_mean"]) == ("worst_area", "worst area")
    assert (second["column"], second["did_you_mean"]) == ("worst area", "worst_area")


def test_null_is_a_missing_value_and_an_unknown_text_is_answered(server: Running) -> None:
    for changes in ({"mean texture": None, "clinic": None, "doubted": None}, {"clinic": "moon"}):
        assert server.json("POST", "/predict", row(**changes))[0] == 200


@pytest.mark.parametrize(
    "text", [b"", b"{", b"nothing", b"[1]", b'"x"', b"NaN", b'{"a":NaN}', b"\xff", b"[" * 100_000,
             b'{"mean radius": 1e999}', b'{"rows": {}}x', b'{"a": "\\ud800"}'],
)  # fmt: skip
def test_what_is_no_json_or_no_row_is_refused(server: Running, text: bytes) -> None:
    status, _, answer = server.ask("POST", "/predict", text)
    assert status in (400, 422)
    assert b'"error":"' in answer


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e309", "-1e400"])
def test_a_number_that_json_does_not_have_is_refused(server: Running, number: str) -> None:
    import json

    text = json.dumps(row()).replace("800.0", number).encode()
    assert server.ask("POST", "/predict", text)[0] == 400


def test_a_number_beyond_float32_fails_its_row_alone(server: Running) -> None:
    status, answer = server.json("POST", "/predict", row(**{"worst area": 1e308}))
    assert (status, answer["errors"][0]["why"]) == (
        422,
        "holds a number beyond what the model can take (3.4e38)",
    )
    rows = [row(), row(**{"worst area": -1e308}), row(clinic=3), row()]
    status, answer = server.json("POST", "/predict", {"rows": rows})
    assert (status, answer["failed"]) == (200, 2)
    first, second, third, fourth = answer["predictions"]
    assert first == fourth
    assert second["errors"] == [
        {"row": 1, "why": "holds a number beyond what the model can take (3.4e38)"}
    ]
    assert third["errors"][0]["column"] == "clinic"


def test_rows_without_one_that_can_be_asked_are_refused(server: Running) -> None:
    status, answer = server.json("POST", "/predict", {"rows": [{}, 7, row(clinic=1)]})
    assert status == 422
    assert {fault["row"] for fault in answer["errors"]} == {0, 1, 2}
    assert server.json("POST", "/predict", {"rows": []})[1]["predictions"] == []


def test_what_stands_beside_rows_is_refused(server: Running) -> None:
    status, answer = server.json("POST", "/predict", {"rows": [row()], "row": 1})
    assert (status, "'row'" in answer["error"]) == (400, True)


def test_more_rows_than_one_request_may_have_are_refused(server: Running) -> None:
    status, answer = server.json("POST", "/predict", {"rows": [row()] * 10_001})
    assert status == 400
    assert "10,001 rows" in answer["error"]


def test_other_paths_and_methods_are_told(server: Running) -> None:
    status, headers, _ = server.ask("GET", "/predict")
    assert (status, headers["allow"]) == (405, "POST")
    assert server.ask("GET", "/nothing/here")[0] == 404
    assert server.ask("DELETE", "/v2")[0] == 405


def test_a_body_that_is_too_large_or_compressed_is_refused(server: Running) -> None:
    status, _, answer = server.ask("POST", "/predict", b" " * 10_000_001)
    assert status == 413
    assert b"10,000,000 bytes" in answer
    status, headers, _ = server.ask("POST", "/predict", b"x", Content_Encoding="gzip")
    assert (status, headers["accept-encoding"]) == (415, "identity")


def test_the_openapi_document_describes_this_models_columns(server: Running) -> None:
    status, document = server.json("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    columns = document["components"]["schemas"]["Row"]["properties"]
    assert columns["clinic"]["type"] == ["string", "null"]
    assert columns["mean texture"]["type"] == ["number", "null"]
    assert columns["doubted"]["type"] == ["boolean", "null"]


def test_the_openapi_documents_schemas_hold_for_real_answers(server: Running) -> None:
    import jsonschema

    _, document = server.json("GET", "/openapi.json")

    def fits(name: str, value: Any) -> None:
        schema = {**document, "$ref": f"#/components/schemas/{name}"}
        jsonschema.Draft202012Validator(schema).validate(value)

    fits("Row", row())
    fits("Answer", server.json("POST", "/predict", row())[1])
    fits("Answers", server.json("POST", "/predict", {"rows": [row(), {}]})[1])
    fits("Error", server.json("POST", "/predict", {})[1])
    for example in document["components"]["schemas"]["Row"]["examples"]:
        fits("Row", example)
        assert server.json("POST", "/predict", example)[0] == 200


def test_serving_loads_nothing_that_trains(models: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; import trackrecord.cli.serve,"
        " trackrecord.serving.server, trackrecord.serving.joined;"
        "from trackrecord.serving.loaded import load; load(Path(sys.argv[1]), 1);"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, models / "1"], capture_output=True, text=True, check=True
    )
    heavy = {
        "sklearn",
        "polars",
        "pandas",
        "scipy",
        "mlflow",
        "onnx",
        "skl2onnx",
        "pyarrow",
        "rich",
    }
    assert set(done.stdout.split()) & heavy == set()
