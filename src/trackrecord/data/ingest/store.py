"""Raw bytes kept under their own digest, and files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from trackrecord.errors import BadInput
from trackrecord.ledger.store import fsync, fsync_folder

PIECE = 1 << 20
WAIT = 600.0


def raw_file(root: Path, digest: str) -> Path:
    """Where the bytes with this SHA-256 are kept."""
    return root / "data" / "raw" / digest


class Store:
    """``data/raw`` of a workspace, and what was put there since: ``new``. Mutable."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "data" / "raw"
        self.new: list[Path] = []

    def keep(self, file: BinaryIO) -> tuple[str, int]:
        """Copy what ``file`` still has to say; returns its SHA-256 and size.

        Bytes that are there already are left alone. The copy can be read by all, and written by
        nobody. Raises OSError; then nothing new is there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with temporary(self.folder / "raw") as path:
            with path.open("wb") as copy:
                digest, size = _copied(file, copy)
                copy.flush()
                fsync(copy.fileno())
            target = self.folder / digest
            if not target.exists() or target.stat().st_size != size:
                path.chmod(0o444)
                path.replace(target)
                self.new.append(target)
                fsync_folder(self.folder)
        return digest, size

    def forget(self) -> None:
        """Remove what is new: no source came of it."""
        while self.new:
            self.new.pop().unlink(missing_ok=True)
        # A folder that only this made goes too; one that holds anything cannot be removed.
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def _copied(file: BinaryIO, copy: BinaryIO) -> tuple[str, int]:
    """(SHA-256, bytes) of what was copied; a second thread digests while this one writes."""
    digest, size = hashlib.sha256(), 0
    with ThreadPoolExecutor(max_workers=1) as pool:
        while data := file.read(PIECE):
            size += len(data)
            if size <= PIECE:  # a thread is not worth it
                digest.update(data)
                copy.write(data)
                continue
            digesting = pool.submit(digest.update, data)
            copy.write(data)
            digesting.result()
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
    """One process at a time adds sources to a workspace; remains of a dead one are removed.

    Raises BadInput where another has not finished in ten minutes.
    """
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
        for left in remains(root):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def remains(root: Path) -> list[Path]:
    """Files that a process which is no more left half-written in ``data/`` and ``data/raw/``."""
    folders = (root / "data", root / "data" / "raw")
    found = [path for folder in folders for path in folder.glob(".*.new")]
    return sorted(path for path in found if not _alive(path.name))


def _alive(name: str) -> bool:
    """Whether the process that made a temporary file is still there."""
    try:
        os.kill(int(name.rsplit(".", 2)[1].partition("-")[0]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True
