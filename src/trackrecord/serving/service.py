"""What a worker serves with: the open versions, its limits, its counters, and who listens."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import logging
import math
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.serving.batching import Batcher, Full, Scores, TooLate
from trackrecord.serving.exchange import Request, busy
from trackrecord.serving.hooks import NO_HOOKS, Answered, Hooks
from trackrecord.serving.limits import Limits
from trackrecord.serving.loaded import Loaded
from trackrecord.serving.metrics import Metrics
from trackrecord.serving.shelf import Chosen, Shelf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CAPTURE_EVERY = 0.1
# Answers that may wait for capture; the oldest are let go where it is slower than the server.
CAPTURE_WAITING = 20_000

logger = logging.getLogger("trackrecord.serving")


class Asked(NamedTuple):
    """Rows for the model: tuples in its features' order, or the encoded matrix.

    ``columns`` are what a matrix was made of, where it did not come encoded.
    """

    size: int
    rows: Sequence[Any] | None = None
    matrix: NDArray[np.float32] | None = None
    columns: Sequence[Any] | None = None

    def for_another(self, own: Loaded, other: Loaded) -> Asked | None:
        """The same rows for another version; None where they lack one of its features."""
        if own.bundle.encoding == other.bundle.encoding and own.names == other.names:
            return self
        if not set(other.names) <= set(own.names):
            return None
        places = [own.names.index(name) for name in other.names]
        if self.rows is not None:
            return Asked(self.size, [tuple([row[place] for place in places]) for row in self.rows])
        if self.columns is None:
            return None
        columns = [self.columns[place] for place in places]
        return Asked(self.size, None, other.encode.columns(columns, self.size), columns)


class Service:
    """One worker's state. All of it lives on the event loop."""

    def __init__(
        self,
        folder: Path,
        metrics: Metrics,
        limits: Limits | None = None,
        hooks: Hooks = NO_HOOKS,
        *,
        model_threads: int = 1,
    ) -> None:
        self.limits = limits or Limits()
        self.metrics = metrics
        self.hooks = hooks
        self.draining = False
        self.in_flight = 0
        self.bodies = 0
        self.connections = 0
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="model")
        self._captures = ThreadPoolExecutor(1, thread_name_prefix="capture")
        self._waiting: list[Answered] = []
        self._background: set[asyncio.Task[Any]] = set()
        prefix = secrets.token_hex(6)
        self._ids = (f"{prefix}{number:08x}" for number in itertools.count())
        self.shelf = Shelf(
            folder,
            self.limits,
            self._threads,
            model_threads=model_threads,
            router=hooks.router,
            batched=metrics.batch,
            changed=lambda result: metrics.count(f"swaps_{result}"),
        )

    @property
    def case(self) -> str:
        return self.shelf.folder.name

    def start(self) -> None:
        """Open the versions, and begin to follow them. Raises TrackrecordError."""
        self.shelf.start()
        self.metrics.gauge("start_time_seconds", time.time())
        self.measure()
        self.spawn(self.shelf.watch())
        self.spawn(self._every_second())
        if self.hooks.capture is not None:
            self.spawn(self._capture())

    async def stop(self) -> None:
        """End what runs beside, and hand over what capture has not yet."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self.hooks.capture is not None:
            await self._hand_over()
        if self.hooks.close is not None:
            await asyncio.get_running_loop().run_in_executor(self._captures, self.hooks.close)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._captures.shutdown(wait=False)

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside the requests."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def new_id(self) -> str:
        return next(self._ids)

    def choose(self, request: Request, version: int | None = None) -> Chosen:
        """Who answers a request, and who computes beside: as asked, or as the router says."""
        if version is not None:
            return Chosen(self.shelf.open[version], (), request.id)
        if self.hooks.router is None and self.hooks.capture is None:
            return Chosen(self.shelf.champion, (), request.id)
        unit = request.headers.get(b"x-unit-id", b"")[:200].decode("utf-8", "replace")
        return self.shelf.choose(unit or request.id)

    async def ask(self, request: Request, chosen: Chosen, asked: Asked) -> Scores:
        """The answers to rows.

        Raises Refused where the queue is full and where it took too long.
        """
        batcher = chosen.answer
        try:
            scores = await batcher.submit(asked.size, asked.rows, asked.matrix)
        except Full as error:
            raise busy("too many rows wait for the model", "queue", error.seconds) from None
        except TooLate:
            raise busy("the model is too slow for what is asked of it", "wait") from None
        failed = len(scores.faults)
        metrics = self.metrics
        metrics.answered(batcher.loaded.version, asked.size - failed)
        if failed:
            metrics.count("rows_failed", failed)
            metrics.count("model_failures", sum(not f.own for f in scores.faults.values()))
        if self.hooks.capture is not None:
            self._tell(request, asked, batcher, scores, chosen.unit, "answer")
        for shadow in chosen.shadows:
            if (same := asked.for_another(batcher.loaded, shadow.loaded)) is not None:
                self.spawn(self._shadow(request, same, shadow, chosen.unit))
        return scores

    async def _shadow(self, request: Request, asked: Asked, batcher: Batcher, unit: str) -> None:
        try:
            scores = await batcher.submit(asked.size, asked.rows, asked.matrix)
        except (Full, TooLate):
            return
        except Exception as error:
            logger.warning("version %d failed as shadow: %r", batcher.loaded.version, error)
            return
        if self.hooks.capture is not None:
            self._tell(request, asked, batcher, scores, unit, "shadow")

    def _tell(
        self, request: Request, asked: Asked, batcher: Batcher, scores: Scores, unit: str, role: Any
    ) -> None:
        """Keep an answer for capture, which is told of it off the requests' way."""
        rows = asked.rows
        if rows is None and asked.columns is not None:
            rows = list(zip(*map(_plain, asked.columns), strict=True))
        told = Answered(
            request.id, unit, _moment(request), batcher.loaded.version, role,
            time.perf_counter() - request.started, rows, scores.probability.tolist(),
        )  # fmt: skip
        self._waiting.append(told)
        if len(self._waiting) > CAPTURE_WAITING:
            self.metrics.count("capture_failures", len(self._waiting) // 2)
            del self._waiting[: len(self._waiting) // 2]

    async def _capture(self) -> None:
        while True:
            await asyncio.sleep(CAPTURE_EVERY)
            await self._hand_over()

    async def _hand_over(self) -> None:
        if not self._waiting or self.hooks.capture is None:
            return
        answered, self._waiting = self._waiting, []
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._captures, self.hooks.capture, answered
            )
            self.metrics.count("captured", len(answered))
        except Exception as error:
            self.metrics.count("capture_failures", len(answered))
            logger.error("capture failed, serving goes on: %r", error)

    async def _every_second(self) -> None:
        while True:
            self.measure()
            if self.hooks.tick is not None:
                try:
                    self.hooks.tick()
                except Exception as error:
                    logger.error("a tick failed: %r", error)
            await asyncio.sleep(1.0)

    def measure(self) -> None:
        """Write the gauges."""
        metrics, aliases = self.metrics, self.shelf.aliases
        metrics.gauge("in_flight", self.in_flight)
        metrics.gauge("queue_rows", self.shelf.queued)
        metrics.gauge("connections", self.connections)
        metrics.gauge("champion", aliases.get("champion", 0))
        metrics.gauge("challenger", aliases.get("challenger", 0))
        metrics.gauge("ready", 0.0 if self.draining or self.shelf.ready() else 1.0)
        metrics.gauge("resident_memory_bytes", _memory())
        metrics.gauge("cpu_seconds", time.process_time())


def _moment(request: Request) -> float:
    """Seconds since 1970: now, or what ``X-Event-Time`` says, as when a past is replayed."""
    said = request.headers.get(b"x-event-time")
    if said is not None:
        try:
            moment = datetime.datetime.fromisoformat(said.decode("ascii"))
            return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp()
        except (ValueError, OverflowError):
            pass
    return time.time()


def _plain(column: Any) -> list[Any]:
    values: list[Any] = column if isinstance(column, list) else column.tolist()
    return values


def _memory() -> float:
    """Bytes of memory this process holds; NaN where the system does not say."""
    import os

    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, IndexError):
        return math.nan
