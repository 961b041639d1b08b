"""Categories are spelt anew: none of them is one that the model has seen."""

from __future__ import annotations

from msgspec.structs import replace

from trackrecord.errors import BadInput
from trackrecord.modeling.export.bundle import Bundle, Codes, Encoded, Hot
from trackrecord.serving.drills.fault import Fault, Release, register_fault


def make(release: Release) -> Bundle:
    """Each text is looked up under another spelling, and so is never found."""
    bundle = release.bundle
    if not any(isinstance(column, (Codes, Hot)) for column in bundle.encoding):
        raise BadInput("the model has no categorical feature")

    def spelt(names: dict[str, float]) -> dict[str, float]:
        return {f"{name}\0": code for name, code in names.items()}

    encoding: list[Encoded] = []
    for column in bundle.encoding:
        if isinstance(column, Codes):
            encoding.append(replace(column, codes=spelt(column.codes)))
        elif isinstance(column, Hot):
            anew = {f"{name}\0": place for name, place in column.positions.items()}
            encoding.append(replace(column, positions=anew))
        else:
            encoding.append(column)
    return replace(bundle, encoding=encoding)


FAULT = register_fault(
    Fault("unseen-category", "Categories nobody has seen", "release", __doc__ or "", make=make)
)
