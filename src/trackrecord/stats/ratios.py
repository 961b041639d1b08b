"""The ratio of two values measured on the same rows, from their influences.

"This model's loss is 0.9 times that one's"; "the rate in this group is 0.8 times that in all". Its
logarithm has the influence ψ_a / a − ψ_b / b, and an interval on the log scale is made from that.
Where the divisor is known too badly for a first-order formula, Fieller's set (1954) takes its
place: all ratios r for which a − r b does not differ from zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from trackrecord.stats.arguments import alike, level_within
from trackrecord.stats.estimate import Absence
from trackrecord.stats.proportions import t_quantile
from trackrecord.stats.spread import Spread, spread_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.influence import Influence

    Floats = NDArray[np.float64]

# a divisor less than so many standard errors from zero is known too badly for the log scale
STEADY = 10.0


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` = a / b with its interval at ``level``; ``se`` is the first-order error on its own
    scale; ``how`` names the interval; ``clusters`` is None where rows were independent."""

    value: float
    lo: float
    hi: float
    level: float
    se: float
    degrees: float
    n: int
    clusters: int | None
    how: Literal["log scale", "Fieller"]


def ratio_of(
    a: Influence,
    b: Influence,
    truth: NDArray[np.int8],
    *,
    cluster: NDArray[np.integer] | None = None,
    level: float = 0.95,
    metric: str,
) -> Ratio | Absence:
    """a / b with its interval; both measured on the same n rows, of which ``truth`` (n,) is known.

    On the log scale where both have one sign and are at least STEADY standard errors from zero, by
    Fieller otherwise. Absent under ``metric`` where b is zero, where it does not differ from zero
    at ``level`` (Fieller's set is then no interval), where too few rows or clusters show the
    spread, and where nothing varies. A ratio of a thing to itself is exactly 1: BadInput is raised
    only for unequal numbers of rows and a level outside (0, 1).
    """
    level, n = level_within(level), a.influence.size
    alike(n, b.influence.size, "rows of a", "rows of b")
    alike(n, truth.size, "rows of a", "the truth")

    def spread(influence: Floats) -> Spread:
        return spread_of(influence, truth, cluster)

    def absent(reason: str) -> Absence:
        return Absence(metric=metric, reason=reason, n=n)

    if n == 0 or b.value == 0:
        return absent("there is no row" if n == 0 else "the divisor is zero")
    value = a.value / b.value
    gap = spread((a.influence - value * b.influence) / abs(b.value))
    over, under = spread(a.influence), spread(b.influence)
    if gap.units < 2:
        return absent("too few rows or clusters show how much they differ")
    if max(over.se, under.se) == 0:
        return absent("every row counts the same, so nothing shows how much rows differ")
    t = t_quantile(level, gap.degrees)
    steady = (
        value > 0 and min(abs(a.value) / STEADY - over.se, abs(b.value) / STEADY - under.se) > 0
    )
    how: Literal["log scale", "Fieller"] = "log scale" if steady else "Fieller"
    if steady:
        reach = t * gap.se / value
        lo, hi = value * math.exp(-reach), value * math.exp(reach)
    else:
        # 4 cov(a, b) = var(a + b) - var(a - b), of one formula with the two variances
        plus, minus = spread(a.influence + b.influence), spread(a.influence - b.influence)
        covariance = (plus.se**2 - minus.se**2) / 4
        found = _fieller(a.value, b.value, over.se**2, covariance, under.se**2, t)
        if found is None:
            return absent(f"the divisor does not differ from zero at level {level:g}")
        lo, hi = found
    return Ratio(
        value=value,
        lo=lo,
        hi=hi,
        level=level,
        se=gap.se,
        degrees=gap.degrees,
        n=n,
        clusters=gap.clusters,
        how=how,
    )


def _fieller(
    a: float, b: float, var_a: float, covariance: float, var_b: float, t: float
) -> tuple[float, float] | None:
    """The r with (a - r b)^2 <= t^2 (var_a - 2 r covariance + r^2 var_b); None where unbounded.

    Fieller 1954, section 3: the roots of p r^2 - 2 q r + s, an interval where p is above zero.
    """
    p = b * b - t * t * var_b
    q = a * b - t * t * covariance
    s = a * a - t * t * var_a
    if p <= 0:
        return None
    root = math.sqrt(max(q * q - p * s, 0.0))
    return (q - root) / p, (q + root) / p
