"""Ranks of numbers as shares, equal numbers halfway, and how they move with a row's weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Midranks(msgspec.Struct, frozen=True):
    """``share`` (n,): of all rows, those below this one and half of those equal to it.

    ``group`` (n,) numbers the different values, ascending; ``total`` is what all rows weigh.
    """

    share: Floats
    group: NDArray[np.intp]
    total: float
    weight: Floats | None

    def pull(self, of: Floats) -> Floats:
        """(n,): mean over rows j of h(i, j) ``of``[j]; h is 1 where j is above i, ½ where equal.

        The share of j grows by h(i, j) minus itself as row i gets more weight.
        """
        held = np.bincount(self.group, of if self.weight is None else of * self.weight)
        above = held.sum() - np.cumsum(held)
        each: Floats = (above + held / 2) / self.total
        return each[self.group]


def midranks(values: Floats, weight: Floats | None) -> Midranks:
    """Of ``values`` (n,), each counted as often as it weighs; one sort."""
    group = np.unique(values, return_inverse=True)[1]
    mass = np.bincount(group, weight).astype(np.float64)
    total = float(mass.sum())
    share = ((np.cumsum(mass) - mass / 2) / total)[group]
    return Midranks(share, group, total, weight)
