"""Uncertainty, of the Brier score's three parts: o (1 - o) of the rate o; no model changes it.

Murphy (1973). The estimate is too small by Var(o), and its interval is centred without that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, mean_of
from trackrecord.stats.metrics import metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    title="Brier uncertainty",
    direction="lower",
    scale="positive",
    needs="truth",
    clusters_needed=float("inf"),
)
def brier_uncertainty(
    truth: NDArray[np.int8],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """The variance of the truth."""
    base = mean_of(truth.astype(float), weight)
    value = base.value * (1 - base.value)
    worth = truth.size if weight is None else float(weight.sum()) ** 2 / float(weight @ weight)
    error = value / max(worth - 1, 1)
    return Influence(
        value,
        (1 - 2 * base.value) * base.influence,
        centre=value + error,
        least=2**0.5 * error,
    )
