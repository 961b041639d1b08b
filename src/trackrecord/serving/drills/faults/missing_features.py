"""The features of one source no longer arrive: every one of them counts as missing."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.modeling.export.bundle import Bundle
from trackrecord.serving.drills.fault import Fault, Release, register_fault

GONE = "\0gone"


def make(release: Release) -> Bundle:
    """The second half of the columns is read from a column that is never there."""
    bundle = release.bundle
    names = list(dict.fromkeys(column.column for column in bundle.encoding))
    lost = set(names[len(names) // 2 :])
    return replace(
        bundle,
        encoding=[
            replace(column, column=GONE) if column.column in lost else column
            for column in bundle.encoding
        ],
    )


FAULT = register_fault(
    Fault(
        "missing-features", "Half of the features stop coming", "release", __doc__ or "", make=make
    )
)
