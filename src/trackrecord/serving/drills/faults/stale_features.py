"""Features stand still: a cache gives every row the value that was typical once."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.modeling.export.bundle import Bundle, Number
from trackrecord.serving.drills.fault import Fault, Release, register_fault

FAR = 1e12


def make(release: Release) -> Bundle:
    """Every number becomes the middle of its range in training, whatever the row says."""
    bundle = release.bundle
    middle = {
        feature.name: (feature.lo + feature.hi) / 2
        for feature in bundle.features
        if feature.lo is not None and feature.hi is not None
    }

    def still(column: Number) -> Number:
        value = (middle[column.column] - column.mean) / column.scale
        # So flat a line that every value of the row lands on the one.
        return replace(column, mean=-value * FAR, scale=FAR, fill=0.0)

    return replace(
        bundle,
        encoding=[
            still(column) if isinstance(column, Number) and column.column in middle else column
            for column in bundle.encoding
        ],
    )


FAULT = register_fault(
    Fault("stale-features", "Features stand still", "release", __doc__ or "", make=make)
)
