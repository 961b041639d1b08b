"""The servers of the race: how each is started, and what it is asked.

Each serves the same ONNX file with one worker and one thread for the model. The peers live in
environments of their own, ``FOLDER/NAME``; one that is not there does not take part.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from model import CASE, one_row, rows

PEERS = Path(__file__).parent / "peers"
SERVE = "import sys; from trackrecord.cli.main import main; sys.exit(main())"
ROWS = 1000

# What an environment needs beside the peer itself.
PACKAGES = {
    "mlserver": ["mlserver", "onnxruntime"],
    "bentoml": ["bentoml", "onnxruntime"],
    "litserve": ["litserve", "onnxruntime"],
    "mlflow": ["mlflow", "onnx", "onnxruntime"],
    "fastapi": ["fastapi", "uvicorn[standard]", "onnxruntime"],
    "bare": ["starlette", "uvicorn[standard]", "orjson", "onnxruntime"],
}


class Question(NamedTuple):
    """A request, and what an answer to it must have."""

    path: str
    body: bytes
    headers: dict[str, str]


class Server(NamedTuple):
    """One of the race: its command, and its requests of one row and of many."""

    name: str
    start: Callable[[Path, int, Path], subprocess.Popen[bytes]]
    one: Question
    many: Question


JSON = {"Content-Type": "application/json"}
ONE = list(one_row().values())


def _matrix() -> Any:
    return rows(20_000)[0][:ROWS]


def _tensor(values: list[Any]) -> dict[str, Any]:
    return {"name": "encoded", "shape": [len(values), 20], "datatype": "FP32", "data": values}


def _binary(output: str) -> tuple[bytes, dict[str, str]]:
    """The protocol's binary tensor of many rows."""
    data = _matrix().tobytes()
    head = json.dumps(
        {
            "inputs": [
                {"name": "encoded", "shape": [ROWS, 20], "datatype": "FP32",
                 "parameters": {"binary_data_size": len(data)}}
            ],
            "outputs": [{"name": output, "parameters": {"binary_data": True}}],
        }
    ).encode()  # fmt: skip
    kind = {"Content-Type": "application/octet-stream"}
    return head + data, {"Inference-Header-Content-Length": str(len(head)), **kind}


def _popen(command: list[Any], **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **environment}, start_new_session=True,
    )  # fmt: skip


def servers(model: Path, peers: Path) -> list[Server]:
    """All that can take part. ``model`` is the ONNX file in a workspace of trackrecord's."""
    root = model.parent.parent.parent.parent

    def python(peer: str) -> Path:
        return peers / peer / "bin" / "python"

    def own(_: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
        return _popen([sys.executable, "-c", SERVE, "serve", CASE, "--port", port, "-C", root])

    def script(peer: str) -> Callable[[Path, int, Path], subprocess.Popen[bytes]]:
        return lambda model, port, folder: _popen(
            [python(peer), PEERS / f"{peer}_peer.py", model, port]
        )

    def mlserver(model: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
        settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1,
                    "metrics_port": port + 2, "parallel_workers": 0, "debug": False}  # fmt: skip
        folder.mkdir(exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(
            json.dumps({"name": CASE, "implementation": "mlserver_peer.Race"})
        )
        command = [peers / "mlserver" / "bin" / "mlserver", "start", folder]
        return _popen(command, MODEL=str(model), PYTHONPATH=str(PEERS))

    def bentoml(model: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
        serve = ["serve", "bentoml_peer:Race", "--working-dir", PEERS, "--port", port]
        command = [peers / "bentoml" / "bin" / "bentoml", *serve]
        return _popen(command, MODEL=str(model), BENTOML_HOME=str(folder))

    def mlflow(model: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
        if not folder.exists():
            subprocess.run(
                [python("mlflow"), PEERS / "mlflow_peer.py", model, folder],
                check=True, capture_output=True,
            )  # fmt: skip
        tool = peers / "mlflow" / "bin"
        words = ["models", "serve", "-m", folder, "-p", port, "--env-manager", "local"]
        path = f"{tool}{os.pathsep}{os.environ['PATH']}"
        return _popen([tool / "mlflow", *words, "--workers", "1"], PATH=path)

    def asked(path: str, value: Any) -> Question:
        return Question(path, json.dumps(value).encode(), JSON)

    many = _matrix().tolist()
    infer = f"/v2/models/{CASE}/infer"
    binary, said = _binary("probability")
    raw = Question("/rows", _matrix().tobytes(), {"Content-Type": "application/octet-stream"})
    found = [
        Server("trackrecord", own, asked("/predict", one_row()), Question(infer, binary, said)),
        Server(
            "mlserver", mlserver,
            # Its HTTP door does not know the binary extension.
            asked(infer, {"inputs": [_tensor([ONE])]}), asked(infer, {"inputs": [_tensor(many)]}),
        ),
        Server(
            "bentoml", bentoml,
            asked("/predict", {"rows": [ONE]}), asked("/predict", {"rows": many}),
        ),
        Server(
            "litserve", script("litserve"),
            asked("/predict", {"rows": [ONE]}), asked("/predict", {"rows": many}),
        ),
        Server(
            "mlflow", mlflow,
            asked("/invocations", {"inputs": [ONE]}), asked("/invocations", {"inputs": many}),
        ),
        Server("fastapi", script("fastapi"), asked("/predict", one_row()), raw),
        Server("bare", script("bare"), asked("/predict", one_row()), raw),
    ]  # fmt: skip
    return [one for one in found if one.name == "trackrecord" or python(one.name).exists()]


def answers(body: bytes) -> list[float]:
    """The probabilities in a JSON answer, whoever gave it."""
    value = json.loads(body)
    if isinstance(value, dict):
        value = value.get("probability", value.get("predictions", value.get("outputs", value)))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = next(iter(value[0].values())) if "data" not in value[0] else value[0]["data"]
    while isinstance(value, dict):
        value = next(iter(value.values()))
    values = value if isinstance(value, list) else [value]
    return [float(one[0] if isinstance(one, list) else one) for one in values]
