"""The chance that a test set decides a criterion, reckoned before anything is trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.proportions import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

LEVEL = 0.95
DECIDED = 0.8
MOST_ROWS = 10**12


class Decidability(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this many rows can decide a criterion.

    ``chance`` is the probability that the interval comes to lie wholly inside or outside the
    criterion's range; ``rows_needed`` what it takes for 80 %, None where no number does;
    ``half_width`` half the expected interval; ``assumption`` says in words what was assumed.
    """

    decidable: bool
    chance: float
    rows_needed: int | None
    half_width: float
    assumption: str


def decidability(
    *,
    low: float,
    high: float,
    metric: str,
    is_difference: bool,
    rows: int,
    prevalence: float,
    design_effect: float,
    expect: float | None,
) -> Decidability:
    """Whether ``rows`` rows can tell that a metric, or a paired difference, lies in a range.

    The estimate is taken as normal around ``expect`` with standard error
    ``spread * sqrt(design_effect / rows)``; the chance is that of its 95 % interval lying wholly
    within [low, high] or wholly outside. Open and closed ends have the same chance.
    """
    from trackrecord.stats.planning import effect_assumed, spread_assumed

    rows = max(rows, 1)
    # where one class was never seen, half a row of it is assumed
    rate = min(max(prevalence, 0.5 / (rows + 1)), 1 - 0.5 / (rows + 1))
    effect, hoped = effect_assumed(metric, low, high, rate, is_difference, expect)
    spread, model = spread_assumed(metric, effect, rate, is_difference)
    inflation = max(design_effect, 1.0)

    def chance_with(number: float) -> float:
        return chance_of(effect, spread * math.sqrt(inflation / number), low, high)

    chance = chance_with(rows)
    assumption = f"{hoped}; {model}"
    if inflation > 1:
        assumption += f"; clusters inflate the variance {inflation:.3g}-fold"
    return Decidability(
        decidable=chance >= DECIDED,
        chance=chance,
        rows_needed=units_for(chance_with),
        half_width=normal_quantile(LEVEL) * spread * math.sqrt(inflation / rows),
        assumption=assumption,
    )


def chance_of(effect: float, se: float, low: float, high: float, *, level: float = LEVEL) -> float:
    """P(interval within [low, high]) + P(interval wholly outside), the estimate N(effect, se²)."""
    from scipy.special import ndtr

    z = normal_quantile(level)

    def below(limit: float) -> float:
        return float(ndtr((limit - effect) / se))

    within = max(0.0, below(high - z * se) - below(low + z * se))
    return min(1.0, within + below(low - z * se) + 1 - below(high + z * se))


def units_for(chance_with: Callable[[float], float]) -> int | None:
    """The least number of rows or clusters with a chance of 80 %, by bisection; None beyond 10^12.

    ``chance_with`` maps a number of them to the chance, and must not fall.
    """
    few, many = 1, MOST_ROWS
    if chance_with(many) < DECIDED:
        return None
    while many - few > 1:
        middle = (few + many) // 2
        if chance_with(middle) >= DECIDED:
            many = middle
        else:
            few = middle
    return many


def design_effect(sizes: ArrayLike, icc: float) -> float:
    """How much clusters of these ``sizes`` (g,) inflate the variance of a mean (Kish 1965).

    1 + (m - 1) icc with m = sum(sizes^2) / sum(sizes), the size of the average row's cluster.
    Never below one.
    """
    counts = np.asarray(sizes, dtype=np.float64)
    total = float(counts.sum())
    if total <= 0 or not math.isfinite(icc):
        return 1.0
    return max(1.0, 1 + (float(counts @ counts) / total - 1) * icc)


def icc(truth: ArrayLike, codes: ArrayLike) -> float:
    """The intra-cluster correlation of ``truth`` (n,), by analysis of variance.

    (MSB - MSW) / (MSB + (m0 - 1) MSW), m0 = (n - sum(sizes^2) / n) / (g - 1) (Donner 1986).
    Negative estimates are set to 0; 0 too where there is nothing to compare.
    """
    values = np.asarray(truth, dtype=np.float64)
    _, code = np.unique(np.asarray(codes), return_inverse=True)
    sizes = np.bincount(code).astype(np.float64)
    n, groups = values.size, sizes.size
    if groups < 2 or n <= groups:
        return 0.0
    means = np.bincount(code, weights=values) / sizes
    between = float(sizes @ (means - values.mean()) ** 2) / (groups - 1)
    within = float(((values - means[code]) ** 2).sum()) / (n - groups)
    size = (n - float(sizes @ sizes) / n) / (groups - 1)
    whole = between + (size - 1) * within
    return max(0.0, (between - within) / whole) if whole > 0 else 0.0
