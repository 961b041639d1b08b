"""The ledger's lock: one writer at a time, and the system lets go of it when the writer dies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from trackrecord.errors import LedgerError
from trackrecord.ledger.store import cannot_write

LOCK_SECONDS = 60.0


@contextlib.contextmanager
def locked(evidence: Path, lock_path: Path | None) -> Iterator[None]:
    """Hold the lock at ``lock_path``; by default the workspace's own, ``.trackrecord/lock``.

    A free lock is taken by one system call, the `flock` that filelock would make; filelock does
    the waiting, and all of it where there is no `flock`. Raises LedgerError when another process
    holds the lock for a minute, or the lock's file cannot be written.
    """
    beside = os.path.dirname(evidence if evidence.is_absolute() else evidence.absolute())
    name = lock_path or os.path.join(beside, ".trackrecord", "lock")
    descriptor = _free_lock(name)
    if descriptor is not None:
        try:
            yield
        finally:
            os.close(descriptor)
        return
    from filelock import FileLock, Timeout

    path = Path(name)
    lock = FileLock(path, timeout=LOCK_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=0.002)
    except Timeout:
        raise LedgerError(
            "another process is writing to the ledger",
            where=str(path),
            why=f"it has held the lock for {LOCK_SECONDS:.0f} seconds",
            next="wait for it to end, then run the same command again",
        ) from None
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _free_lock(path: Path | str) -> int | None:
    """A descriptor that holds the lock until it is closed; None when that takes more than a try."""
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A file that was deleted meanwhile guards nothing: others lock the new one of its name.
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
