"""Asks a server what really was asked: rows of a case, in the order of their time, and their truth.

Each request says its unit and when it was asked, so that windows are the calendar's.
"""

from __future__ import annotations

import datetime
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

WAIT = 10.0


class Question(NamedTuple):
    """One row to ask: its unit, its moment, and the request's body."""

    unit: str
    moment: datetime.datetime | None
    body: bytes


class Reply(NamedTuple):
    """What came back: when, how long it took, the status (0: no answer), version, probability."""

    unit: str
    at: float
    seconds: float
    status: int
    version: int | None
    probability: float | None


def questions(rows: pl.DataFrame, features: list[str]) -> Iterator[Question]:
    """A request for each row of ``id``, the features and, where known, ``time`` (UTC)."""
    encode = msgspec.json.encode
    timed = "time" in rows.columns
    for row in rows.iter_rows(named=True):
        body = encode({name: row[name] for name in features})
        yield Question(str(row["id"]), row["time"] if timed else None, body)


class Load:
    """Steady load from several connections, each asking its next question when it has its answer.

    ``rate`` is questions a second over all of them, None for as quick as it goes. ``told`` is
    called with each reply, one at a time.
    """

    def __init__(
        self,
        address: str,
        asked: Iterator[Question],
        *,
        connections: int = 8,
        rate: float | None = None,
        key: str | None = None,
        told: Callable[[Reply], None] = lambda reply: None,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(f"{address!r} is no address", next="--url http://127.0.0.1:8080")
        self._parts = parts
        self._asked = asked
        self._rate = rate
        self._key = key
        self._told = told
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began = time.perf_counter()
        self._given = 0
        self._threads = [
            threading.Thread(target=self._ask, daemon=True) for _ in range(connections)
        ]

    def start(self) -> None:
        """Begin to ask."""
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask nothing more, and wait for the answers that are due."""
        self._stop.set()
        self.wait()

    def wait(self) -> None:
        """Wait until all questions are answered."""
        for thread in self._threads:
            thread.join()

    def _next(self) -> Question | None:
        with self._lock:
            if self._stop.is_set():
                return None
            question = next(self._asked, None)
            self._given += 1
            due = self._began + self._given / self._rate if self._rate else 0.0
        if question is not None and (pause := due - time.perf_counter()) > 0:
            self._stop.wait(pause)
        return question

    def _ask(self) -> None:
        connection: Any = None
        while (question := self._next()) is not None:
            began = time.perf_counter()
            try:
                if connection is None:
                    connection = self._connect()
                status, said = self._send(connection, question)
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
                status, said = 0, b""
                self._stop.wait(0.01)
            seconds = time.perf_counter() - began
            reply = _reply(question.unit, seconds, status, said)
            with self._lock:
                self._told(reply)
        if connection is not None:
            connection.close()

    def _connect(self) -> Any:
        kind = (
            http.client.HTTPSConnection
            if self._parts.scheme == "https"
            else http.client.HTTPConnection
        )
        return kind(self._parts.hostname or "", self._parts.port, timeout=WAIT)

    def _send(self, connection: Any, question: Question) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "X-Unit-ID": question.unit}
        if question.moment is not None:
            headers["X-Event-Time"] = question.moment.isoformat()
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connection.request("POST", f"{self._parts.path}/predict", question.body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.will_close:
            connection.close()
        return answer.status, said


def _reply(unit: str, seconds: float, status: int, said: bytes) -> Reply:
    version = probability = None
    if status == 200:
        try:
            found = msgspec.json.decode(said)
            version, probability = found["version"], found["probability"]
        except (msgspec.MsgspecError, KeyError, TypeError):
            status = 0
    return Reply(unit, time.time(), seconds, status, version, probability)
