"""Several workers on one port: started, watched, started again, and stopped together.

Each has a listening socket of its own, among which the system spreads connections; the first
process holds all of them open. So what waits to be accepted by a worker that dies is not lost:
the others take it until the worker is back.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from trackrecord.errors import TrackrecordError

# A worker's exit code when its model cannot be served: starting it again would not help.
CANNOT = 3
# A worker that lived shorter than this is started again later each time.
SHORT_LIFE = 2.0
LONGEST_PAUSE = 5.0

logger = logging.getLogger("trackrecord.serving")


def supervise(
    count: int,
    work: Callable[[int], None],
    *,
    lost: Callable[[int], None] = lambda worker: None,
    failed: Callable[[TrackrecordError], None] = lambda error: None,
) -> int:
    """Run ``work(index)`` in ``count`` processes until a signal; returns 0, or what went wrong.

    To be called while this process has one thread. ``lost`` is told of a worker that died and
    will be started again. ``failed`` is called in a worker whose model cannot be served; then all
    are stopped.
    """
    living: dict[int, tuple[int, float]] = {}
    short = [0] * count
    stopping = False
    code = 0

    def stop(sig: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for pid in list(living):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue

    def start(index: int) -> None:
        pid = os.fork()
        if pid == 0:
            _child(index, work, failed)
        living[pid] = (index, time.monotonic())
        if stopping:  # the wish came in between
            os.kill(pid, signal.SIGTERM)

    before = {sig: signal.signal(sig, stop) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        for index in range(count):
            start(index)
        while living:
            pid, status = os.waitpid(-1, 0)
            if pid not in living:
                continue
            index, since = living.pop(pid)
            ended = os.waitstatus_to_exitcode(status)
            if stopping:
                continue
            if ended == CANNOT:
                code = 2
                stop()
                continue
            how = f"was ended by signal {-ended}" if ended < 0 else f"ended with {ended}"
            logger.error("worker %d %s; it is started again", index, how)
            lost(index)
            short[index] = short[index] + 1 if time.monotonic() - since < SHORT_LIFE else 0
            if short[index]:
                time.sleep(min(LONGEST_PAUSE, 0.1 * 2 ** min(short[index], 10)))
            if not stopping:
                start(index)
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
    return code


def _child(
    index: int, work: Callable[[int], None], failed: Callable[[TrackrecordError], None]
) -> None:
    """A worker's life, which never returns into its parent's code."""
    code = 1
    try:
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, signal.SIG_DFL)
        work(index)
        code = 0
    except TrackrecordError as error:
        failed(error)
        code = CANNOT
    except BaseException:
        logger.exception("worker %d failed", index)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
