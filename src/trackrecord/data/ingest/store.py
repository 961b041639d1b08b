"""Raw bytes kept under their own digest, and files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trackrecord.errors import BadInput
from trackrecord.ledger.store import fsync, fsync_folder

PIECE = 1 << 20
WAIT = 600.0


def raw_file(root: Path, digest: str) -> Path:
    """Where the bytes with this SHA-256 are kept."""
    return root / "data" / "raw" / digest


def keep_raw(root: Path, file: BinaryIO) -> tuple[str, int]:
    """Copy what ``file`` still has to say into data/raw; returns its SHA-256 and size.

    Bytes that are there already are left alone. The copy can be read by all, and written by nobody.
    Raises OSError; then nothing new is there.
    """
    folder = root / "data" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with temporary(folder / "raw") as path:
        with path.open("wb") as copy:
            while data := file.read(PIECE):
                digest.update(data)
                copy.write(data)
                size += len(data)
            copy.flush()
            fsync(copy.fileno())
        target = folder / digest.hexdigest()
        if not target.exists() or target.stat().st_size != size:
            path.chmod(0o444)
            path.replace(target)
            fsync_folder(folder)
    return digest.hexdigest(), size


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """A name beside ``path`` for what is not whole yet; nothing is left of it afterwards."""
    made = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)


def put(path: Path, target: Path) -> None:
    """Give a whole file its name."""
    path.replace(target)
    fsync_folder(target.parent)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """One process at a time adds sources to a workspace; remains of a dead one are removed."""
    from filelock import FileLock, Timeout

    cache = root / ".trackrecord"
    cache.mkdir(exist_ok=True)
    lock = FileLock(cache / "add.lock", timeout=WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(
            "another process is adding data to this workspace",
            where=str(cache / "add.lock"),
            why=f"it has not finished in {WAIT:.0f} seconds",
            next="wait for it, then type the same command again",
        ) from None
    try:
        for folder in (root / "data", root / "data" / "raw"):
            for left in folder.glob(".*.new"):
                if not _alive(left.name):
                    left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _alive(name: str) -> bool:
    """Whether the process that made a temporary file is still there."""
    try:
        os.kill(int(name.rsplit(".", 2)[1].partition("-")[0]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True
