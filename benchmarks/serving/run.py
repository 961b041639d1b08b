"""Serving against other servers: the same model, one worker each, asked by wrk.

``python benchmarks/serving/run.py --peers FOLDER`` (environments by name) or ``--install``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from model import write_workspace
from servers import PACKAGES, Question, Server, answers, servers

CONNECTIONS = 32
STARTS = 3


class Turn(NamedTuple):
    """One server's turn: requests a second, those that a second of processor time answers, and the
    99th percentile in milliseconds."""

    rate: float
    each: float
    p99: float


class Started(NamedTuple):
    """A server that runs."""

    server: Server
    process: subprocess.Popen[bytes]
    port: int
    seconds: float


def ask(port: int, question: Question) -> bytes:
    sent = urllib.request.Request(
        f"http://127.0.0.1:{port}{question.path}", question.body, question.headers
    )
    with urllib.request.urlopen(sent, timeout=20) as answer:
        return bytes(answer.read())


def start(server: Server, model: Path, folder: Path, expected: float | None) -> Started:
    """Start a server and wait for its first right answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = time.perf_counter()
    process = server.start(model, port, folder / server.name)
    while True:
        with suppress(OSError, urllib.error.URLError, ValueError):
            (found,) = answers(ask(port, server.one))
            if expected is not None and abs(found - expected) > 1e-5:
                raise SystemExit(f"{server.name} answers {found}, not {expected}")
            return Started(server, process, port, time.perf_counter() - before)
        if process.poll() is not None or time.perf_counter() - before > 90:
            raise SystemExit(f"{server.name} does not answer")
        time.sleep(0.01)


def family(started: Started) -> list[int]:
    """The ids of a server's processes: the first one, its children, theirs, and so on."""
    found, new = [], [started.process.pid]
    while new:
        found += new
        children: list[int] = []
        for pid in new:
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    children += map(int, file.read_text().split())
        new = children
    return found


def group(started: Started, sig: int) -> None:
    for pid in family(started):
        with suppress(ProcessLookupError):
            os.kill(pid, sig)


def stop(started: Started) -> None:
    group(started, signal.SIGKILL)
    started.process.wait()


def memory(started: Started) -> float:
    """Megabytes of all its processes: what each has for itself, and a share of what they share."""
    total = 0
    for pid in family(started):
        with suppress(OSError):
            told = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)[1])  # type: ignore[index]
    return total / 1e3


def processor(started: Started) -> float:
    """Seconds of processor time that all of a server's processes have used."""
    ticks = 0
    for pid in family(started):
        with suppress(OSError):
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def script(question: Question, folder: Path, name: str) -> Path:
    """A question for wrk."""
    body, lua = folder / f"{name}.body", folder / f"{name}.lua"
    body.write_bytes(question.body)
    lines = [f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in question.headers.items()]
    lines += [f'wrk.body = io.open("{body}", "rb"):read("*a")', 'wrk.method = "POST"']
    lua.write_text("\n".join(lines))
    return lua


class CannotKeepUp(Exception):
    """A server that answers some of its requests with an error; the message is wrk's."""


def turn(started: Started, question: Question, lua: Path, seconds: int, connections: int) -> Turn:
    before = processor(started)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s",
         "-s", lua, f"http://127.0.0.1:{started.port}{question.path}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if "Non-2xx" in done.stdout:
        raise CannotKeepUp(done.stdout)
    used = processor(started) - before
    count = int(re.search(r"(\d+) requests in", done.stdout)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])  # type: ignore[index]
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", done.stdout).groups()  # type: ignore[union-attr]
    return Turn(
        rate,
        count / max(used, 0.01),
        float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}[unit],
    )


def race(
    running: list[Started], folder: Path, *, many: bool, rounds: int, seconds: int
) -> dict[str, list[Turn]]:
    """Turns of all servers, one after the other, again and again; who waits is stopped."""
    connections = 4 if many else CONNECTIONS
    found: dict[str, list[Turn]] = {one.server.name: [] for one in running}
    for one in running:
        group(one, signal.SIGSTOP)
    out: set[str] = set()
    for _ in range(rounds):
        for one in running:
            if one.server.name in out:
                continue
            question = one.server.many if many else one.server.one
            lua = script(question, folder, one.server.name)
            group(one, signal.SIGCONT)
            try:
                turn(one, question, lua, 1, connections)
                found[one.server.name].append(turn(one, question, lua, seconds, connections))
            except CannotKeepUp as error:
                out.add(one.server.name)
                del found[one.server.name]
                (failed,) = re.findall(r"responses: (\d+)", str(error))
                print(f"{one.server.name} is out: {failed} of its answers were errors")
            group(one, signal.SIGSTOP)
    for one in running:
        group(one, signal.SIGCONT)
    return found


def tell(found: dict[str, list[Turn]], what: str) -> None:
    """A table with each server's medians, and trackrecord's ratios to it, by rounds.

    By processor time, because a machine that others use, too, has the less for each the more of
    them there are; and because a server of one process cannot use more than one processor.
    """
    own = found["trackrecord"]
    print(f"\n{what}\n")
    print(
        "| server | requests/s | ratio | requests per processor second | ratio | p99, ms | ratio |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, turns in found.items():
        cells = [name]
        for at, format in ((0, ",.0f"), (1, ",.0f"), (2, ",.1f")):
            ratio = statistics.median(a[at] / b[at] for a, b in zip(own, turns, strict=True))
            cells += [f"{statistics.median(t[at] for t in turns):{format}}", f"{ratio:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def tell_starts(first: list[Started], model: Path, folder: Path) -> None:
    """Seconds to the first right answer, the best of a few starts, and memory after 1,000 rows.

    Each is alone then: memory that several servers share would be counted by halves.
    """
    for one in first:
        stop(one)
    print("\n| server | first answer, s | memory, MB |\n| --- | ---: | ---: |")
    for one in first:
        best, held = one.seconds, 0.0
        for _ in range(STARTS):
            again = start(one.server, model, folder, None)
            best = min(best, again.seconds)
            ask(again.port, one.server.many)
            held = memory(again)
            stop(again)
        print(f"| {one.server.name} | {best:.2f} | {held:,.0f} |", flush=True)


def install(folder: Path) -> None:
    """An environment for each peer."""
    pins = dict(line.split("==") for line in (Path(__file__).parent / "requirements.txt").open())
    for peer, packages in PACKAGES.items():
        subprocess.run([sys.executable, "-m", "venv", folder / peer], check=True)
        wanted = [f"{p}=={pins[p].strip()}" if p in pins else p for p in packages]
        subprocess.run(
            [folder / peer / "bin" / "python", "-m", "pip", "install", "-q", *wanted], check=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peers", type=Path, help="a folder of environments by the peers' names")
    parser.add_argument("--install", action="store_true", help="make them, for this run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("the load comes from wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers = chosen.peers or folder / "peers"
        if chosen.install:
            install(peers)
        model = write_workspace(folder / "shop") / "1" / "model.onnx"
        running: list[Started] = []
        try:
            for server in servers(model, peers):
                expected = (
                    answers(ask(running[0].port, running[0].server.one))[0] if running else None
                )
                running.append(start(server, model, folder, expected))
            print(f"onnxruntime {version('onnxruntime')}, uvicorn {version('uvicorn')};", end=" ")
            print(f"{os.cpu_count()} processors, {chosen.rounds} rounds of {chosen.seconds} s")
            how = {"rounds": chosen.rounds, "seconds": chosen.seconds}
            tell(race(running, folder, many=False, **how), "One row, 32 connections:")
            tell(race(running, folder, many=True, **how), "1,000 rows, 4 connections:")
            tell_starts(running, model, folder)
        finally:
            for one in running:
                stop(one)


if __name__ == "__main__":
    main()
