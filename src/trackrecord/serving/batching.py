"""Requests that wait together go through the model together; a lone one does not wait at all.

There is no window of time in which to collect. While the model works on one batch the next one
gathers, so batches grow with the load and are of one row without any. What the model does within
``SHORT`` it does right where the requests are read: a thread's hand-over would take longer. Longer
batches, and requests of many rows, go to threads, so that reading and answering go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.serving.limits import Limits
from trackrecord.serving.loaded import Loaded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORT = 0.002
# Rows that a request of many is cut into, so that its memory stays small.
PIECE = 4096
# Rounding may leave a probability this far outside of [0, 1].
ROUNDING = 1e-6
TOO_GREAT = "holds a number beyond what the model can take (3.4e38)"
NO_ANSWER = "the model fails on this row"
NO_PROBABILITY = "the model gives no probability for this row"

logger = logging.getLogger("trackrecord.serving")


class Full(Exception):
    """The queue has no room; ``seconds`` until it may have."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the queue is full")
        self.seconds = seconds


class TooLate(Exception):
    """The request waited longer than one may."""


class RowFault(NamedTuple):
    """Why a row has no answer; ``own`` where the fault is the row's and not the model's."""

    why: str
    own: bool


class Scores(NamedTuple):
    """Probabilities of a request's rows, and the faults of those that have none (NaN)."""

    probability: NDArray[np.float64]
    faults: dict[int, RowFault]


class _Item(NamedTuple):
    rows: Sequence[Any] | None  # tuples, or None where the matrix is made
    matrix: NDArray[np.float32] | None
    size: int
    future: asyncio.Future[Scores]
    since: float


class Batcher:
    """The queue of one loaded version. All but ``_answer`` runs on the event loop."""

    def __init__(
        self,
        loaded: Loaded,
        limits: Limits,
        threads: Executor,
        batched: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.loaded = loaded
        self.queued = 0
        self._limits = limits
        self._threads = threads
        self._batched = batched
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Item] = deque()
        self._scheduled = self._working = False
        # How much slower the model is than when it was opened.
        self._slowness = 1.0
        self._complained = 0.0
        # One thread is left to batches of small requests.
        self._one_alone = asyncio.Semaphore(1)

    def submit(
        self,
        count: int,
        rows: Sequence[Any] | None = None,
        matrix: NDArray[np.float32] | None = None,
    ) -> asyncio.Future[Scores]:
        """The answers to ``count`` rows, given as tuples or as the encoded matrix.

        Raises Full at once where too many rows wait already; the future may raise TooLate.
        """
        if self.queued and self.queued + count > self._limits.queue:
            raise Full(self.expected(self.queued))
        item = _Item(rows, matrix, count, self._loop.create_future(), time.perf_counter())
        self.queued += count
        if count > self._limits.batch:
            self._loop.create_task(self._alone(item))
            return item.future
        self._waiting.append(item)
        if not self._scheduled and not self._working:
            self._scheduled = True
            self._loop.call_soon(self._flush)
        return item.future

    def expected(self, rows: int) -> float:
        """Seconds that so many rows will take the model."""
        return (self.loaded.once + rows * self.loaded.each) * self._slowness

    def _flush(self) -> None:
        self._scheduled = False
        batch, count = self._next()
        if not batch:
            return
        self._batched(count)
        if self.expected(count) < SHORT:
            self._settle(batch, *self._answered(batch))
            self._go_on()
            return
        self._working = True
        work = self._loop.run_in_executor(self._threads, self._answered, batch)
        work.add_done_callback(lambda done: self._worked(batch, done))

    def _worked(self, batch: list[_Item], done: asyncio.Future[Any]) -> None:
        self._working = False
        if error := done.exception():
            for item in batch:
                self.queued -= item.size
                if not item.future.done():
                    item.future.set_exception(error)
        else:
            self._settle(batch, *done.result())
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _next(self) -> tuple[list[_Item], int]:
        """The next requests that fit into a batch, without those that nobody waits for."""
        batch: list[_Item] = []
        count = 0
        oldest = time.perf_counter() - self._limits.wait
        while self._waiting and count + self._waiting[0].size <= self._limits.batch:
            item = self._waiting.popleft()
            if item.future.done() or item.since < oldest:
                self.queued -= item.size
                if not item.future.done():
                    item.future.set_exception(TooLate())
                continue
            batch.append(item)
            count += item.size
        return batch, count

    def _settle(self, batch: list[_Item], scores: Scores, seconds: float) -> None:
        probability, faults = scores
        start = 0
        for item in batch:
            end = start + item.size
            self.queued -= item.size
            own = faults and {at - start: why for at, why in faults.items() if start <= at < end}
            if not item.future.done():
                item.future.set_result(Scores(probability[start:end], own or {}))
            start = end
        expected = self.loaded.once + start * self.loaded.each
        ratio = seconds / expected if expected else 1.0
        self._slowness += 0.2 * (min(ratio, 1e6) - self._slowness)

    def _answered(self, batch: list[_Item]) -> tuple[Scores, float]:
        """The scores of a batch's rows, one after the other, and the seconds it took."""
        import numpy as np

        start = time.perf_counter()
        if all(item.matrix is None for item in batch):
            rows = [row for item in batch for row in item.rows or ()]
            matrix = self.loaded.encode.tuples(rows)
        else:
            pieces = [
                self.loaded.encode.tuples(item.rows or ()) if item.matrix is None else item.matrix
                for item in batch
            ]
            matrix = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return self.answer(matrix), time.perf_counter() - start

    def answer(self, matrix: NDArray[np.float32]) -> Scores:
        """The model's answers; a row that it cannot answer is a fault and no more."""
        import numpy as np

        faults: dict[int, RowFault] = {}
        if np.isinf(matrix).any():
            beyond = np.isinf(matrix).any(axis=1)
            faults = {int(at): RowFault(TOO_GREAT, True) for at in np.flatnonzero(beyond)}
            probability = np.full(len(matrix), np.nan)
            if not beyond.all():
                probability[~beyond] = self._scored(matrix[~beyond])
        else:
            probability = self._scored(matrix)
        if not ((probability >= 0.0) & (probability <= 1.0)).all():
            near = (probability >= -ROUNDING) & (probability <= 1.0 + ROUNDING)
            probability = np.where(near, np.clip(probability, 0.0, 1.0), np.nan)
            for at in np.flatnonzero(~near):
                faults.setdefault(int(at), RowFault(NO_PROBABILITY, False))
        return Scores(probability, faults)

    def _scored(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores, NaN for rows on which the model raises: found by halving what fails."""
        import numpy as np

        try:
            scores = self.loaded.score(matrix)
            if scores.shape == (len(matrix),):
                return scores
            raise ValueError(f"{len(matrix)} rows got answers of shape {scores.shape}")
        except Exception as error:
            if len(matrix) <= 1:
                self._complain(error)
                return np.full(len(matrix), np.nan)
        half = len(matrix) // 2
        return np.concatenate([self._scored(matrix[:half]), self._scored(matrix[half:])])

    def _complain(self, error: Exception) -> None:
        """Say that the model raised, once a second at most."""
        now = time.monotonic()
        if now - self._complained >= 1.0:
            self._complained = now
            logger.warning(
                "version %d raised %s: %s",
                self.loaded.version, type(error).__name__, str(error)[:300],
            )  # fmt: skip

    async def _alone(self, item: _Item) -> None:
        """A request of many rows, in pieces, in a thread of its own."""
        self._batched(item.size)
        try:
            async with self._one_alone:
                scores = await self._loop.run_in_executor(self._threads, self._pieces, item)
        except Exception as error:
            if not item.future.done():
                item.future.set_exception(error)
        else:
            if not item.future.done():
                item.future.set_result(scores)
        finally:
            self.queued -= item.size

    def _pieces(self, item: _Item) -> Scores:
        import numpy as np

        if time.perf_counter() - item.since > self._limits.wait:
            raise TooLate
        found, faults = [], {}
        for start in range(0, item.size, PIECE):
            if item.matrix is not None:
                matrix = item.matrix[start : start + PIECE]
            else:
                matrix = self.loaded.encode.tuples((item.rows or ())[start : start + PIECE])
            scores = self.answer(matrix)
            found.append(scores.probability)
            faults.update({start + at: why for at, why in scores.faults.items()})
        return Scores(np.concatenate(found), faults)
