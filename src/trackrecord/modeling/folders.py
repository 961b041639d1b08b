"""Folders of runs: numbered, each whole or recognisably not.

A run is written to ``runs/CASE/NNNN.part`` and renamed to ``runs/CASE/NNNN``. While its process
lives it holds a lock in ``.trackrecord/runs``, which the system lets go when the process dies,
however it dies. So a ``.part`` without a lock was left behind by a process that was ended.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.seal import life_of
from trackrecord.errors import LedgerError, TrackrecordError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.ledger.store import fsync_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from trackrecord.workspace import Workspace

_NUMBERED = re.compile(r"(\d{4,})(\.part)?\Z")
CLAIM_SECONDS = 30


@dataclass
class RunFolder:
    """A number that belongs to this process until it lets go."""

    number: str
    part: Path
    final: Path
    kept: bool = False

    def publish(self) -> None:
        """Give the finished folder its name."""
        fsync_folder(self.part)
        os.rename(self.part, self.final)
        fsync_folder(self.final.parent)

    def keep(self) -> None:
        """The run is in the record: from now on the folder stays."""
        self.kept = True


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that a run left behind when its process was ended."""

    path: str
    what: str
    next: str


@contextmanager
def claimed_folder(workspace: Workspace, case: str) -> Iterator[RunFolder]:
    """A new run's folder. Unless :meth:`RunFolder.keep` was called, it is gone afterwards.

    Leftovers ``NNNN.part`` of processes that have ended are removed on the way. A number that a
    folder or the ledger has is not given again. Raises LedgerError for a broken chain.
    """
    runs = workspace.runs(case)
    made = [folder for folder in (runs, runs.parent) if not folder.exists()]
    runs.mkdir(parents=True, exist_ok=True)
    try:
        folder, alive = _claim(workspace, case, runs)
    except BaseException:
        _remove_empty(made)
        raise
    try:
        yield folder
    finally:
        if not folder.kept and not _is_recorded(workspace, case, folder):
            for path in (folder.part, folder.final):
                shutil.rmtree(path, ignore_errors=True)
            _remove_empty(made)
        # Before it is let go: whoever waits for it then sees that its file is gone, and opens anew.
        with suppress(OSError):
            Path(alive.lock_file).unlink()
        alive.release()


def _claim(workspace: Workspace, case: str, runs: Path) -> tuple[RunFolder, BaseFileLock]:
    with _lock(workspace, case, "next", CLAIM_SECONDS):
        for left in _parts(runs):
            with _held(workspace, case, left.name) as dead:
                # Its owner may have just finished: then it has another name by now.
                if dead and left.exists():
                    shutil.rmtree(left)
        taken = recorded_runs(workspace, case, withheld=True)
        taken |= {found[1] for found in map(_NUMBERED.match, os.listdir(runs)) if found}
        number = f"{max(map(int, taken), default=0) + 1:04d}"
        folder = RunFolder(number, runs / f"{number}.part", runs / number)
        alive = _lock(workspace, case, folder.part.name, CLAIM_SECONDS)
        alive.acquire()
        folder.part.mkdir()
        return folder, alive


def _remove_empty(folders: list[Path]) -> None:
    for path in folders:
        if path.exists() and not os.listdir(path):
            path.rmdir()


def recorded_runs(workspace: Workspace, case: str, *, withheld: bool = False) -> set[str]:
    """Numbers of the case's runs that the ledger has, such as ``0001``.

    Raises LedgerError for a broken chain, and for evidence that is gone unless ``withheld``.
    """
    found = set()
    for digest in life_of(read_chain(workspace.evidence), case).runs:
        try:
            found.add(str(read_evidence(workspace.evidence, digest).predicate["run"]))
        except LedgerError:
            if not withheld:
                raise
    return found


def find_leftovers(workspace: Workspace, case: str) -> list[Leftover]:
    """Folders of the case's runs that no living process works on and the ledger does not know.

    Raises LedgerError when the ledger cannot be read.
    """
    runs = workspace.runs(case)
    recorded = recorded_runs(workspace, case)
    found = []
    for path in sorted(runs.iterdir()) if runs.is_dir() else []:
        matched = _NUMBERED.match(path.name)
        if matched is None or matched[1] in recorded:
            continue
        with _held(workspace, case, f"{matched[1]}.part") as dead:
            if not dead or not path.exists():
                continue
        shown = path.relative_to(workspace.root).as_posix()
        if matched[2]:
            found.append(
                Leftover(
                    path=shown,
                    what="a run was ended while it was being written; nothing of it is recorded",
                    next="the next run removes it, or: rm -r " + shown,
                )
            )
        else:
            found.append(
                Leftover(
                    path=shown,
                    what="a run was ended just before it was recorded; the ledger does not know it",
                    next=f"run again: trackrecord run {case}; then rm -r {shown}",
                )
            )
    return found


def _is_recorded(workspace: Workspace, case: str, folder: RunFolder) -> bool:
    """Whether Ctrl-C or an error came only after the ledger had the run."""
    if not folder.final.exists():
        return False
    try:
        return folder.number in recorded_runs(workspace, case)
    except TrackrecordError:
        return True  # in doubt it stays, and is named as a leftover


def _parts(runs: Path) -> list[Path]:
    return [p for p in sorted(runs.iterdir()) if p.name.endswith(".part") and p.is_dir()]


def _lock(workspace: Workspace, case: str, name: str, seconds: float) -> BaseFileLock:
    from filelock import FileLock

    folder = workspace.cache / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{case} {name}.lock", timeout=seconds)


@contextmanager
def _held(workspace: Workspace, case: str, name: str) -> Iterator[bool]:
    """True, with the lock held, if no living process holds it."""
    from filelock import Timeout

    lock = _lock(workspace, case, name, 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
