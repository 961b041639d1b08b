"""Somebody promoted the model of another question."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.modeling.export.bundle import Bundle
from trackrecord.serving.drills.fault import Fault, Release, register_fault


def make(release: Release) -> Bundle:
    """The bundle says another case's name."""
    return replace(release.bundle, case=f"{release.bundle.case}-other")


FAULT = register_fault(
    Fault(
        "wrong-version",
        "Another question's model was promoted",
        "release",
        __doc__ or "",
        make=make,
    )
)
