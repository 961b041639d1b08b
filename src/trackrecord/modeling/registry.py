"""The registry: versions of a case's model in ``models/CASE/N``, and which of them answer.

``models/CASE/aliases.json`` says which version is the champion, and which the challenger. A change
is one rename, and evidence of kind ``alias``. MLflow's registry is told as runs are: it remembers,
and nothing waits for it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import Entry, Subject, record, write_atomic
from trackrecord.ledger.store import file_sha256, fsync_folder
from trackrecord.modeling.export.bundle import BUNDLE, Bundle, Parity, read_bundle
from trackrecord.workspace import Workspace, checked_case_name

Alias = Literal["champion", "challenger"]
WAIT = 60


class Aliases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which versions answer; None where there is none."""

    champion: int | None = None
    challenger: int | None = None


class RegistrationPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``registration``: a run's model became files that can be served.

    The subjects are the model's file and ``bundle.json``. Before it was written, training again
    gave the run's scores to the last bit; ``parity`` compares the file's answers with the model's.
    """

    case: str
    version: int
    run: str
    run_evidence: str
    seal: str | None
    model: str
    estimator: str
    format: str
    types: list[str]
    parity: Parity
    threshold: float
    tool: str


class AliasPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``alias``: another version answers from now on, and why.

    ``bundle`` is the SHA-256 of the version's ``bundle.json``; a version of None takes the alias
    away.
    """

    case: str
    alias: str
    version: int | None
    previous: int | None
    bundle: str | None
    reason: str
    tool: str


def models_folder(workspace: Workspace, case: str) -> Path:
    """Where a case's versions are."""
    return workspace.root / "models" / checked_case_name(case)


def versions(workspace: Workspace, case: str) -> list[int]:
    """The numbers of a case's versions, ascending."""
    try:
        names = os.listdir(models_folder(workspace, case))
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def version_folder(workspace: Workspace, case: str, version: int) -> Path:
    """Where a version is. Raises BadInput where there is no such version."""
    folder = models_folder(workspace, case) / str(version)
    if not (folder / BUNDLE).is_file():
        known = versions(workspace, case)
        raise BadInput(
            f"the model of '{case}' has no version {version}",
            why=f"versions: {', '.join(map(str, known)) or 'none yet'}",
            next=f"trackrecord register {case}",
        )
    return folder


def aliases_file(workspace: Workspace, case: str) -> Path:
    """The file that says which versions answer."""
    return models_folder(workspace, case) / "aliases.json"


def read_aliases(workspace: Workspace, case: str) -> Aliases:
    """Which versions answer. Raises DataError for a file that says no such thing."""
    path = aliases_file(workspace, case)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Aliases)
    except FileNotFoundError:
        return Aliases()
    except msgspec.MsgspecError as error:
        raise DataError(
            "aliases.json does not say which version answers",
            where=str(path),
            why=str(error)[:200],
            next=f'write {{"champion": N}} with a version of models/{case}',
        ) from None


@contextlib.contextmanager
def new_version(workspace: Workspace, case: str) -> Iterator[tuple[int, Path, Path]]:
    """A version's number, the folder to write to, and the one that it becomes.

    The folder is renamed when the body has ended well; otherwise nothing is left of it.
    """
    models = models_folder(workspace, case)
    models.mkdir(parents=True, exist_ok=True)
    with _alone(workspace, case):
        for left in models.glob("*.part"):
            shutil.rmtree(left, ignore_errors=True)
        number = max(versions(workspace, case), default=0) + 1
        part, final = models / f"{number}.part", models / str(number)
        part.mkdir()
        try:
            yield number, part, final
            fsync_folder(part)
            os.rename(part, final)
            fsync_folder(models)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def record_registration(
    workspace: Workspace, bundle: Bundle, version: int, folder: Path, *, tool: str
) -> Entry:
    """Put a version that is whole on the chain."""
    shown = f"models/{bundle.case}/{version}"
    return record(
        workspace.evidence,
        kind="registration",
        predicate=RegistrationPredicate(
            case=bundle.case,
            version=version,
            run=bundle.run,
            run_evidence=bundle.evidence,
            seal=bundle.seal,
            model=bundle.model,
            estimator=bundle.estimator,
            format=bundle.format,
            types=bundle.types,
            parity=bundle.parity,
            threshold=bundle.threshold,
            tool=tool,
        ),
        subjects=[
            Subject(f"{shown}/{name}", {"sha256": file_sha256(folder / name)})
            for name in (bundle.file, BUNDLE)
        ],
        case=bundle.case,
        lock_path=workspace.cache / "lock",
    )


def set_alias(
    workspace: Workspace, case: str, alias: Alias, version: int | None, *, reason: str, tool: str
) -> Entry:
    """Let ``version`` answer under ``alias``: one rename, then evidence.

    Raises
    ------
    BadInput
        For a version that is not there.
    DataError
        For one whose files are not what was registered.
    """
    bundle_digest = None
    if version is not None:
        folder = version_folder(workspace, case, version)
        read_bundle(folder)
        bundle_digest = file_sha256(folder / BUNDLE)
    with _alone(workspace, case):
        before = read_aliases(workspace, case)
        previous: int | None = getattr(before, alias)
        changed = msgspec.structs.replace(before, **{alias: version})
        write_atomic(aliases_file(workspace, case), msgspec.json.encode(changed) + b"\n")
        return record(
            workspace.evidence,
            kind="alias",
            predicate=AliasPredicate(
                case=case,
                alias=alias,
                version=version,
                previous=previous,
                bundle=bundle_digest,
                reason=reason,
                tool=tool,
            ),
            subjects=[
                Subject(
                    f"models/{case}/aliases.json",
                    {"sha256": file_sha256(aliases_file(workspace, case))},
                )
            ],
            case=case,
            lock_path=workspace.cache / "lock",
        )


@contextlib.contextmanager
def _alone(workspace: Workspace, case: str) -> Iterator[None]:
    """One process at a time changes a case's versions or aliases."""
    from filelock import FileLock, Timeout

    workspace.cache.mkdir(exist_ok=True)
    lock = FileLock(workspace.cache / f"models {case}.lock", timeout=WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(
            f"another process is changing the models of '{case}'",
            where=str(lock.lock_file),
            why=f"it has not finished in {WAIT} seconds",
            next="wait for it, then type the same command again",
        ) from None
    try:
        yield
    finally:
        lock.release()
