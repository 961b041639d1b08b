"""F-beta: precision and recall in one, recall weighing beta times as much.

``f_beta@b`` has beta = b; called are scores above 0.5. With b2 = beta^2, it is
(1 + b2) TP / ((1 + b2) TP + b2 FN + FP) (van Rijsbergen 1979).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.cells import cells_of, from_cells
from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BETA = Parameter(
    keyword="beta",
    means="how many times as much recall weighs as precision",
    default=(2.0,),
    low=0.0,
    high=1000.0,
)


@metric(
    title="F-beta",
    direction="higher",
    scale="logit",
    needs="probability",
    parameter=BETA,
)
def f_beta(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
    *,
    beta: float,
) -> Influence:
    """Undefined where no row is positive or called so."""
    cells = cells_of(truth, score, 0.5, weight)
    if cells.positives + cells.called == 0:
        raise Undefined("no row is positive, nor called so")
    square = beta * beta

    def formula(tn: complex, fp: complex, fn: complex, tp: complex) -> complex:
        return (1 + square) * tp / ((1 + square) * tp + square * fn + fp)

    return from_cells(cells, formula)
