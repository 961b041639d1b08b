"""One look at a case's captures, from the workspace's files alone."""

from __future__ import annotations

import msgspec

from trackrecord.errors import BadInput
from trackrecord.ledger import Entry, Subject, record
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import BUNDLE, read_bundle
from trackrecord.modeling.registry import read_aliases, version_folder
from trackrecord.serving.capture.read import read_captures
from trackrecord.serving.capture.segments import captures_folder
from trackrecord.serving.capture.truth import read_truth
from trackrecord.serving.monitoring.monitor import monitor_answers
from trackrecord.serving.monitoring.reference import reference_of
from trackrecord.serving.monitoring.result import Monitoring
from trackrecord.serving.monitoring.windows import parse_every
from trackrecord.stats.detector import Detector
from trackrecord.workspace import Workspace


class MonitoringPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``monitoring``: what a look at the answers found; no answer, no value.

    The subject is the ``bundle.json`` of the version that was watched.
    """

    case: str
    version: int
    window: str
    windows: int
    answers: int
    labelled: int
    alarms: dict[str, int]
    first_alarm: dict[str, str]
    detectors: dict[str, Detector]
    tool: str


def look(
    workspace: Workspace,
    case: str,
    *,
    version: int | None = None,
    window: str = "1d",
    metrics: list[str] | None = None,
    tolerance: float | None = None,
) -> Monitoring:
    """Monitor a version of a case, by default the champion, from all that was captured.

    Raises
    ------
    BadInput
        Where nothing was captured, or nothing was registered.
    DataError
        When the case's data or the run's predictions are gone or have changed.
    """
    chosen = read_aliases(workspace, case).champion if version is None else version
    if chosen is None:
        raise BadInput(f"'{case}' has no champion yet", next=f"trackrecord register {case}")
    every = parse_every(window)
    bundle = read_bundle(version_folder(workspace, case, chosen))
    folder = captures_folder(workspace.root, case)
    answers = read_captures(folder)
    import polars as pl

    answers = answers.filter(pl.col("version") == chosen)
    if answers.height == 0:
        raise BadInput(
            f"nothing that version {chosen} of '{case}' answered was captured",
            where=folder.as_posix(),
            next=f"trackrecord serve {case} --capture",
        )
    reference = reference_of(workspace, bundle)
    options = {} if tolerance is None else {"tolerance": tolerance}
    return monitor_answers(
        reference,
        answers,
        read_truth(folder),
        version=chosen,
        every=every,
        metrics=metrics,
        timezone=reference.case.data.timezone,
        **options,
    )


def record_monitoring(workspace: Workspace, found: Monitoring) -> Entry:
    """Put what a look found on the chain."""
    folder = version_folder(workspace, found.case, found.version)
    alarms: dict[str, int] = {}
    first: dict[str, str] = {}
    for window in found.windows:
        for watch in window.alarms:
            alarms[watch] = alarms.get(watch, 0) + 1
            first.setdefault(watch, window.start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return record(
        workspace.evidence,
        kind="monitoring",
        predicate=MonitoringPredicate(
            case=found.case,
            version=found.version,
            window=found.window,
            windows=len(found.windows),
            answers=found.answers,
            labelled=sum(window.labelled for window in found.windows),
            alarms=alarms,
            first_alarm=first,
            detectors=found.detectors,
            tool=found.tool,
        ),
        subjects=[
            Subject(
                f"models/{found.case}/{found.version}/{BUNDLE}",
                {"sha256": file_sha256(folder / BUNDLE)},
            )
        ],
        case=found.case,
        lock_path=workspace.cache / "lock",
    )
