"""A column whose missing values tell the target."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.leakage.scores import area_of, turned
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

LARGE = 0.6


@looks_for("columns whose missing values tell the target", kind="L2")
def missingness(world: World) -> Iterator[Sign]:
    """ROC area of "is missing" against each view of the target; the farthest from one half."""
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
        present = float(missing[view.truth == 1].mean()), float(missing[view.truth == 0].mean())
        yield Sign(
            columns=[name],
            measure="ROC AUC",
            value=area.value,
            lo=area.lo,
            hi=area.hi,
            n=missing.size,
            p=min(1.0, area.p * len(found)),
            large=area.lo > LARGE,
            what=f"{name!r} is missing in {present[0]:.0%} of the rows where the target is "
            f"{view.name.removeprefix('= ')} and in {present[1]:.0%} of the others",
            fix=f"ask why {name!r} is missing: what is filled in afterwards tells the outcome",
        )
