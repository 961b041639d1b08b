"""A column whose missing values tell the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.leakage.scores import area_of, column_area, turned
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.views import View
from trackrecord.data.leakage.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGE = 0.6
TELLS = 0.97
MOSTLY_THERE = 0.01


@looks_for(
    "columns whose missing values tell the target",
    kind="L2",
    needs="a column with missing values",
)
def missingness(world: World) -> Iterator[Sign]:
    """ROC area of "is missing" against each view of the target; the farthest from one half.

    Where another column, which is there, tells what is missing, a missing value is a value like
    others – no veneer, no garage – and a note.
    """
    few = world.sample
    for name in world.features:
        missing = few.train[name].is_null().to_numpy()
        if few.train[name].dtype.is_float():
            missing = missing | few.train[name].is_nan().fill_null(False).to_numpy()
        if not few.views or not 5 <= int(missing.sum()) <= missing.size - 5:
            continue
        score = missing.astype(float)
        found = [turned(area_of(score, view.truth)) for view in few.views]
        area = max(found)
        view = few.views[found.index(area)]
        large = area.lo > LARGE
        other = _teller(few, name, missing) if large else None
        present = float(missing[view.truth == 1].mean()), float(missing[view.truth == 0].mean())
        yield Sign(
            columns=[name],
            measure="ROC AUC",
            value=area.value,
            lo=area.lo,
            hi=area.hi,
            n=missing.size,
            p=min(1.0, area.p * len(found)),
            large=large,
            verdict="suspect" if other is None else "note",
            what=f"{name!r} is missing in {present[0]:.0%} of the rows where the target is "
            f"{view.name.removeprefix('= ')} and in {present[1]:.0%} of the others"
            + ("" if other is None else f", and {other!r} tells which"),
            fix=f"ask why {name!r} is missing: what is filled in afterwards tells the outcome",
        )


def _teller(world: World, name: str, missing: NDArray[np.bool_]) -> str | None:
    """Another feature with hardly a missing value by which the missing values can be told."""
    view = View("missing", missing.astype(np.int8), 1.0)
    for other in world.plain:
        column = world.train[other]
        if other == name or column.dtype.is_temporal():
            continue
        gone = column.is_null()
        if column.dtype.is_float():
            gone = gone | column.is_nan().fill_null(False)
        if int(gone.sum()) < MOSTLY_THERE * len(gone) and column_area(column, [view]).lo > TELLS:
            return other
    return None
