"""Registers a run's model: trains it again, writes it as files, and tells ledger and MLflow."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from trackrecord.errors import BadInput, CaseError, suggest
from trackrecord.ledger import Entry
from trackrecord.modeling.export.bundle import Bundle
from trackrecord.modeling.export.export import THRESHOLD, Origin, export_model
from trackrecord.modeling.registry import (
    Alias,
    new_version,
    read_aliases,
    record_registration,
    set_alias,
)
from trackrecord.modeling.reproduce import Reproduction, reproduce_run
from trackrecord.modeling.run import RunPredicate
from trackrecord.modeling.tracking import (
    Tracked,
    finish_tracking,
    start_tracking,
    stop_tracking,
)
from trackrecord.workspace import Workspace


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A version: its number, what was reproduced, its bundle, and the alias that it was given."""

    version: int
    folder: str
    reproduction: Reproduction
    bundle: Bundle
    alias: Alias | None
    evidence: str | None
    mlflow_version: str | None = None
    mlflow_problem: str | None = None


class NotReproduced(NamedTuple):
    """Training again gave other scores: nothing was registered."""

    reproduction: Reproduction


def register_run(
    workspace: Workspace,
    run: RunPredicate,
    *,
    evidence: str,
    predictions: str,
    model: str | None,
    threshold: float = THRESHOLD,
    alias: Alias | None = None,
    tool: str,
    progress: Callable[[str, float], None],
) -> Registered | NotReproduced:
    """Train the run again, and keep one of its models as version ``models/CASE/N``.

    Parameters
    ----------
    run, evidence, predictions:
        What the ledger says of the run, the digest of that, and of its file of predictions.
    model:
        By default the case's candidate.
    threshold:
        The probability from which an answer is yes.
    alias:
        By default ``champion`` where the case has none, else ``challenger``.

    Raises
    ------
    BadInput, CaseError
        For a model that is not in the run, or cannot be exported.
    DataError
        When no file gives the trained model's answers, or the data has changed.
    """
    if not 0.0 < threshold < 1.0:
        raise BadInput(
            f"the threshold {threshold} is not between 0 and 1",
            next="name a probability, such as 0.3",
        )
    tracker = start_tracking(workspace.root, workspace.tracking_uri)
    try:
        again = reproduce_run(
            workspace, run, predictions, progress=lambda step, share: progress(step, 0.6 * share)
        )
        if not again.found.equal:
            return NotReproduced(again.found)
        name = model or again.case.candidate_name()
        trained = {item.name: item for item in again.trained.models}
        if name not in trained:
            near = suggest(name, list(trained))
            raise CaseError(
                f"run {run.run} of '{run.case}' has no model '{name}'",
                why=f"did you mean '{near}'?" if near else f"models: {', '.join(trained)}",
            )
        chosen = trained[name]
        from trackrecord.data.table import feature_frame

        with new_version(workspace, run.case) as (version, part, final):
            bundle = export_model(
                again.case,
                Origin(run=run.run, evidence=evidence, seal=run.seal),
                again.trained.fitted[name],
                feature_frame(again.case, again.table, chosen.features or again.case.features),
                model=name,
                estimator=chosen.kind,
                training=(again.parts == "train").fill_null(False),
                folder=part,
                threshold=threshold,
                progress=lambda step, share: progress(step, 0.6 + 0.3 * share),
            )
        try:
            entry: Entry = record_registration(workspace, bundle, version, final, tool=tool)
        except BaseException:
            # Without its evidence a version is nobody's word.
            shutil.rmtree(final, ignore_errors=True)
            raise
        given = alias or ("champion" if _free(workspace, run.case) else "challenger")
        set_alias(
            workspace, run.case, given, version, reason=f"registered run {run.run}", tool=tool
        )
        progress("telling MLflow", 0.95)
        told = finish_tracking(tracker, _for_mlflow(bundle, version, str(final), given, entry))
    finally:
        stop_tracking(tracker)
    return Registered(
        version=version,
        folder=final.relative_to(workspace.root).as_posix(),
        reproduction=again.found,
        bundle=bundle,
        alias=given,
        evidence=entry.evidence,
        mlflow_version=told.run,
        mlflow_problem=told.problem,
    )


def _free(workspace: Workspace, case: str) -> bool:
    return read_aliases(workspace, case).champion is None


def _for_mlflow(
    bundle: Bundle, version: int, folder: str, alias: str, entry: Entry
) -> dict[str, object]:
    return {
        "case": bundle.case,
        "register": f"trackrecord.{bundle.case}",
        "folder": folder,
        "alias": alias,
        "tags": {
            "trackrecord.case": bundle.case,
            "trackrecord.version": str(version),
            "trackrecord.run": bundle.run,
            "trackrecord.evidence": entry.evidence or "",
            "trackrecord.sha256": bundle.sha256,
        },
        "description": f"{bundle.question} – {bundle.estimator}",
    }


def tell_alias(workspace: Workspace, case: str, alias: str, version: int | None) -> Tracked:
    """Tell MLflow's registry of a change of alias, and wait for its answer."""
    tracker = start_tracking(workspace.root, workspace.tracking_uri)
    try:
        return finish_tracking(
            tracker,
            {"case": case, "alias_of": f"trackrecord.{case}", "alias": alias, "version": version},
        )
    finally:
        stop_tracking(tracker)
