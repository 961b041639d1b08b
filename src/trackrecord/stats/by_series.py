"""The mean over series of each series' own value: series are the units, long or short.

A series weighs what its rows weigh on average, one where there are no weights; so weights that are
the same on all rows of a series weigh series, as the M5 competition's do (Makridakis, Spiliotis &
Assimakopoulos 2022). A row's influence is how fast the value moves with its weight; those of a
series add up to what the series adds, so that errors with series as clusters are those of a mean of
series, and the number of rows in a series is taken as given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.moments import bounded, weighed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def mean_over_series(
    loss: Floats,
    series: NDArray[np.int64],
    weight: Floats | None,
    *,
    curve: Callable[[Floats], Floats] | None = None,
    slope: Callable[[Floats], Floats] | None = None,
) -> Influence:
    """The mean over series of ``curve`` of the series' mean ``loss`` (n,), itself without one.

    ``slope`` is the curve's derivative, in terms of the curve's own value.
    """
    code = np.unique(series, return_inverse=True)[1]
    loss, rows = bounded(loss), np.bincount(code)
    mass = rows.astype(np.float64) if weight is None else np.bincount(code, weight)
    means = np.bincount(code, loss if weight is None else loss * weight) / mass
    own = means if curve is None else curve(means)
    steep = np.ones(own.size) if slope is None else slope(own)
    share = mass / rows
    share /= share.sum()
    value = float(share @ own)
    gap = (own - value)[code] + steep[code] * (loss - means[code])
    part = (share / mass)[code] * loss.size
    return Influence(value, weighed(part * gap, weight))
