"""A single column that nearly gives the target away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

CERTAIN = 0.99
STANDING_OUT = 0.9
SHARE_OF_THE_REST = 0.1


@looks_for(
    "a single column that nearly gives the target away",
    kind="L2",
    needs="a feature, and classes of ten rows and more",
)
def near_perfect(world: World) -> Iterator[Sign]:
    """ROC area of each feature alone: near one, or far above what the others reach.

    A column stands out where what it misses (one less its area) is at most a tenth of what the
    third quartile of the other columns misses; alone, of what chance does.
    """
    areas = world.alone
    for name, area in areas.items():
        others = [other.value for key, other in areas.items() if key != name]
        usual = float(np.quantile(others, 0.75)) if others else 0.5
        stands_out = area.lo >= STANDING_OUT and 1 - area.value <= SHARE_OF_THE_REST * (1 - usual)
        large = area.lo >= CERTAIN or stands_out
        yield Sign(
            columns=[name],
            measure="ROC AUC",
            value=area.value,
            lo=area.lo,
            hi=area.hi,
            n=world.sample.train.height,
            p=area.p,
            large=large,
            verdict="leak" if area.lo >= CERTAIN else "suspect",
            what=f"{name!r} alone nearly gives the target away, by {area.how}"
            + (f"; three quarters of the other columns stay under {usual:.2f}" if others else ""),
            fix=f"find out when {name!r} is known; if that is after the question is asked, drop it",
        )
