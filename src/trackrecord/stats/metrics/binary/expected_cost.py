"""Expected cost: what a row costs on average where misses and false alarms have their prices.

``expected_cost@5-1``: a positive row that is missed costs 5, a false alarm 1, and being right
nothing. Rows are called positive where that is the cheaper call for a true probability, above
alarm / (miss + alarm) (Elkan 2001). Of a full matrix, take what being wrong costs more than being
right. A mean; see ``cells.py`` for few wrong calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COSTS = Parameter(
    keyword="costs",
    means="what a missed positive and a false alarm cost, joined by '-'",
    default=(1.0, 1.0),
    low=0.0,
    high=1e9,
)


@metric(
    title="expected cost",
    direction="lower",
    scale="log",
    needs="probability",
    parameter=COSTS,
)
def expected_cost(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    costs: tuple[float, float],
) -> Influence:
    """Mean cost of a row, in the unit of the prices."""
    miss, alarm = costs
    cells = cells_of(truth, score, alarm / (miss + alarm), weight)

    def formula(tn: complex, fp: complex, fn: complex, tp: complex) -> complex:
        return (miss * fn + alarm * fp) / (tn + fp + fn + tp)

    return from_cells(cells, formula)
