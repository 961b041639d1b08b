"""What is looked at once a second during a drill, and when it is an alarm."""

from __future__ import annotations

import http.client
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trackrecord.serving.monitoring.monitor import monitor_answers
from trackrecord.serving.monitoring.reference import Reference
from trackrecord.serving.monitoring.windows import Every
from trackrecord.serving.replay import Reply

if TYPE_CHECKING:
    import polars as pl

Alarm = Literal[
    "refused", "errors", "latency", "memory", "capture", "truth",
    "features", "answers", "expected", "realised",
]  # fmt: skip
# Of the replies of the last seconds: how many at least, which share may fail, and how much slower
# than before the median may be.
RECENT = 2.0
LEAST_REPLIES = 20
FAILED = 0.05
SLOWER, SLOWER_SECONDS = 4.0, 0.02
MORE_MEMORY = 200e6
# Truth that is this much later than it used to be is late.
TRUTH_SECONDS = 6.0
WINDOW = 250


class Seen(msgspec.Struct, frozen=True):
    """An alarm: which, when, and in words."""

    alarm: Alarm
    at: float
    what: str


class Watcher:
    """Collects replies, asks the server how it is, and judges the answers by the monitoring."""

    def __init__(self, port: int, case: str, reference: Reference) -> None:
        self._port = port
        self._case = case
        self._reference = reference
        self._usual: float | None = None
        self._memory: float | None = None
        self._failures = 0.0

    def settle(self, replies: list[Reply]) -> None:
        """What is usual, from the replies before anything was broken."""
        good = sorted(reply.seconds for reply in replies if reply.status == 200)
        self._usual = good[len(good) // 2] if good else None
        self._memory = _metric(self._text("/metrics"), "worker_resident_memory_bytes")

    def look(self, replies: deque[Reply], now: float, truth_at: float | None) -> list[Seen]:
        """Alarms from replies, health and figures; ``truth_at`` is when truth last came."""
        found: list[Seen] = []
        recent = [reply for reply in replies if reply.at > now - RECENT]
        failed = sum(reply.status != 200 for reply in recent)
        if len(recent) >= LEAST_REPLIES and failed > FAILED * len(recent):
            found.append(Seen("errors", now, f"{failed} of {len(recent)} requests failed"))
        good = sorted(reply.seconds for reply in recent if reply.status == 200)
        if self._usual is not None and len(good) >= 5:
            middle = good[len(good) // 2]
            if middle > SLOWER * self._usual + SLOWER_SECONDS:
                said = f"half of the answers take over {1000 * middle:.0f} ms,"
                found.append(Seen("latency", now, f"{said} {1000 * self._usual:.0f} ms before"))
        health = self._text("/health")
        if health and (refused := _refused(health)):
            found.append(Seen("refused", now, refused))
        figures = self._text("/metrics")
        memory = _metric(figures, "worker_resident_memory_bytes")
        if memory and self._memory and memory > self._memory + MORE_MEMORY:
            said = f"{memory / 1e6:,.0f} MB of memory, {self._memory / 1e6:,.0f} before"
            found.append(Seen("memory", now, said))
        failures = _metric(figures, "capture_failures_total") or 0.0
        if failures > self._failures:
            found.append(Seen("capture", now, f"{failures:.0f} answers could not be captured"))
        if truth_at is not None and now - truth_at > TRUTH_SECONDS:
            found.append(Seen("truth", now, f"no truth has come for {now - truth_at:.0f} s"))
        return found

    def judge(self, answers: pl.DataFrame, truth: pl.DataFrame, now: float) -> list[Seen]:
        """Alarms that any window of the answers raised."""
        found: list[Seen] = []
        seen = monitor_answers(self._reference, answers, truth, version=0, every=Every(rows=WINDOW))
        for window in seen.windows:
            for watch in window.alarms:
                if any(one.alarm == watch for one in found):
                    continue
                worst = min(
                    (signal for signal in window.signals if signal.watch == watch),
                    key=lambda signal: signal.p,
                )
                said = f"{worst.name}: {worst.measure} {worst.effect:.2f}"
                found.append(Seen(watch, now, said))
        return found

    def _text(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()


def _metric(text: str, name: str) -> float | None:
    found = re.search(rf"^trackrecord_{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def _refused(text: str) -> str | None:
    try:
        health: Any = msgspec.json.decode(text)
        refused = health["refused"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return None
    return str(refused[0]["why"])[:200] if refused else None
