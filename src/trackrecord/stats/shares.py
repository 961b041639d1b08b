"""The paired difference of two shares of the same rows, right also where few rows differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.proportions import normal_quantile, paired_error, proportion, t_quantile
from trackrecord.stats.spread import Spread, effective_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.metrics import Metric

    Floats = NDArray[np.float64]


def share_difference(
    asked: Metric,
    influence: Floats,
    value: float,
    spread: Spread,
    codes: NDArray[np.integer] | None,
    weight: Floats | None,
    level: float,
    n: int,
) -> Estimate:
    """``value`` with the interval of Bonett & Price (2012), or its like in clusters and weights.

    ``influence`` (m,) are the differences of the influences on the rows that both are shares of;
    ``n`` counts the rows of the sample.
    """
    m = influence.size
    if codes is None and weight is None:
        gap = np.rint(influence + value)
        se = paired_error(float(np.abs(gap).sum()), float(gap.sum()), m)
        half = normal_quantile(level) * se
        method = "paired proportions, Bonett-Price"
    else:
        clusters = effective_clusters(codes, m, weight)
        differing = _differing(influence, value, weight)
        if differing == 0:
            _, half = proportion(0, clusters, level)
            se = half / normal_quantile(level)
            kind = "effective rows" if codes is None else "effective clusters"
            method = f"Wilson bound, {clusters:.4g} {kind}"
        else:
            # Bonett & Price's two more differing rows, weighing what differing rows weigh here
            worth = max(1.0, (spread.se * m) ** 2 / differing)
            se = math.hypot(spread.se, math.sqrt(2 * worth) / m)
            half = t_quantile(level, spread.degrees) * se
            method = f"paired influence, Bonett-Price, t({spread.degrees:.4g})"
            if codes is not None:
                method = method.replace("t(", f"{spread.clusters} clusters, t(")
    return Estimate(
        metric=asked.name,
        value=value,
        lo=max(-1.0, value - half),
        hi=min(1.0, value + half),
        level=level,
        se=se,
        n=n,
        clusters=spread.clusters,
        method=method,
    )


def _differing(influence: Floats, value: float, weight: Floats | None) -> float:
    """How many rows count for one of the two and not for the other."""
    if weight is None:
        return float(np.abs(np.rint(influence + value)).sum())
    there = weight > 0
    gap = np.rint(influence[there] / weight[there] + value)
    return float(np.abs(gap).sum())
