"""A number comes in another unit: kilometres where miles were meant."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.errors import BadInput
from trackrecord.modeling.export.bundle import Bundle, Number
from trackrecord.serving.drills.fault import Fault, Release, register_fault

KILOMETRES_IN_A_MILE = 1.609344


def make(release: Release) -> Bundle:
    """Every number above zero throughout training is multiplied on its way in."""
    bundle = release.bundle
    above = {f.name for f in bundle.features if f.lo is not None and f.lo > 0}
    if not above:
        raise BadInput("the model has no numeric feature that is always above zero")
    factor = KILOMETRES_IN_A_MILE
    return replace(
        bundle,
        encoding=[
            # (x · f - m) / s is (x - m / f) / (s / f), and what is filled in stays what it was.
            replace(
                column,
                mean=column.mean / factor,
                scale=column.scale / factor,
                fill=None if column.fill is None else column.fill / factor,
            )
            if isinstance(column, Number) and column.column in above
            else column
            for column in bundle.encoding
        ],
    )


FAULT = register_fault(
    Fault("unit-change", "A number comes in another unit", "release", __doc__ or "", make=make)
)
