"""A copy of the service to break: its models, aliases and record are not those that are served."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec.structs import replace

from trackrecord.errors import BadInput
from trackrecord.modeling.export.bundle import Bundle, Probe, read_bundle, write_bundle
from trackrecord.modeling.export.export import answering
from trackrecord.modeling.registry import (
    models_folder,
    record_registration,
    set_alias,
    version_folder,
)
from trackrecord.serving.drills.fault import Fault, Release
from trackrecord.version import __version__
from trackrecord.workspace import Workspace, make_workspace

GOOD, BROKEN = 1, 2
ON = "fault.on"


def scratch_service(
    workspace: Workspace, case: str, version: int, folder: Path
) -> tuple[Workspace, Bundle]:
    """A workspace in ``folder`` in which a copy of ``version`` is version 1 and the champion."""
    made = make_workspace(folder)
    source = version_folder(workspace, case, version)
    bundle = read_bundle(source)
    target = models_folder(made, case) / str(GOOD)
    shutil.copytree(source, target)
    record_registration(made, bundle, GOOD, target, tool=__version__)
    set_alias(made, case, "champion", GOOD, reason="the drill begins", tool=__version__)
    return made, bundle


def broken_release(scratch: Workspace, case: str, fault: Fault, release: Release) -> Path:
    """Register version 2: the good one, broken by ``fault`` as a release of it would have been.

    Raises BadInput where the fault does not fit the model.
    """
    folder = models_folder(scratch, case) / str(BROKEN)
    shutil.copytree(models_folder(scratch, case) / str(GOOD), folder)
    bundle = release.bundle
    if fault.make is not None:
        bundle = fault.make(release._replace(folder=folder))
        if bundle.encoding == release.bundle.encoding and bundle.sha256 == release.bundle.sha256:
            if bundle.case == release.bundle.case:
                raise BadInput(f"the fault {fault.name} changes nothing of this model")
        elif bundle.case == release.bundle.case:
            # A release that was made wrong agrees with itself: its probes are its own.
            answer = answering(folder, bundle)
            rows = bundle.probe.rows
            bundle = replace(bundle, probe=Probe(rows, [float(p) for p in answer(rows)]))
        write_bundle(folder, bundle)
    record_registration(scratch, replace(bundle, case=case), BROKEN, folder, tool=__version__)
    if fault.damage is not None:
        fault.damage(folder / bundle.file)
    return folder


def switch_on(scratch: Workspace, case: str) -> Path:
    """The file whose being there lets the process misbehave."""
    path = scratch.root / "serving" / case / ON
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path
