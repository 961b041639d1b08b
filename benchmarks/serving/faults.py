"""What a server survives: each fault is really done to a running one, and told in a line.

``python benchmarks/serving/faults.py [NAME …]``
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from load import Load, read_reply, request
from model import CASE, COLUMNS, champion, one_row, write_workspace

SERVE = "import sys; from trackrecord.cli.main import main; sys.exit(main())"
ROW = json.dumps(one_row()).encode()


@contextmanager
def served(models: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running server and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", CASE, "--port", "0",
         "-C", str(models.parent.parent), *options],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    port = int(process.stdout.readline().split(":")[-1].split(",")[0])
    while not ready(port):
        time.sleep(0.02)
    try:
        yield process, port
    finally:
        process.kill()
        process.communicate()


def ready(port: int) -> bool:
    with suppress(OSError):
        return ask(port, b"GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200
    return False


def ask(port: int, sent: bytes, seconds: float = 30) -> tuple[int, bytes]:
    """Status and body; status 0 where the server closed without a word."""

    async def once() -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            writer.write(sent)
            await writer.drain()
        try:
            status, _, body = await asyncio.wait_for(read_reply(reader), seconds)
        except asyncio.IncompleteReadError:
            status, body = 0, b""
        writer.close()
        return status, body

    return asyncio.run(once())


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory(pid: int) -> float:
    """Megabytes that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sigterm(models: Path) -> Iterator[str]:
    """SIGTERM under load, ten times."""
    broken = total = 0
    codes: Counter[int] = Counter()
    for _ in range(10):
        with served(models) as (process, port), Load(port, request("/predict", ROW)) as seen:
            process.send_signal(signal.SIGTERM)
            codes[process.wait(20)] += 1
        broken += len(seen.broken)
        total += seen.statuses.total()
        assert set(seen.statuses) == {200}, seen.statuses
    yield f"{total:,} requests, {broken} failed; exit codes {dict(codes)}"


def killed(models: Path) -> Iterator[str]:
    """kill -9 of one of two workers under load, five times."""
    with served(models, "--workers", "2") as (process, port):
        with Load(port, request("/predict", ROW)) as seen:
            for _ in range(5):
                victim = children(process.pid)[0]
                os.kill(victim, signal.SIGKILL)
                before = time.monotonic()
                while len(set(children(process.pid)) - {victim}) < 2:
                    time.sleep(0.01)
                again = time.monotonic() - before
                time.sleep(2)
        yield f"{seen}: at most the 16 in the dead worker's hands, five times"
        yield f"forked again after {again:.2f} s"


def swap(models: Path) -> Iterator[str]:
    """The champion changes 20 times under load."""
    with served(models) as (_, port):
        with Load(port, request("/predict", ROW)) as seen:
            for turn in range(20):
                champion(models, 2 - turn % 2)
                time.sleep(0.6)
        yield f"{seen}; answers by version {dict(seen.versions)}"
    champion(models, 1)


def refused(models: Path) -> Iterator[str]:
    """A champion whose file was damaged, under load."""
    path = models / "2" / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\0")
    with served(models) as (_, port):
        with Load(port, request("/predict", ROW)) as seen:
            champion(models, 2)
            time.sleep(2)
            told = ask(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")[1]
        yield f"{seen}; answers by version {dict(seen.versions)}"
        yield json.loads(told)["refused"][0]["why"]
    path.write_bytes(whole)
    champion(models, 1)


def values(models: Path) -> Iterator[str]:
    """Values that no row should have."""
    name = COLUMNS[0]
    with served(models) as (_, port):
        for value in ("NaN", "Infinity", "-1e999", "1e308", "null", '"1"', "true", "[1]", "{}", ""):
            body = ROW.replace(json.dumps(one_row()[name]).encode(), value.encode(), 1)
            status, told = ask(port, request("/predict", body))
            yield f"{value or 'nothing':>9}: {status} {told.decode()[:110]}"
        for what, body in {
            "missing column": json.dumps(
                {k: v for k, v in one_row().items() if k != name}
            ).encode(),
            "extra column": json.dumps({**one_row(), "x20": 1}).encode(),
        }.items():
            status, told = ask(port, request("/predict", body))
            yield f"{what}: {status} {told.decode()[:140]}"
        for what, tensor in {
            "wrong shape": {"shape": [20], "datatype": "FP32", "data": [0] * 20},
            "wrong dtype": {"shape": [1, 20], "datatype": "BYTES", "data": ["0"] * 20},
            "1e39": {"shape": [1, 20], "datatype": "FP32", "data": [1e39] * 20},
        }.items():
            body = json.dumps({"inputs": [{"name": "encoded", **tensor}]}).encode()
            status, told = ask(port, request(f"/v2/models/{CASE}/infer", body))
            yield f"tensor, {what}: {status} {told.decode()[:110]}"


def large(models: Path) -> Iterator[str]:
    """100 MB, a gzip bomb, and a body without end, while others ask."""
    with served(models) as (process, port), Load(port, request("/predict", ROW), 4) as seen:
        before = memory(process.pid)
        status, told = ask(port, request("/predict", b" " * 100_000_000))
        yield f"100 MB: {status} {told.decode()}"
        bomb = gzip.compress(bytes(1_000_000_000))
        head = request("/predict", bomb).replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)
        status, told = ask(port, head)
        yield f"gzip bomb ({len(bomb):,} bytes to 1 GB): {status} {told.decode()[:60]}"
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        start = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        status, told = ask(port, start + chunk * 64 + b"0\r\n\r\n")
        yield f"64 MB in chunks: {status} {told.decode()[:60]}"
        yield f"memory grew by {memory(process.pid) - before:.0f} MB"
    yield f"the others: {seen}"


def slow(models: Path) -> Iterator[str]:
    """200 clients that send a byte a second, while others ask."""

    async def drip(port: int, sent: bytes, told: Counter[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        start = time.monotonic()
        try:
            for byte in sent:
                writer.write(bytes([byte]))
                with suppress(TimeoutError):
                    answer = await asyncio.wait_for(reader.read(100), 1)
                    seconds = 5 * round((time.monotonic() - start) / 5)
                    told[f"{answer[9:12].decode() or 'closed'} after {seconds} s"] += 1
                    return
        except OSError:
            told["reset"] += 1

    async def all_of_them(port: int, told: Counter[str]) -> None:
        whole = request("/predict", ROW)
        first = whole[: whole.index(b"{") - 4]
        await asyncio.gather(
            *(drip(port, whole, told) for _ in range(100)),
            *(body(port, first, told) for _ in range(100)),
        )

    async def body(port: int, head: bytes, told: Counter[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"\r\n\r\n{")
        start = time.monotonic()
        answer = await asyncio.wait_for(reader.read(100), 60)
        seconds = 5 * round((time.monotonic() - start) / 5)
        told[f"{answer[9:12].decode() or 'closed'} after {seconds} s (body)"] += 1

    told: Counter[str] = Counter()
    with served(models) as (_, port), Load(port, request("/predict", ROW), 8) as seen:
        asyncio.run(all_of_them(port, told))
    yield f"the slow: {dict(told)}"
    yield f"the others: {seen}"


def idle(models: Path) -> Iterator[str]:
    """2,000 connections that say nothing, while others ask."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with served(models) as (process, port):
        with Load(port, request("/predict", ROW), 8) as alone:
            time.sleep(2)
        before = memory(process.pid)
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(2000)]
        with Load(port, request("/predict", ROW), 8) as beside:
            time.sleep(2)
        grown = memory(process.pid) - before
        yield f"alone:  {alone}"
        yield f"beside: {beside}; memory grew by {grown:.0f} MB"
        waited = time.monotonic()
        silent[0].settimeout(120)
        silent[0].recv(1)
        yield f"the silent were closed after {time.monotonic() - waited + 2:.0f} s more"


def malformed(models: Path) -> Iterator[str]:
    """10,000 bodies made of a good one by chance, at both doors."""
    chance = random.Random(8)
    tensors = {
        "id": "1",
        "inputs": [
            {"name": name, "shape": [2], "datatype": "FP64", "data": [1.5, None]}
            for name in COLUMNS
        ],
        "outputs": [{"name": "label"}],
    }
    good = [
        ("/predict", ROW),
        ("/predict", json.dumps({"rows": [one_row(), one_row()]}).encode()),
        (f"/v2/models/{CASE}/infer", json.dumps(tensors).encode()),
    ]
    pieces = [
        *(b"null", b"1e999", b"NaN", b"-0", b'"', b"\\ud800", b"\xff", b"[", b"{", b"}}", b","),
        *(b"9" * 400, b"[[[[", b'"rows":1', b"true", b"\0", b'{"rows":[{}]}', b"1e308", b"-1"),
    ]

    def spoiled(body: bytes) -> bytes:
        made = bytearray(body)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(made) + 1)
            end = min(len(made), at + chance.choice([0, 1, 1, 4, 20, 200]))
            made[at:end] = chance.choice([b"", *pieces, bytes([chance.randrange(256)])])
        return bytes(made)

    async def all_of_them(port: int) -> Counter[int]:
        told: Counter[int] = Counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(10_000):
            path, body = chance.choice(good)
            extra = b""
            if "infer" in path and chance.random() < 0.3:
                length = chance.choice([b"-1", b"x", b"10", str(len(body) - 3).encode()])
                extra = b"\r\nInference-Header-Content-Length: " + length
            sent = request(path, spoiled(body)).replace(b"\r\nHost", extra + b"\r\nHost", 1)
            writer.write(sent)
            status, head, _ = await read_reply(reader)
            told[status] += 1
            if b"connection: close" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return told

    with served(models) as (_, port):
        told = asyncio.run(all_of_them(port))
        assert ready(port)
    failed = sum(count for status, count in told.items() if status >= 500)
    yield f"{dict(sorted(told.items()))}: {failed} of them 5xx"


def taken(models: Path) -> Iterator[str]:
    """A port in use."""
    with served(models) as (_, port):
        done = subprocess.run(
            [sys.executable, "-c", SERVE, "serve", CASE, "--port", str(port),
             "-C", str(models.parent.parent)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    yield f"exit {done.returncode}: {' '.join(done.stderr.split())}"


FAULTS: dict[str, Callable[[Path], Iterator[str]]] = {
    fault.__name__: fault
    for fault in (sigterm, killed, swap, refused, values, large, slow, idle, malformed, taken)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("fault", nargs="*", choices=[[], *FAULTS], help="which (default: all)")
    chosen: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        models = write_workspace(Path(name) / "shop", versions=2)
        for fault in chosen.fault or FAULTS:
            print(f"{fault}: {FAULTS[fault].__doc__}", flush=True)
            for line in FAULTS[fault](models):
                print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
