"""The steps of a rollout: begun, judged, stopped, promoted, taken back. Each leaves evidence."""

from __future__ import annotations

import datetime
import secrets
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput
from trackrecord.ledger import Entry, Subject, read_chain, read_evidence, record
from trackrecord.ledger.naming import case_digest
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import BUNDLE, read_bundle
from trackrecord.modeling.registry import (
    AliasPredicate,
    read_aliases,
    set_alias,
    version_folder,
)
from trackrecord.serving.rollout.judge import Judged, judge
from trackrecord.serving.rollout.state import (
    Guard,
    Mode,
    Rollout,
    checked_share,
    read_rollout,
    rollout_file,
    write_rollout,
)
from trackrecord.version import __version__
from trackrecord.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl


class RolloutPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``rollout``: it began, or ended, and what was known then.

    The subjects are the two versions' ``bundle.json``.
    """

    state: Rollout
    judged: Judged | None = None


def start_rollout(
    workspace: Workspace,
    case: str,
    *,
    mode: Mode,
    challenger: int | None = None,
    share: float | None = None,
    worth: float = 0.0,
    guard: Guard | None = None,
) -> tuple[Rollout, Entry]:
    """Let a challenger take part from the next second on.

    ``challenger`` is a version; by default the one that has the alias, which it gets otherwise.

    Raises
    ------
    BadInput
        Where one runs already, for a challenger that is the champion, and for a share that is none.
    DataError
        For a version whose files are not what was registered.
    """
    path = rollout_file(workspace, case)
    before = read_rollout(path)
    if before is not None and before.status == "running":
        raise BadInput(
            f"a rollout of '{case}' runs already: version {before.challenger} as {before.mode}",
            where=str(path),
            next=f"trackrecord rollout status {case}",
        )
    aliases = read_aliases(workspace, case)
    if aliases.champion is None:
        raise BadInput(f"'{case}' has no champion yet", next=f"trackrecord register {case}")
    version = aliases.challenger if challenger is None else challenger
    if version is None:
        raise BadInput(
            f"'{case}' has no challenger",
            next=f"trackrecord register {case}@RUN --alias challenger",
        )
    if version == aliases.champion:
        raise BadInput(f"version {version} is the champion of '{case}' already")
    chosen = checked_share(mode, share)
    read_bundle(version_folder(workspace, case, version))
    rollout = Rollout(
        case=case,
        mode=mode,
        champion=aliases.champion,
        challenger=version,
        share=chosen,
        salt=secrets.token_hex(8),
        started=_now(),
        worth=worth,
        guard=guard or Guard(),
    )
    if version != aliases.challenger:
        set_alias(
            workspace, case, "challenger", version, reason=f"{mode} rollout", tool=__version__
        )
    write_rollout(path, rollout)
    return rollout, _record(workspace, rollout, None)


def judge_rollout(workspace: Workspace, rollout: Rollout) -> Judged:
    """How a rollout stands, by what was captured since it began."""
    from trackrecord.serving.capture.read import read_captures
    from trackrecord.serving.capture.segments import captures_folder
    from trackrecord.serving.capture.truth import read_truth

    folder = captures_folder(workspace.root, rollout.case)
    bundle = read_bundle(version_folder(workspace, rollout.case, rollout.champion))
    answers: pl.DataFrame = read_captures(folder)
    return judge(rollout, _since(answers, rollout), read_truth(folder), threshold=bundle.threshold)


def _since(answers: pl.DataFrame, rollout: Rollout) -> pl.DataFrame:
    """Answers of the two versions, from the challenger's first on: replays have their own times."""
    import polars as pl

    ours = answers.filter(pl.col("version").is_in([rollout.champion, rollout.challenger]))
    first = ours.filter(pl.col("version") == rollout.challenger)["time"].min()
    return ours.head(0) if first is None else ours.filter(pl.col("time") >= first)


def end_rollout(
    workspace: Workspace, case: str, *, promote: bool, reason: str, judged: Judged | None = None
) -> tuple[Rollout, Entry]:
    """Make the challenger the champion, or send it away. One alias changes, then the state.

    Raises BadInput where no rollout runs.
    """
    path = rollout_file(workspace, case)
    rollout = read_rollout(path)
    if rollout is None or rollout.status != "running":
        raise BadInput(
            f"no rollout of '{case}' runs",
            next=f"trackrecord rollout start {case} --mode shadow",
        )
    ended = msgspec.structs.replace(
        rollout, status="promoted" if promote else "stopped", ended=_now(), reason=reason
    )
    if promote:
        set_alias(workspace, case, "champion", rollout.challenger, reason=reason, tool=__version__)
    # The champion first: were this process to die here, the router would let the champion answer.
    write_rollout(path, ended)
    set_alias(workspace, case, "challenger", None, reason=reason, tool=__version__)
    return ended, _record(workspace, ended, judged)


def roll_back(workspace: Workspace, case: str, *, reason: str) -> tuple[int, int, Entry]:
    """Let the version answer that answered before; returns (from, to, evidence).

    A running rollout ends, too. Raises BadInput where there was no version before.
    """
    now = read_aliases(workspace, case).champion
    if now is None:
        raise BadInput(f"'{case}' has no champion", next=f"trackrecord register {case}")
    before = previous_champion(workspace, case, now)
    if before is None:
        raise BadInput(
            f"there is no version before {now} to go back to",
            next=f"trackrecord register {case}@RUN --alias champion",
        )
    entry = set_alias(workspace, case, "champion", before, reason=reason, tool=__version__)
    path = rollout_file(workspace, case)
    rollout = read_rollout(path)
    if rollout is not None and rollout.status in ("running", "promoted"):
        write_rollout(
            path,
            msgspec.structs.replace(rollout, status="rolled back", ended=_now(), reason=reason),
        )
    return now, before, entry


def previous_champion(workspace: Workspace, case: str, now: int) -> int | None:
    """The last champion that was another version and is still there, as the ledger remembers."""
    mine = case_digest(case)
    for entry in reversed(read_chain(workspace.evidence)):
        if entry.kind == "alias" and entry.case == mine and entry.evidence:
            said = msgspec.convert(
                read_evidence(workspace.evidence, entry.evidence).predicate, AliasPredicate
            )
            if said.alias != "champion":
                continue
            for version in (said.version, said.previous):
                if version not in (None, now):
                    try:
                        version_folder(workspace, case, version)
                    except BadInput:
                        continue
                    return version
    return None


def _record(workspace: Workspace, rollout: Rollout, judged: Judged | None) -> Entry:
    subjects = []
    for version in (rollout.champion, rollout.challenger):
        folder = version_folder(workspace, rollout.case, version)
        name = f"models/{rollout.case}/{version}/{BUNDLE}"
        subjects.append(Subject(name, {"sha256": file_sha256(folder / BUNDLE)}))
    return record(
        workspace.evidence,
        kind="rollout",
        predicate=RolloutPredicate(state=rollout, judged=judged),
        subjects=subjects,
        case=rollout.case,
        lock_path=workspace.cache / "lock",
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
