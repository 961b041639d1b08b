"""Spearman's correlation of prediction and truth: Pearson's of their ranks, equal ones halfway.

With u and v the ranks as shares, minus ½, it is C / sqrt(A B) of the means C = u v, A = u^2,
B = v^2. A row moves these by itself and by moving the ranks of all others: its influence on C is
u v + mean_j h_u(i, j) v_j + mean_j h_v(i, j) u_j - 3 C, h being 1 where row j ranks above row i and
½ where equal, and likewise for A and B (Croux & Dehon 2010, for no ties).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.midranks import midranks
from trackrecord.stats.moments import mean, weighed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@metric(
    task="regression",
    title="Spearman correlation",
    direction="higher",
    scale="fisher",
    needs="value",
    skew=2.0,
)
def spearman(
    truth: NDArray[np.float64],
    score: NDArray[np.float64],
    weight: NDArray[np.float64] | None = None,
) -> Influence:
    """Undefined where all truths or all predictions are equal."""
    for values, what in ((truth, "truth"), (score, "prediction")):
        if values.min() == values.max():
            raise Undefined(f"the {what} is the same on every row, so nothing ranks")
    x, y = midranks(score, weight), midranks(truth, weight)
    u, v = x.share - 0.5, y.share - 0.5
    both, first, second = mean(u * v, weight), mean(u * u, weight), mean(v * v, weight)
    root = (first * second) ** 0.5
    value = min(max(both / root, -1.0), 1.0)
    of_both = u * v + x.pull(v) + y.pull(u) - 3 * both
    of_first = u * u + 2 * x.pull(u) - 3 * first
    of_second = v * v + 2 * y.pull(v) - 3 * second
    influence = of_both / root - value / 2 * (of_first / first + of_second / second)
    return Influence(value, weighed(influence, weight))
