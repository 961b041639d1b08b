"""Connections: how long a client may take, and how many there may be."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.conftest import row, wait_for

pytestmark = pytest.mark.slow

# The same worker as the command starts, with less patience.
WORKER = """
import socket, sys
from pathlib import Path
from trackrecord.serving.limits import Limits
from trackrecord.serving.metrics import Board
from trackrecord.serving.server import Settings, run_worker
models = Path(sys.argv[1])
listening = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listening.getsockname()[1], flush=True)
limits = Limits(header=1.0, idle=2.0, connections=5, drain=0.0)
run_worker(Settings(models=models, keys=models / "none", limits=limits), [listening], Board(1), 0)
"""
ASKED = json.dumps(row()).encode()
WHOLE = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(ASKED), ASKED)


@pytest.fixture
def port(models: Path) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, models], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found = int(process.stdout.readline())
    wait_for(lambda: answer(found, WHOLE).startswith(b"HTTP/1.1 200"))
    yield found
    process.kill()
    process.communicate()


def answer(port: int, sent: bytes) -> bytes:
    """What comes back, until the server closes or says nothing more for a while."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 8) as asking:
        asking.sendall(sent)
        return asking.recv(10_000)
    return b""


@pytest.mark.parametrize(
    "sent", [b"POST /pre", WHOLE[:40], WHOLE[:-3]], ids=["line", "headers", "body"]
)
def test_a_request_that_does_not_arrive_is_given_up(port: int, sent: bytes) -> None:
    before = time.monotonic()
    assert answer(port, sent).startswith(b"HTTP/1.1 408")
    assert 0.9 < time.monotonic() - before < 5


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    before = time.monotonic()
    assert answer(port, b"") == b""
    assert 1.9 < time.monotonic() - before < 6


def test_headers_without_end_are_refused(port: int) -> None:
    assert answer(port, b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000).startswith(b"HTTP/1.1 431")


def test_one_connection_too_many_is_told_to_come_again(port: int) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(5):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.2)
        told = answer(port, WHOLE)
        assert told.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in told
    wait_for(lambda: answer(port, WHOLE).startswith(b"HTTP/1.1 200"))


def test_requests_in_one_packet_are_answered_in_their_order(port: int) -> None:
    ids = [b"first", b"second", b"third"]
    with socket.create_connection(("127.0.0.1", port), 8) as asking:
        asking.sendall(
            b"".join(WHOLE.replace(b"Host", b"X-Request-ID: %s\r\nHost" % id, 1) for id in ids)
        )
        told = b""
        while told.count(b"x-request-id") < 3 or not told.endswith(b"}"):
            told += asking.recv(10_000)
    places = [told.index(b"x-request-id: " + id) for id in ids]
    assert places == sorted(places)
    assert told.count(b"HTTP/1.1 200") == 3
