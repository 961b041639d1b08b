"""Bands over slices that hold together: each slice's own interval, at a level raised for all.

Of fifty slices, each at 95 %, two or three miss by chance. ``stats.simultaneous`` finds the level
of each at which all hold at once, from the slices' influences, however they nest or overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.evaluation.result import Band
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import Metric
from trackrecord.stats.simultaneous import joint_level, unit_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]


class Family:
    """The slices of one metric (or of its differences) that are to hold together.

    ``cluster`` (n,) are the codes of all ``n`` rows, or None, ``period`` (n,) likewise when they
    were; ``level`` is that of all at once.
    """

    __slots__ = ("cluster", "level", "members", "metric", "n", "period")

    def __init__(
        self, metric: Metric, cluster: Ints | None, period: Ints | None, n: int, level: float
    ) -> None:
        self.metric, self.cluster, self.period = metric, cluster, period
        self.n, self.level = n, level
        self.members: list[tuple[int, Ints, Ints | None, tuple[Influence, ...]]] = []

    def add(
        self,
        place: int,
        rows: Ints,
        found: Estimate | Absence,
        cluster: Ints | None,
        *measured: Influence | Absence,
    ) -> None:
        """One slice: its rows, what was found there, and one influence, or two to subtract.

        A slice without an estimate, or whose estimate cannot vary, takes no part.
        """
        known = tuple(item for item in measured if isinstance(item, Influence))
        if isinstance(found, Absence) or len(known) < len(measured) or found.se == 0:
            return
        self.members.append((place, rows, cluster, known))

    def bands(self) -> Iterator[tuple[int, Band]]:
        """(place, band) of each slice that takes part."""
        sums = unit_sums(
            ((rows, _influence(known)) for _, rows, _, known in self.members),
            self.n,
            self.period if self.cluster is None else self.cluster,
        )
        if not sums.any():
            return
        each = joint_level(sums, self.level).each
        for place, rows, cluster, known in self.members:
            period = None if self.period is None else self.period[rows]
            shared: Any = {"cluster": cluster, "period": period, "level": each}
            if len(known) == 2:
                found = difference_of(self.metric, *known, **shared)
            else:
                found = estimate_of(self.metric, known[0], **shared)
            if isinstance(found, Estimate):
                yield place, Band(metric=self.metric.name, lo=found.lo, hi=found.hi, each=each)


def _influence(known: tuple[Influence, ...]) -> NDArray[np.float64]:
    first = known[0].influence
    return first - known[1].influence if len(known) == 2 else first
