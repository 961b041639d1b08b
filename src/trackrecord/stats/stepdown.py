"""Which of many estimates are truly below, or above, a value: a step-down test.

Picking those whose own interval excludes the value picks false ones when there are many. Here the
chance of any false pick is at most ``alpha``, under any dependence that the unit sums show. After
the strongest is picked, the next competes with fewer, so more are found than by joint intervals
(Romano & Wolf 2005; their adjusted p-values, 2016).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import alike, finite
from trackrecord.stats.simultaneous import DRAWS, correlated_draws, correlation_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Side = Literal["below", "above", "either"]


class StepDown(msgspec.Struct, frozen=True, kw_only=True):
    """Of each estimate, in the order given: its own ``alone`` (k,) p-value, ``p`` (k,) adjusted for
    all, never under 1 / (DRAWS + 1), and whether it is ``picked`` (k,), that is p <= ``alpha``."""

    alone: Floats
    p: Floats
    picked: NDArray[np.bool_]
    alpha: float


def step_down(
    differences: ArrayLike,
    se: ArrayLike,
    degrees: ArrayLike,
    sums: ArrayLike,
    *,
    side: Side,
    alpha: float = 0.05,
) -> StepDown:
    """Which ``differences`` (k,) are truly ``side`` zero, with family-wise error ``alpha``.

    Give them on the scale where they are nearest to normal, of logarithms for losses, and their
    ``se`` (k,) above 0 likewise; ``degrees`` (k,) of freedom, infinite for the normal; ``sums``
    (G, k) from ``unit_sums``, of the same differences. Each t is first turned into the normal
    quantile of its own p-value, so that few degrees count as few. Raises BadInput for anything
    else, and where a column of ``sums`` is all zeros.
    """
    from scipy.special import ndtr, ndtri, stdtr

    gaps, errors = finite(differences, "differences"), finite(se, "standard errors")
    freedom = np.asarray(degrees, dtype=np.float64)
    table = finite(sums, "unit sums", dims=2)
    k = gaps.size
    for other, what in ((errors.size, "standard errors"), (freedom.size, "degrees of freedom")):
        alike(other, k, what, "the differences")
    alike(table.shape[1], k, "columns of unit sums", "the differences")
    if k == 0:
        raise BadInput("there is no difference to test")
    if errors.min() <= 0 or not (freedom > 0).all() or not np.abs(table).max(axis=0).all():
        raise BadInput("every difference needs a standard error, degrees of freedom and sums")
    if side not in ("below", "above", "either") or not 0 < alpha < 1:
        raise BadInput("side must be 'below', 'above' or 'either', alpha between 0 and 1")

    t = gaps / errors
    strength = np.abs(t) if side == "either" else t if side == "above" else -t
    one_sided = stdtr(freedom, -strength)
    z = -ndtri(one_sided)
    order = np.argsort(-z, kind="stable")
    reached = np.zeros(k)
    for draws in correlated_draws(*correlation_of(table)):
        sided = np.abs(draws) if side == "either" else draws
        # the greatest among the i-th strongest and all weaker ones
        rivals = np.maximum.accumulate(sided[:, order[::-1]], axis=1)[:, ::-1]
        reached += (rivals >= z[order]).sum(axis=0)
    p = np.empty(k)
    p[order] = np.maximum.accumulate((reached + 1) / (DRAWS + 1))
    alone = 2 * ndtr(-z) if side == "either" else one_sided
    p = np.maximum(p, alone)
    return StepDown(alone=alone, p=p, picked=p <= alpha, alpha=alpha)
