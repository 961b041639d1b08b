"""Means, over classes or labels, of a metric of a yes or no: each one against all others.

Their influences are means of influences. What a rare class's few rows do not show is added: its
error is not let below what ``intervals.py`` takes for a yes or no, and where it shows no spread at
all, it is that of a share with 2 / K hits and as many misses more (Price & Bonett 2004), on which
the interval is then centred. Classes are taken as independent in what is added.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.intervals import CARRIERS, FEW
from trackrecord.stats.margins import MOST_MORE
from trackrecord.stats.spread import Spread, spread_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# the variance of what is 0 or 1 as often: an average precision of few rows is too high as well
MOST_VARIANCE = 0.25
# with fewer rows the spread of a class is known so badly that all there can be is taken
SCARCE = 10


class Average:
    """A weighted mean of values between 0 and 1 in the making; ``parts`` of them are expected.

    ``few`` and ``skewed`` are the shares of the greatest variance that the error of one is not let
    below, as a metric's ``floor_few`` and ``floor_skewed``.
    """

    __slots__ = ("drawn", "few", "influence", "parts", "rows", "skewed", "unseen", "value")

    def __init__(self, rows: int, parts: int, *, few: float, skewed: float) -> None:
        self.rows, self.parts, self.few, self.skewed = rows, parts, few, skewed
        self.value = self.drawn = self.unseen = 0.0
        self.influence = np.zeros(rows)

    def add(
        self, one: Influence, truth: NDArray[np.int8], weight: Floats | None, part: float
    ) -> None:
        """One class's value and influences (n,), given its ``truth``; it counts for ``part``."""
        self.add_part(one, truth, weight, part, slice(None))

    def add_part(
        self,
        one: Influence,
        truth: NDArray[np.int8],
        weight: Floats | None,
        part: float,
        rows_of: NDArray[np.intp] | slice,
    ) -> None:
        """The same of a value that is of some rows (m,) only."""
        spread = spread_of(one.influence, truth, None, weight)
        self.include(one.value, one.influence, spread, part, rows_of)

    def include(
        self,
        value: float,
        influence: Floats,
        spread: Spread,
        part: float,
        rows_of: NDArray[np.intp] | slice = slice(None),
    ) -> None:
        """The same with the ``spread`` that says how many rows of the rarer kind there are."""
        m = influence.size
        self.value += part * value
        self.influence[rows_of] += part * (self.rows / m) * influence
        seen = float(influence @ influence) / m**2
        share, unit, rows = 0.0, value, spread.sparse
        if spread.sparse < FEW:
            share = self.few
        if spread.carriers < CARRIERS:
            share = max(share, self.skewed)
        if spread.sparse < SCARCE or spread.se == 0:
            share, more = 1.0, min(MOST_MORE, 2 / self.parts)
            unit = (value * rows + more) / (rows + 2 * more)
            rows += 2 * more
        if spread.se == 0:
            self.drawn += part * (unit - value)
        least = max(spread.se**2, share * unit * (1 - unit) / rows)
        if self.few and spread.sparse < SCARCE:
            least = MOST_VARIANCE
        self.unseen += part**2 * max(0.0, least - seen)

    def move(self, influence: Floats) -> None:
        """What rows (n,) do to the value in another way than through the parts."""
        self.influence += influence

    def influences(self) -> Influence:
        """The mean, with its centre and least error."""
        seen = float(self.influence @ self.influence) / self.rows**2
        return Influence(
            self.value,
            self.influence,
            centre=self.value + self.drawn,
            least=math.sqrt(seen + self.unseen),
        )


def pooled(
    compute: Callable[..., Influence],
    truth: NDArray[np.int8],
    probability: Floats,
    weight: Floats | None,
    *,
    few: float,
) -> Influence:
    """A metric of a yes or no of all cells (n, K) in one column; a row bears what its cells do.

    ``few`` is the metric's ``floor_few``.
    """
    n, labels = truth.shape
    heavy = None if weight is None else np.repeat(weight, labels)
    one = compute(truth.ravel(), probability.ravel(), heavy)
    influence = one.influence.reshape(n, labels).mean(axis=1)
    whole = Average(n, 1, few=few, skewed=0.1)
    cells = spread_of(one.influence, truth.ravel(), None, heavy)
    whole.include(one.value, influence, cells, 1.0)
    return whole.influences()
