"""A server's life: it starts or says why not, changes its version, loses a worker, and ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import trackrecord
from tests.serving.conftest import (
    CASE,
    Serve,
    end,
    name_champion,
    row,
    start,
    wait_for,
    write_version,
)


class Load(threading.Thread):
    """Asks without a pause on one kept connection, and opens another when told to."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.stop = port, stop
        self.statuses: list[int] = []
        self.versions: set[int] = set()
        self.broken: list[str] = []
        self.refused = 0

    def run(self) -> None:
        body = json.dumps(row()).encode()
        connection: HTTPConnection | None = None
        while not self.stop.is_set():
            if connection is None:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
                try:
                    connection.connect()
                except OSError:  # nobody listens: no request was sent
                    self.refused += 1
                    connection = None
                    time.sleep(0.02)
                    continue
            try:
                connection.request("POST", "/predict", body)
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, HTTPException) as error:
                self.broken.append(repr(error))
                connection = None
                continue
            self.statuses.append(response.status)
            self.versions.add(answer.get("version"))
            if response.will_close:
                connection = None


def under_load(
    port: int, act: Callable[[], Any], *, after: float = 0.3, threads: int = 4
) -> list[Load]:
    """What each of several clients saw while ``act`` was done."""
    stop = threading.Event()
    loads = [Load(port, stop) for _ in range(threads)]
    for load in loads:
        load.start()
    time.sleep(0.2)
    act()
    time.sleep(after)
    stop.set()
    for load in loads:
        load.join(15)
    return loads


@pytest.mark.slow
def test_another_champion_takes_over_without_a_failure(serve: Serve, models: Path) -> None:
    write_version(models, 2, depth=2)
    server = serve()

    def swap() -> None:
        name_champion(models, 2)
        wait_for(lambda: server.json("POST", "/predict", row())[1]["version"] == 2)

    loads = under_load(server.port, swap)
    assert {status for load in loads for status in load.statuses} == {200}
    assert [load.broken for load in loads] == [[]] * len(loads)
    assert set.union(*(load.versions for load in loads)) == {1, 2}
    metrics = server.ask("GET", "/metrics")[2].decode()
    assert f'trackrecord_swaps_total{{case="{CASE}",result="switched"}} 1.0' in metrics


@pytest.mark.slow
def test_a_bad_version_is_refused_while_the_old_one_answers(serve: Serve, models: Path) -> None:
    write_version(models, 2, depth=2)
    with (models / "2" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    server = serve()

    def swap() -> None:
        name_champion(models, 2)
        wait_for(lambda: bool(server.json("GET", "/health")[1]["refused"]))

    loads = under_load(server.port, swap)
    assert {status for load in loads for status in load.statuses} == {200}
    assert set.union(*(load.versions for load in loads)) == {1}
    server.stop()
    assert server.process.stderr is not None
    assert "is not the one that was registered" in server.process.stderr.read()


@pytest.mark.slow
def test_sigterm_under_load_fails_no_request(serve: Serve) -> None:
    server = serve("--drain", "0.6")
    codes = []
    ready = []

    def stop() -> None:
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: server.ask("GET", "/v2/health/ready")[0] == 503)
        ready.append(503)
        codes.append(server.process.wait(15))

    loads = under_load(server.port, stop)
    assert codes == [0]
    assert ready == [503]
    assert {status for load in loads for status in load.statuses} == {200}
    assert [load.broken for load in loads] == [[]] * len(loads)
    assert min(load.refused for load in loads) > 0


@pytest.mark.slow
def test_ctrl_c_ends_it_too(serve: Serve) -> None:
    server = serve()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(15) == 0
    assert server.process.stdout is not None
    assert "every request in flight was answered" in server.process.stdout.read()


@pytest.mark.slow
def test_a_killed_worker_is_started_again_while_others_answer(serve: Serve) -> None:
    server = serve("--workers", "2")
    workers = children(server.process.pid)
    assert len(workers) == 2
    # On a busy machine the second may not be ready when the first answers.
    wait_for(
        lambda: len(re.findall(rb"worker_ready{.*} 1.0", server.ask("GET", "/metrics")[2])) == 2
    )
    loads = under_load(
        server.port, lambda: os.kill(workers[0], signal.SIGKILL), after=1.5, threads=12
    )
    assert {status for load in loads for status in load.statuses} == {200}
    # A request that the dead worker had taken is lost with it, and no other.
    assert all(len(load.broken) <= 1 for load in loads)
    assert any(not load.broken for load in loads)
    wait_for(lambda: len(children(server.process.pid)) == 2)
    assert workers[0] not in children(server.process.pid)
    metrics = server.ask("GET", "/metrics")[2].decode()
    assert f'trackrecord_restarts_total{{case="{CASE}"}} 1.0' in metrics
    answered = sum(len(load.statuses) for load in loads)
    told = f'trackrecord_requests_total{{case="{CASE}",endpoint="predict",code="200"}}'
    (line,) = [line for line in metrics.splitlines() if line.startswith(told)]
    assert abs(float(line.split()[-1]) - answered) <= len(loads)
    assert server.stop() == 0


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_all_workers_go_when_the_first_process_is_killed(serve: Serve) -> None:
    server = serve("--workers", "2")
    workers = children(server.process.pid)
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_model_that_cannot_be_opened_is_not_served(models: Path, workers: str) -> None:
    write_version(models, 1, model=b"this is no model")
    words = ("serve", CASE, "--port", "0", "--workers", workers)
    if workers == "1":
        told = trackrecord(*words, at=models.parent.parent)
        assert (told.code, "cannot be opened" in told.err) == (2, True)
        return
    code = "import sys; from trackrecord.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "-C", str(models.parent.parent)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, "cannot be opened" in done.stdout + done.stderr) == (2, True)


@pytest.mark.slow
def test_tls_by_two_files(models: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(cafile=str(cert))
    server = start(models, "--tls-cert", str(cert), "--tls-key", str(key), ready=False)

    def answers() -> bool:
        with (
            suppress(OSError),
            closing(
                HTTPSConnection("localhost", server.port, context=context, timeout=10)
            ) as connection,
        ):
            connection.request("POST", "/predict", json.dumps(row()))
            return connection.getresponse().status == 200
        return False

    try:
        wait_for(answers)
    finally:
        end(server)
