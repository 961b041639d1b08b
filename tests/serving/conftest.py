"""Real models in real bundles: trained, written as ONNX, and served by the program itself."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest

from trackrecord.ledger.store import file_sha256, write_atomic
from trackrecord.modeling.encode import fit_encoder
from trackrecord.modeling.export.bundle import Bundle, Feature, Parity, Probe, write_bundle
from trackrecord.modeling.export.encoding import compiled
from trackrecord.modeling.export.onnx_file import onnx_bytes
from trackrecord.modeling.export.opened import open_model
from trackrecord.workspace import make_workspace

CASE = "tumours"


@cache
def tumours() -> tuple[pl.DataFrame, Any]:
    """Measures, a clinic and a doubt of 569 tumours, some missing; and which were malignant."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    names = ["mean radius", "mean texture", "mean smoothness", "worst area"]
    frame = pl.DataFrame({name: data.frame[name].to_numpy() for name in names})
    rows = pl.int_range(frame.height, eager=True)
    frame = frame.with_columns(
        clinic=pl.Series(["north", "süd", "west"])[rows % 3],
        doubted=rows % 2 == 0,
        **{"mean texture": pl.when(rows % 7 == 0).then(None).otherwise(pl.col("mean texture"))},
    )
    return frame, 1 - data.target.to_numpy()


@cache
def trained(how: str, depth: int) -> tuple[Any, Any]:
    """An estimator and its encoder: ``boosted`` on codes, or ``linear`` on one-hot columns."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    frame, truth = tumours()
    if how == "linear":
        encoder = fit_encoder(frame, "one_hot")
        estimator: Any = LogisticRegression(max_iter=500)
    else:
        encoder = fit_encoder(frame, "ordinal", takes_missing=True)
        estimator = HistGradientBoostingClassifier(max_iter=30, max_depth=depth)
    return estimator.fit(encoder.transform(frame).astype("f4"), truth), encoder


def write_version(
    models: Path,
    version: int,
    how: str = "boosted",
    depth: int = 3,
    model: bytes | None = None,
    **changes: Any,
) -> Bundle:
    """``models/VERSION``: a bundle as `trackrecord register` writes it."""
    estimator, encoder = trained(how, depth)
    frame, _ = tumours()
    folder = models / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "model.onnx", model or onnx_bytes(estimator, encoder.width))
    bundle = Bundle(
        case=models.name,
        question="Is this tumour malignant?",
        model=how,
        estimator=type(estimator).__name__,
        run="0001",
        seal=None,
        evidence="0" * 64,
        format="onnx",
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        features=[described(series) for series in frame.get_columns()],
        encoding=encoder.columns,
        width=encoder.width,
        positive="malignant 1",
        parity=Parity(rows=0, largest=0.0, mean=0.0, flips=0, threshold=0.5),
        probe=Probe([], []),
        made="2026-01-01T00:00:00Z",
        tool="0",
    )
    rows = frame.head(6).to_dicts()
    if model is None:
        found = open_model(folder, bundle)(compiled(bundle.encoding, bundle.width)(rows))
        bundle = msgspec.structs.replace(bundle, probe=Probe(rows, found.tolist()))
    bundle = msgspec.structs.replace(bundle, **changes)
    write_bundle(folder, bundle)
    return bundle


def described(series: pl.Series) -> Feature:
    """A column as a bundle's feature."""
    if series.dtype == pl.String:
        return Feature(name=series.name, kind="string", values=sorted(series.unique()))
    if series.dtype == pl.Boolean:
        return Feature(name=series.name, kind="boolean")
    low, high = float(str(series.min())), float(str(series.max()))
    missing = series.null_count() / len(series)
    return Feature(name=series.name, kind="number", missing=missing, lo=low, hi=high)


def name_champion(models: Path, version: int, **others: int | None) -> None:
    """Write ``aliases.json``."""
    write_atomic(models / "aliases.json", msgspec.json.encode({"champion": version, **others}))


class Running(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    models: Path

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return response.status, told, response.read()

    def json(self, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded body of a request whose body is ``value``."""
        body = None if value is None else msgspec.json.encode(value)
        status, _, answer = self.ask(method, path, body, **headers)
        return status, msgspec.json.decode(answer)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


Serve = Callable[..., Running]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A workspace's ``models/tumours`` with one version, the champion."""
    return shop(tmp_path)


def shop(folder: Path) -> Path:
    """The folder of a new workspace's only case."""
    models = make_workspace(folder / "shop").root / "models" / CASE
    write_version(models, 1)
    name_champion(models, 1)
    return models


def start(models: Path, *options: str, ready: bool = True) -> Running:
    """`trackrecord serve` with options, once it is ready."""
    code = "import sys; from trackrecord.cli.main import main; sys.exit(main())"
    command = [
        *(sys.executable, "-c", code, "serve", models.name, "--port", "0", "--drain", "0"),
        *("-C", str(models.parent.parent), *options),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if " answers at " not in line:
        _, error = process.communicate(timeout=20)
        raise AssertionError(line + error)
    server = Running(process, int(line.split(":")[-1].split(",")[0]), models)
    if ready:
        wait_for(lambda: answers(server))
    return server


def end(server: Running) -> None:
    """Stop a server for good."""
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate()


@pytest.fixture
def serve(models: Path) -> Iterator[Serve]:
    """Starts servers of ``models`` with options; all are stopped at the end."""
    running: list[Running] = []

    def begin(*options: str) -> Running:
        running.append(start(models, *options))
        return running[-1]

    yield begin
    for server in running:
        end(server)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that only ask."""
    running = start(shop(tmp_path_factory.mktemp("served")))
    yield running
    end(running)


def row(**changes: Any) -> dict[str, Any]:
    """A row that can be answered, with changes; ``...`` takes a column away."""
    whole = {
        "mean radius": 14.0,
        "mean texture": 20.5,
        "mean smoothness": 0.1,
        "worst area": 800.0,
        "clinic": "süd",
        "doubted": True,
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def answers(server: Running) -> bool:
    """Whether the server is ready."""
    with contextlib.suppress(OSError):
        return server.ask("GET", "/v2/health/ready")[0] == 200
    return False


def wait_for(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something holds; fails where it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
