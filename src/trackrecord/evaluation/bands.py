"""Bands over slices that hold together: each slice's own interval, at a level raised for all.

Of fifty slices, each at 95 %, two or three miss by chance. ``stats.simultaneous`` finds the level
of each at which all hold at once, from the slices' influences, however they nest or overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.evaluation.result import Band
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import Leveled
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import Metric
from trackrecord.stats.simultaneous import joint_level, unit_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]


class Member(NamedTuple):
    """A slice: where it is in the list, its rows, their clusters, its estimate at any level, one
    influence or two."""

    place: int
    rows: Ints
    cluster: Ints | None
    at: Leveled
    known: tuple[Influence, ...]


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
        self.members: list[Member] = []

    def add(
        self,
        place: int,
        rows: Ints,
        cluster: Ints | None,
        at: Leveled,
        *measured: Influence | Absence,
    ) -> Estimate | Absence:
        """One slice: its rows, its estimates, and one influence, or two to subtract.

        Gives the estimate at the family's level. A slice without one, or whose estimate cannot
        vary, takes no part.
        """
        found = at(self.level)
        known = tuple(item for item in measured if isinstance(item, Influence))
        if isinstance(found, Absence) or len(known) < len(measured) or found.se == 0:
            return found
        self.members.append(Member(place, rows, cluster, at, known))
        return found

    def bands(self) -> Iterator[tuple[int, Band]]:
        """(place, band) of each slice that takes part."""
        sums = self.sums(self.members)
        if not sums.any():
            return
        each = joint_level(sums, self.level).each
        for member in self.members:
            found = member.at(each)
            if isinstance(found, Estimate):
                band = Band(metric=self.metric.name, lo=found.lo, hi=found.hi, each=each)
                yield member.place, band

    def sums(self, members: list[Member]) -> NDArray[np.float64]:
        """What each unit adds to each member's error, (G, k)."""
        columns = ((member.rows, _influence(member.known)) for member in members)
        return unit_sums(columns, self.n, self.period if self.cluster is None else self.cluster)


def _influence(known: tuple[Influence, ...]) -> NDArray[np.float64]:
    first = known[0].influence
    return first - known[1].influence if len(known) == 2 else first
