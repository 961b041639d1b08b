"""Metrics of the four cells: right and wrong, called positive and not.

A formula of the cells' counts that is the same for all counts doubled has, by Euler's theorem,
influences that average to zero: n times its derivative towards the row's cell. The derivative is
taken by the complex step, exact to rounding (Squire & Trapp 1998), so a metric is its formula only.

Where a cell has few rows the first order sees too little. The interval is then centred on the
formula with one more row in each cell, and its error is not let below the one found there: the
device of Agresti & Coull (1998) and Agresti & Caffo (2000) for one share and for two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.remembering import remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Formula = Callable[[complex, complex, complex, complex], complex]

STEP = 1e-200
MORE = 1.0


class Cells(msgspec.Struct, frozen=True):
    """Counts of the cells, each row's ``cell`` (n,), and the rows' ``weight`` (n,) or None.

    The cells are, from 0 to 3, true negative, false positive, false negative, true positive;
    with weights ``counts`` are sums of them, and ``worth`` the rows of equal weight that they are
    worth (Kish 1965).
    """

    counts: tuple[float, float, float, float]
    cell: NDArray[np.intp]
    weight: Floats | None
    worth: float

    @property
    def positives(self) -> float:
        """Rows that are positive."""
        return self.counts[2] + self.counts[3]

    @property
    def negatives(self) -> float:
        """Rows that are negative."""
        return self.counts[0] + self.counts[1]

    @property
    def called(self) -> float:
        """Rows called positive."""
        return self.counts[1] + self.counts[3]

    @property
    def passed(self) -> float:
        """Rows called negative."""
        return self.counts[0] + self.counts[2]


class Tally(msgspec.Struct, frozen=True):
    """The cells' counts at some thresholds, in place of scores: what is left of rows that were
    counted in parts. Influences are then those of one row of each cell (4,)."""

    counts: Mapping[float, tuple[float, float, float, float]]


def cells_of(
    truth: NDArray[np.int8], score: Floats | Tally, threshold: float, weight: Floats | None
) -> Cells:
    """The cells of rows (n,) called positive where the score is above ``threshold``."""
    if isinstance(score, Tally):
        counts = score.counts[threshold]
        return Cells(counts, np.arange(4), None, math.fsum(counts))
    if weight is not None:
        return _cells(truth, score, threshold, weight)
    name = ("cells", threshold)
    return remembered(name, (truth, score), lambda: _cells(truth, score, threshold, None))


def _cells(
    truth: NDArray[np.int8], score: Floats, threshold: float, weight: Floats | None
) -> Cells:
    cell = 2 * truth.astype(np.intp) + (score > threshold)
    counted = np.bincount(cell, weights=weight, minlength=4)
    n = float(truth.size)
    worth = n if weight is None else float(weight.sum()) ** 2 / float(weight @ weight)
    tn, fp, fn, tp = (float(count) for count in counted)
    return Cells((tn, fp, fn, tp), cell, weight, worth)


def from_cells(
    cells: Cells, formula: Formula, *, of: tuple[int, ...] | None = None, more: float = MORE
) -> Influence:
    """The value and influences of ``formula(tn, fp, fn, tp)``; a share is of the cells ``of``."""
    n = math.fsum(cells.counts)
    value, slopes = _derived(formula, cells.counts)
    influence = (n * np.array(slopes))[cells.cell]
    if cells.weight is not None:
        influence = influence * cells.weight
    fuller = tuple(count * cells.worth / n + more for count in cells.counts)
    centre, there = _derived(formula, fuller)
    least = math.sqrt(sum(count * slope**2 for count, slope in zip(fuller, there, strict=True)))
    rows = None if of is None else np.isin(range(4), of)[cells.cell]
    return Influence(value, influence, of=rows, centre=centre, least=least)


def _derived(
    formula: Formula, counts: tuple[float, ...]
) -> tuple[float, tuple[float, float, float, float]]:
    slopes = []
    for moved in range(4):
        tn, fp, fn, tp = (complex(c, STEP * (i == moved)) for i, c in enumerate(counts))
        found = formula(tn, fp, fn, tp)
        slopes.append(found.imag / STEP)
    return found.real, (slopes[0], slopes[1], slopes[2], slopes[3])
