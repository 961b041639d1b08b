"""One build at a time in a workspace, and what a dead one left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from trackrecord.errors import BadInput

WAIT = 3600.0
# Shows that something is under way while it is entered; call what it gives with the share done.
Shown = Callable[[str], AbstractContextManager[Callable[[float], None]]]


@contextlib.contextmanager
def unseen(what: str) -> Iterator[Callable[[float], None]]:
    """Progress that nobody looks at."""
    yield lambda share: None


@contextlib.contextmanager
def alone(root: Path, progress: Shown) -> Iterator[None]:
    """Wait for another build of the workspace, then remove what a dead one left half-made.

    Raises BadInput where the other does not come to an end in an hour.
    """
    from filelock import FileLock, Timeout

    cache = root / ".trackrecord"
    cache.mkdir(exist_ok=True)
    lock = FileLock(cache / "build.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        try:
            with progress("waiting for another build of this workspace"):
                lock.acquire(timeout=WAIT)
        except Timeout:
            raise BadInput(
                "another process is building this workspace",
                where=str(cache / "build.lock"),
                why=f"it has not finished in {WAIT / 60:.0f} minutes",
                next="wait for it, then: trackrecord data build",
            ) from None
    try:
        for left in (root / "data" / "built").glob(".*.new"):
            if not _is_alive(left.name):
                left.unlink(missing_ok=True)
        # Whoever holds the lock is the only one who makes these.
        for folder in cache.glob("spill.*"):
            shutil.rmtree(folder, ignore_errors=True)
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def spilling(root: Path) -> Iterator[Path]:
    """A folder for what does not fit into memory; gone afterwards."""
    folder = root / ".trackrecord" / f"spill.{os.getpid()}"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(name: str) -> bool:
    """Whether the process that made a temporary file, which may be no build, is still there."""
    try:
        os.kill(int(name.rsplit(".", 2)[1].partition("-")[0]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True
