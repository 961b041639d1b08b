"""Whether one of two forecasts is better, from their losses in order of time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import alike, finite, level_within
from trackrecord.stats.dependence import newey_west
from trackrecord.stats.estimate import Absence
from trackrecord.stats.proportions import t_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class DieboldMariano(msgspec.Struct, frozen=True, kw_only=True):
    """``difference``, mean loss of a minus mean loss of b, with its interval at ``level`` and the
    two-sided ``p`` of no difference; ``weights`` says how autocovariances were added."""

    difference: float
    lo: float
    hi: float
    level: float
    se: float
    statistic: float
    p: float
    periods: int
    weights: Literal["equal", "falling"]


def diebold_mariano(
    loss_a: ArrayLike, loss_b: ArrayLike, *, horizon: int, metric: str, level: float = 0.95
) -> DieboldMariano | Absence:
    """The test of Diebold & Mariano (1995) as Harvey, Leybourne & Newbold (1997) correct it.

    Losses (T,) of forecasts made ``horizon`` steps ahead. Good forecasts err independently beyond
    their horizon, so horizon − 1 autocovariances are added, with equal weights (1995, eq. 2); where
    that is not above zero, with Newey & West's falling ones. The statistic is multiplied by
    sqrt((T + 1 − 2 h + h (h − 1) / T) / T) and set against Student's t with T − 1 degrees (1997,
    eq. 8 and 9). With a horizon of 1 this is the paired t test. Absent under ``metric`` with fewer
    than two periods, a horizon of half of them or more, or where the difference never varies.
    Raises BadInput for unequal lengths and a horizon below 1.
    """
    a, b = finite(loss_a, "losses of a"), finite(loss_b, "losses of b")
    alike(a.size, b.size, "losses of a", "losses of b")
    level, periods, h = level_within(level), a.size, horizon
    if h < 1:
        raise BadInput(f"a horizon must be 1 or more, not {h}")
    if periods < 2 or 2 * h > periods:
        reason = f"{periods} periods are too few for forecasts {h} ahead"
        return Absence(metric=metric, reason=reason, n=periods)
    gap = a - b
    difference = float(gap.mean())
    apart = gap - difference
    squares = float(apart @ apart)
    if squares <= periods * (1e-14 * float(np.abs(a).max() + np.abs(b).max())) ** 2:
        reason = "the difference is the same in every period"
        return Absence(metric=metric, reason=reason, n=periods)
    total = squares + 2 * sum(float(apart[j:] @ apart[:-j]) for j in range(1, h))
    weights: Literal["equal", "falling"] = "equal"
    if total <= 1e-12 * squares:
        total, weights = newey_west(gap, h - 1), "falling"
    corrected = (periods + 1 - 2 * h + h * (h - 1) / periods) / periods
    se = math.sqrt(total / corrected) / periods
    half, p = t_quantile(level, periods - 1) * se, _two_sided(difference / se, periods - 1)
    return DieboldMariano(
        difference=difference,
        lo=difference - half,
        hi=difference + half,
        level=level,
        se=se,
        statistic=difference / se,
        p=p,
        periods=periods,
        weights=weights,
    )


def _two_sided(t: float, degrees: float) -> float:
    from scipy.special import stdtr

    return 2 * float(stdtr(degrees, -abs(t)))
