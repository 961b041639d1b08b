"""Two numeric columns change places on their way into the model."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from msgspec.structs import replace

from trackrecord.errors import BadInput
from trackrecord.modeling.export.bundle import Bundle, Encoded, Gap, Number
from trackrecord.modeling.export.export import answering
from trackrecord.serving.drills.fault import Fault, Release, register_fault

ROWS = 300


def make(release: Release) -> Bundle:
    """The two numbers whose exchange moves the answers the most are read from each other's column.

    An exchange of columns that a model hardly uses is harmless, and nothing to practise on.
    """
    import numpy as np

    from trackrecord.data.table import feature_frame

    bundle = release.bundle
    numbers = [column.column for column in bundle.encoding if isinstance(column, Number)]
    if len(numbers) < 2:
        raise BadInput("the model has fewer than two numeric features to swap")
    names = [feature.name for feature in bundle.features]
    training: Any = release.training
    rows = feature_frame(release.case, release.table, names).filter(training)
    sample = rows.gather_every(max(1, rows.height // ROWS)).to_dicts()
    good = answering(release.folder, bundle)(sample)
    found = {
        pair: float(np.abs(answering(release.folder, swapped(bundle, *pair))(sample) - good).mean())
        for pair in combinations(numbers, 2)
    }
    return swapped(bundle, *max(found, key=lambda pair: found[pair]))


def swapped(bundle: Bundle, first: str, last: str) -> Bundle:
    """The bundle that reads each of two columns where the other is."""
    other = {first: last, last: first}

    def moved(column: Encoded) -> Encoded:
        if isinstance(column, (Number, Gap)):
            return replace(column, column=other.get(column.column, column.column))
        return column

    return replace(bundle, encoding=[moved(column) for column in bundle.encoding])


FAULT = register_fault(
    Fault("swapped-columns", "Two columns change places", "release", __doc__ or "", make=make)
)
