"""Reads a stranger's folder: regular files inside it, each no larger than its kind may be."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trackrecord.portfolio.checking.report import Check, bad

CHAIN = "evidence/chain.jsonl"
PAGE = "index.html"
CARD = "model-card.md"
CLAIMS = "claims.toml"

MAX_FILES = 10_000
MAX_DEPTH = 6
MB = 1_000_000


class Unreadable(Exception):
    """A file that is not there, is no plain file, or is larger than it may be."""


class Folder(msgspec.Struct, frozen=True):
    """The plain files found, by path relative to the root (``/`` between words), with sizes."""

    root: Path
    sizes: dict[str, int]

    def read(self, path: str) -> bytes:
        """The bytes of a file that was found. Raises Unreadable."""
        if path not in self.sizes:
            raise Unreadable("the file is missing")
        limit = limit_of(path)
        with open(_open_plain(self.root, path), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Unreadable(f"the file is larger than {limit // MB:,} MB")
        return data

    def sha256(self, path: str) -> str:
        """SHA-256 of a file that was found. Raises Unreadable."""
        if path not in self.sizes:
            raise Unreadable("the file is missing")
        if self.sizes[path] > limit_of(path):
            raise Unreadable(f"the file is larger than {limit_of(path) // MB:,} MB")
        with open(_open_plain(self.root, path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def limit_of(path: str) -> int:
    """The most bytes that a file of this name may have."""
    if path == CHAIN:
        return 64 * MB
    if path.startswith("evidence/"):
        return 20 * MB
    if path == PAGE:
        return 8 * MB
    if path.endswith(".parquet"):
        return 2_000 * MB
    return 2 * MB


def list_folder(root: Path) -> tuple[Folder, list[Check]]:
    """Every plain file below ``root``, and a finding for everything that is none.

    Links are named and never followed. Raises OSError where ``root`` itself cannot be read.
    """
    sizes: dict[str, int] = {}
    findings: list[Check] = []
    for path, status in _walk(str(root), "", 0):
        if isinstance(status, str):
            findings.append(bad("files", status, path, expected="a plain file"))
        elif len(sizes) >= MAX_FILES:
            findings.append(bad("files", f"the folder has more than {MAX_FILES:,} files", path))
            break
        else:
            sizes[path] = status
    return Folder(root, sizes), findings


def _walk(folder: str, prefix: str, depth: int) -> Iterator[tuple[str, int | str]]:
    """(relative path, size) of plain files, (relative path, what is wrong) of others, in order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if not found and prefix:
        yield prefix.rstrip("/"), "an empty folder, which nobody published"
    for entry in found:
        path = prefix + entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            yield path, f"cannot be read: {error.strerror}"
            continue
        if stat.S_ISDIR(status.st_mode):
            if depth == MAX_DEPTH:
                yield path, "a folder nested too deeply"
                continue
            try:
                yield from _walk(entry.path, path + "/", depth + 1)
            except OSError as error:
                yield path, f"cannot be read: {error.strerror}"
        elif stat.S_ISREG(status.st_mode):
            yield path, status.st_size
        else:
            yield path, f"{_kind(status.st_mode)}, which a published folder never holds"


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def _open_plain(root: Path, path: str) -> int:
    """A descriptor of a plain file, even if something else was put in its place since."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(root / path, flags)
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("it is no plain file")
    return descriptor
