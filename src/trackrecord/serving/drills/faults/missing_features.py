"""The features of one source no longer arrive: every one of them counts as missing."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.modeling.export.bundle import Bundle, Codes, Encoded, Gap, Hot, Number
from trackrecord.serving.drills.fault import Fault, Release, register_fault


def make(release: Release) -> Bundle:
    """The second half of the columns is taken for missing, whatever the row says."""
    bundle = release.bundle
    names = list(dict.fromkeys(column.column for column in bundle.encoding))
    lost = set(names[len(names) // 2 :])
    encoding = [gone(one) if one.column in lost else one for one in bundle.encoding]
    return replace(bundle, encoding=encoding)


def gone(column: Encoded) -> Encoded:
    """The column as if no row had a value in it: a code for every value, the missing one's."""
    if isinstance(column, Codes):
        return Codes(column.column, {}, unknown=column.missing, missing=column.missing)
    if isinstance(column, Hot):
        return replace(column, positions={}, unknown=column.missing)
    if isinstance(column, Gap):
        always = (1 - column.mean) / column.scale
        return Codes(column.column, {}, unknown=always, missing=always)
    assert isinstance(column, Number)
    filled = None if column.fill is None else (column.fill - column.mean) / column.scale
    return Codes(column.column, {}, unknown=filled, missing=filled)


FAULT = register_fault(
    Fault(
        "missing-features", "Half of the features stop coming", "release", __doc__ or "", make=make
    )
)
