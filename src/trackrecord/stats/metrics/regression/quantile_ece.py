"""Calibration error of quantiles: how far the share of truths at or below each is from its level.

With d_k that share minus the level of quantile k, the root of mean(d_k^2) less its bias, the mean
of Var(d_k) (as Kuleshov, Fenner & Ermon 2018, eq. 9, weigh levels alike; Ferro & Fricker 2012 for
the bias), or 0 where that is below 0. A row's influence on the square is mean(2 d_k (1{y <= q_k} -
share_k)). Where all d are near 0 the first order sees no error: with S the covariances of the d,
the square's is not let below sqrt(4 d'S d + 2 tr(S S)), over the number of levels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import weighed
from trackrecord.stats.spread import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles


@metric(
    task="regression",
    title="quantile calibration error",
    direction="lower",
    scale="root",
    needs="quantiles",
    counts=True,
    clusters_needed=math.inf,
    skew=2.0,
)
def quantile_ece(
    truth: NDArray[np.float64], score: Quantiles, weight: NDArray[np.float64] | None = None
) -> Influence:
    """In probability, over all levels that are predicted."""
    rows = truth.size
    below = (truth[:, None] <= score.values).astype(np.float64)
    counted = np.ones(rows) if weight is None else weight
    share = counted @ below / counted.sum()
    apart, off = below - share, share - np.array(score.levels)
    worth = rows if weight is None else worth_of(weight)
    if worth <= 1:
        raise Undefined("one row cannot show how far shares are from their levels")
    errors = (apart * counted[:, None]).T @ apart / counted.sum() / (worth - 1)
    levels = off.size
    square, bias = float(off @ off) / levels, float(np.trace(errors)) / levels
    least = math.sqrt(4 * float(off @ errors @ off) + 2 * float((errors * errors).sum())) / levels
    centre = math.sqrt(max(square - bias, least))
    if centre == 0:
        raise Undefined("every truth is on the same side of each quantile, as its level says")
    influence = weighed(2 * (apart @ off) / levels, weight) / (2 * centre)
    value = math.sqrt(max(0.0, square - bias))
    return Influence(value, influence, centre=centre, least=least / (2 * centre))
