"""The rollback drill: steady load, a fault, an alarm, a rollback; everything timed.

It happens to a copy: models, aliases and record of the service itself are not touched. The load is
real rows of the case that the model was not trained on, in random order, so that nothing but the
fault makes them another population; their truth arrives a second after each answer.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.ledger import write_atomic
from trackrecord.modeling.export.bundle import Bundle
from trackrecord.modeling.export.export import answering
from trackrecord.modeling.registry import (
    aliases_file,
    read_aliases,
    set_alias,
    version_folder,
)
from trackrecord.serving.capture.read import read_captures
from trackrecord.serving.capture.segments import captures_folder
from trackrecord.serving.capture.truth import read_truth
from trackrecord.serving.drills.actors import Server, Traffic, Truth, row_of
from trackrecord.serving.drills.fault import Fault, Release
from trackrecord.serving.drills.result import Drilled, Event
from trackrecord.serving.drills.scratch import BROKEN, GOOD, broken_release, scratch_service
from trackrecord.serving.drills.watch import Seen, Watcher
from trackrecord.serving.monitoring.reference import Reference, reference_of
from trackrecord.serving.replay import Load, Question, Reply, questions
from trackrecord.serving.rollout.steps import roll_back
from trackrecord.version import __version__
from trackrecord.workspace import Workspace

CALM = 1.5
FAR = 0.05


def drill_rollback(
    workspace: Workspace,
    case: str,
    version: int,
    fault: Fault,
    *,
    rate: float = 150.0,
    warm: float = 8.0,
    patience: float = 45.0,
    progress: Callable[[str, float], None],
) -> tuple[Drilled, str]:
    """Break a copy of ``version`` by ``fault``, and take it back when an alarm says so.

    Returns what was measured, and the case's question.

    Parameters
    ----------
    rate:
        Requests a second.
    warm:
        Seconds of load before the fault.
    patience:
        Seconds to wait for an alarm.

    Raises
    ------
    BadInput
        Where the fault does not fit the model.
    DataError
        When the case's data has changed, or the server does not start.
    """
    from trackrecord.modeling.export.bundle import read_bundle

    progress("reading the case", 0.02)
    bundle = read_bundle(version_folder(workspace, case, version))
    reference = reference_of(workspace, bundle)
    release = _release(workspace, bundle, reference)
    with tempfile.TemporaryDirectory(prefix="trackrecord-drill-") as folder:
        root = Path(folder)
        scratch, bundle = scratch_service(workspace, case, version, root)
        progress("making the broken release", 0.08)
        broken_release(scratch, case, fault, release)
        port = _free_port()
        server = Server(root, case, port, fault if fault.kind == "process" else None)
        try:
            progress("starting the server", 0.12)
            server.start()
            drilled = _drill(
                scratch, bundle, reference, fault, port, rate, warm, patience, progress
            )
            return drilled, bundle.question
        finally:
            server.stop()


def _drill(
    scratch: Workspace,
    bundle: Bundle,
    reference: Reference,
    fault: Fault,
    port: int,
    rate: float,
    warm: float,
    patience: float,
    progress: Callable[[str, float], None],
) -> Drilled:
    case = bundle.case
    names = [feature.name for feature in bundle.features]
    rows = reference.frame.with_row_index("id").sample(
        fraction=1.0, shuffle=True, seed=reference.case.seed
    )
    # The same population, row for row: what is compared with is the other half of the rows.
    half = rows.height // 2
    asked, kept = rows.head(half), rows.tail(rows.height - half)
    told = Traffic()
    watcher = Watcher(port, case, _independent(reference, kept))
    load = Load(
        f"http://127.0.0.1:{port}",
        _endless(list(questions(asked, names))),
        connections=8,
        rate=rate,
        told=told.told,
    )
    truth = Truth(scratch, case, dict(asked.select("id", "truth").iter_rows()), told)
    load.start()
    truth.start()
    try:
        progress("warming up", 0.2)
        time.sleep(warm)
        watcher.settle(list(told.latest()))
        answers, known = _captured(scratch, case)
        before = watcher.judge(answers, known, time.time())
        progress("letting the fault in", 0.35)
        began = time.time()
        events = [Event(-warm, f"steady load of {rate:g} requests a second")]
        if fault.kind == "truth":
            truth.stop()
        else:
            _promote(scratch, case, fault)
        events.append(Event(0.0, f"{fault.title}: {_let_in(fault)}"))
        first, alarms = _await_alarm(
            watcher, scratch, case, told, truth, began, patience, progress, before
        )
        decided = rolled = recovered = None
        if first is not None:
            events.append(Event(first.at - began, f"alarm {first.alarm}: {first.what}"))
            decided = time.time() - began
            events.append(Event(decided, "decided to take the release back"))
            if fault.kind != "truth":
                roll_back(scratch, case, reason=f"{first.alarm}: {first.what}")
            else:
                truth.resume()
            rolled = time.time() - began
            events.append(Event(rolled, "the version before is the champion again"))
            progress("waiting until it is well again", 0.85)
            recovered = _await_calm(told, began, patience)
            if recovered is not None:
                events.append(Event(recovered, "every request is answered by the good version"))
    finally:
        truth.stop()
        load.stop()
    progress("counting", 0.95)
    counts = _counted(told.replies, began, scratch, case, bundle, asked)
    return Drilled(
        fault=fault.name,
        title=fault.title,
        kind=fault.kind,
        quiet=not before,
        detected=None if first is None else round(first.at - began, 3),
        alarm=None if first is None else first.alarm,
        saw=None if first is None else first.what,
        decided=None if decided is None else round(decided, 3),
        rolled_back=None if rolled is None else round(rolled, 3),
        recovered=None if recovered is None else round(recovered, 3),
        patience=patience,
        rate=rate,
        alarms=[msgspec.structs.replace(one, at=round(one.at - began, 3)) for one in alarms],
        events=[msgspec.structs.replace(one, at=round(one.at, 3)) for one in events],
        **counts,
    )


def _promote(scratch: Workspace, case: str, fault: Fault) -> None:
    """Make the broken release the champion; a damaged file is promoted by hand, past all checks."""
    if fault.kind == "file":
        changed = msgspec.structs.replace(read_aliases(scratch, case), champion=BROKEN)
        write_atomic(aliases_file(scratch, case), msgspec.json.encode(changed) + b"\n")
    else:
        set_alias(scratch, case, "champion", BROKEN, reason="a release", tool=__version__)


def _await_alarm(
    watcher: Watcher,
    scratch: Workspace,
    case: str,
    told: Traffic,
    truth: Truth,
    began: float,
    patience: float,
    progress: Callable[[str, float], None],
    before: list[Seen],
) -> tuple[Seen | None, list[Seen]]:
    """The first alarm that was not there before, and all that came with it."""
    known = {one.alarm for one in before}
    while (now := time.time()) - began < patience:
        progress("waiting for an alarm", 0.35 + 0.5 * (now - began) / patience)
        found = watcher.look(told.latest(), now, truth.at)
        new = [one for one in found if one.alarm not in known]
        if not new:
            answers, labels = _captured(scratch, case)
            found = watcher.judge(answers, labels, time.time())
            new = [one for one in found if one.alarm not in known]
        if new:
            return new[0], new
        time.sleep(max(0.0, 1.0 - (time.time() - now)))
    return None, []


def _await_calm(told: Traffic, began: float, patience: float) -> float | None:
    """When the last request that failed, or had the broken version's answer, was over."""
    until = time.time() + patience
    while time.time() < until:
        time.sleep(0.25)
        now = time.time()
        recent = [reply for reply in told.latest() if reply.at > now - CALM]
        if recent and all(r.status == 200 and r.version == GOOD for r in recent):
            ill = [r.at for r in told.replies if r.status != 200 or r.version != GOOD]
            return max([at for at in ill if at >= began], default=began) - began
    return None


def _counted(
    replies: list[Reply], began: float, scratch: Workspace, case: str, bundle: Bundle, asked: Any
) -> dict[str, Any]:
    """How many requests since the fault, how many of them it touched, and how many were wrong."""
    since = [reply for reply in replies if reply.at >= began]
    ill = [reply for reply in since if reply.status != 200 or reply.version != GOOD]
    broken = [reply for reply in ill if reply.status == 200 and reply.probability is not None]
    wrong = further = 0
    if broken:
        answer = answering(version_folder(scratch, case, GOOD), bundle)
        names = [feature.name for feature in bundle.features]
        rows = {str(row["id"]): row for row in asked.iter_rows(named=True)}
        right = answer([{n: rows[row_of(r.unit)][n] for n in names} for r in broken])
        for reply, probability in zip(broken, right, strict=True):
            said = reply.probability or 0.0
            wrong += (said >= bundle.threshold) != (probability >= bundle.threshold)
            further += abs(said - probability) > FAR
    return {
        "requests": len(since),
        "affected": len(ill),
        "failed": sum(reply.status != 200 for reply in ill),
        "wrong": int(wrong),
        "further": int(further),
    }


def _release(workspace: Workspace, bundle: Bundle, reference: Reference) -> Release:
    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    table = load_case_table(reference.case, workspace.root)
    parts = assign_parts(table.frame, reference.case)
    training = (parts == "train").fill_null(False)
    return Release(bundle, Path(), reference.case, table, training)


def _independent(reference: Reference, kept: Any) -> Reference:
    """The reference with these rows, which random order has made independent."""
    return Reference(
        case=reference.case,
        frame=kept.drop("id"),
        calibrated=msgspec.structs.replace(reference.calibrated, inflation=1.0),
        clustered=False,
    )


def _endless(asked: list[Question]) -> Any:
    """The questions again and again, each time as units of their own."""
    for turn in itertools.count():
        for question in asked:
            yield question._replace(unit=f"{question.unit}.{turn}", moment=None)


def _captured(scratch: Workspace, case: str) -> tuple[Any, Any]:
    folder = captures_folder(scratch.root, case)
    return read_captures(folder), read_truth(folder)


def _let_in(fault: Fault) -> str:
    return "its file stops coming" if fault.kind == "truth" else "version 2 is promoted"


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
