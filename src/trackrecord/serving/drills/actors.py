"""Who takes part in a drill besides the load: the server kept alive, and who tells the truth."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackrecord.errors import DataError
from trackrecord.serving.capture.segments import captures_folder
from trackrecord.serving.capture.truth import add_truth
from trackrecord.serving.drills.fault import Fault
from trackrecord.serving.replay import Reply
from trackrecord.workspace import Workspace

START_SECONDS = 60.0
TRUTH_DELAY = 1.0


@dataclass
class Traffic:
    """What was asked and answered so far; filled by the load's threads."""

    replies: list[Reply] = field(default_factory=list)
    recent: deque[Reply] = field(default_factory=lambda: deque(maxlen=5000))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, reply: Reply) -> None:
        """Keep a reply."""
        with self.lock:
            self.replies.append(reply)
            self.recent.append(reply)

    def latest(self) -> deque[Reply]:
        """A copy of the last of them."""
        with self.lock:
            return deque(self.recent)


class Truth:
    """Adds what came true of each answer, a second after it."""

    def __init__(self, scratch: Workspace, case: str, truth: dict[Any, int], told: Traffic) -> None:
        self._folder = captures_folder(scratch.root, case)
        self._truth = {str(row): value for row, value in truth.items()}
        self._told = told
        self._given = 0
        self._running = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.at: float | None = None

    def start(self) -> None:
        """Begin to tell."""
        self.at = time.time()
        self._running.set()
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing for now."""
        self._running.clear()

    def resume(self) -> None:
        """Go on with what was not told."""
        self._running.set()

    def _run(self) -> None:
        import polars as pl

        none = pl.Series([], dtype=pl.String)
        while not self._over.wait(1.0):
            if not self._running.is_set():
                continue
            until = time.time() - TRUTH_DELAY
            with self._told.lock:
                fresh = [r for r in self._told.replies[self._given :] if r.at < until]
            self._given += len(fresh)
            known = [(r.unit, str(self._truth[row_of(r.unit)])) for r in fresh if r.status == 200]
            if known:
                table = pl.DataFrame(known, schema=["unit", "truth"], orient="row")
                with suppress(OSError):
                    add_truth(self._folder, table, unit="unit", truth="truth", asked=none)
                self.at = time.time()


class Server:
    """The process that is drilled, started again when it dies, as a supervisor would."""

    def __init__(self, root: Path, case: str, port: int, fault: Fault | None) -> None:
        self._command = [
            sys.executable, "-P", "-m", "trackrecord.serving.drills.child",
            str(root), case, str(port), *([fault.name] if fault else []),
        ]  # fmt: skip
        self._log = root / "server.log"
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises DataError where it does not answer within a minute."""
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
            try:
                connection.request("GET", "/v2/health/ready")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise DataError(
            "the drill's server does not answer",
            where=f"127.0.0.1:{self._port}",
            why=self._log.read_text("utf-8", "replace")[-300:] if self._log.exists() else None,
        )

    def stop(self) -> None:
        """End the process, and start it no more."""
        self._over.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._thread.join(5)

    def _keep(self) -> None:
        while not self._over.is_set():
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
                self._process.wait()
            self._over.wait(0.2)


def row_of(unit: str) -> str:
    """The row that a unit of the drill's load asks about."""
    return unit.partition(".")[0]
