"""Puts a finished folder in the place of an older one: at every instant one of the two is there."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

from trackrecord.errors import BadInput
from trackrecord.ledger.store import fsync_folder, write_all

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files under a new folder, each fsynced, then the folders that name them."""
    folder.mkdir()
    folders = {folder}
    for name, data in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        above = path.parent
        while above != folder:
            folders.add(above)
            above = above.parent
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for each in sorted(folders, reverse=True):
        fsync_folder(each)


def put_in_place(new: Path, out: Path, old: Path) -> None:
    """Rename ``new`` to ``out``; what was there goes to ``old`` and is removed.

    Where the system can exchange two names, ``out`` is there at every instant. Elsewhere there is
    an instant without it, and :func:`recover` mends what a kill in that instant leaves.
    """
    if not out.exists():
        os.rename(new, out)
    elif _exchange(new, out):
        fsync_folder(out.parent)
        os.rename(new, old)
    else:
        if next(out.iterdir(), None) is None:
            out.rmdir()
        else:
            os.rename(out, old)
        os.rename(new, out)
    fsync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover(new: Path, out: Path, old: Path) -> None:
    """Undo what a killed process left: the older folder back in its place, half a folder gone."""
    if old.exists() and not out.exists():
        os.rename(old, out)
        fsync_folder(out.parent)
    for leftover in (new, old):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(leftover)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step (Linux ≥ 3.15). False where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def cannot_publish(out: Path, error: OSError) -> BadInput:
    """The error for a person when the system refuses."""
    advice = {
        errno.ENOSPC: "free some space, then run the same command again",
        errno.EROFS: "choose another place with --out FOLDER",
        errno.EACCES: "choose another place with --out FOLDER",
    }
    return BadInput(
        f"cannot write {out.name}; an older publication is as it was",
        where=str(error.filename or out),
        why=error.strerror or str(error),
        next=advice.get(error.errno or 0),
    )
