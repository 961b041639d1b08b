"""The rows taken from the top of a ranking, when a share of all rows can be taken.

Equal scores at the edge are taken in part: each counts for the same fraction, what a fair lot
would give on average. So the share taken is exact, and no row's place depends on the file's order.

With A a row's part taken, q the share and T = E[y A], a row that is added also pushes others over
the edge, where the rate of positives is e: its influence on T is y A + e (q - A) - T. The rate at
the edge is that of the scores equal there if they are many, else of the rows around it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.influence import Undefined
from trackrecord.stats.ranking import class_weights, rank
from trackrecord.stats.spread import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EDGE_ROWS = 30
SMOOTHED = "its influence needs the rate of positives at the edge, which is taken from rows nearby"


class Taken(msgspec.Struct, frozen=True):
    """``hits``: E[y A]; ``rate``: E[y]; and the ``influence`` (n,) of rows on either.

    ``top`` is the share taken, ``worth`` the rows of equal weight that the sample is worth.
    """

    hits: float
    rate: float
    top: float
    worth: float
    hits_influence: Floats
    rate_influence: Floats

    def recall(self) -> tuple[float, Floats, float, float]:
        """E[y A] / E[y], its influences, and centre and least error.

        Where positives do not all find a place, centre and error are the precision's, with that of
        the rate. Else they are those of a share of the positive rows, with one more hit and miss;
        hits fill the places, so the error falls as the rows taken are all positive.
        """
        value = self.hits / self.rate
        influence = (self.hits_influence - value * self.rate_influence) / self.rate
        if self.top < self.rate:
            most, (_, _, centre, least) = self.top / self.rate, self.precision()
            of_rate = value * math.sqrt((1 - self.rate) / (self.rate * self.worth))
            return value, influence, centre * most, math.hypot(least * most, of_rate)
        hits, rows = self.hits * self.worth + 1, self.rate * self.worth + 2
        centre, full = hits / rows, hits / (self.top * self.worth + 2)
        least = math.sqrt(centre * (1 - centre) * (1 - full) / rows)
        return value, influence, centre, least

    def precision(self) -> tuple[float, Floats, float, float]:
        """E[y A] / q, its influences, and centre and least error with one more hit and miss."""
        rows = self.top * self.worth + 2
        centre = (self.hits * self.worth + 1) / rows
        least = math.sqrt(centre * (1 - centre) / rows)
        return self.hits / self.top, self.hits_influence / self.top, centre, least


def taken(truth: NDArray[np.int8], score: Floats, top: float, weight: Floats | None) -> Taken:
    """What the best ``top`` (0 to 1) of rows holds. Undefined for one class, or under one row."""
    positives, negatives = class_weights(truth, weight)
    n = positives + negatives
    if top * truth.size < 1:
        raise Undefined(f"a share of {top:g} of {truth.size} rows is less than one row")
    ranking = rank(truth, score, weight)
    here = ranking.positives.astype(np.float64)
    mass = here + ranking.negatives
    reached = np.cumsum(mass[::-1])[::-1]
    part = np.clip((top * n - (reached - mass)) / mass, 0.0, 1.0)
    edge = int(np.flatnonzero(part > 0)[0])
    rate = _edge_rate(here, mass, edge, truth.size / n)
    hits, base = float(here @ part) / n, positives / n
    spilt = rate * (top - part) - hits
    return Taken(
        hits,
        base,
        top,
        truth.size if weight is None else worth_of(weight),
        ranking.spread(positive=part + spilt, negative=spilt),
        ranking.spread(positive=np.full(part.size, 1 - base), negative=np.full(part.size, -base)),
    )


def _edge_rate(here: Floats, mass: Floats, edge: int, rows: float) -> float:
    """The share of positives at the edge, in groups around it that make up rows enough."""
    enough = max(EDGE_ROWS, (mass.sum() * rows) ** (2 / 3)) / rows
    if mass[edge] * rows >= EDGE_ROWS:
        return float(here[edge] / mass[edge])
    through = np.cumsum(mass)
    middle = through[edge] - mass[edge] / 2
    low = int(np.searchsorted(through, middle - enough / 2))
    high = int(np.searchsorted(through, middle + enough / 2)) + 1
    return float(here[low:high].sum() / mass[low:high].sum())
