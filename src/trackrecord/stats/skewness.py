"""Fewer degrees of freedom where losses are skewed, or their tails heavy.

Satterthwaite's degrees are right for a variance that is estimated apart from the mean. The great
losses that a sample happens to lack make its mean and its error too small together; so a skewed
mean is further from the truth, in units of its own error, than Student's t with those degrees says.
Metrics whose losses can be as great as they like divide them: by simulation, a third or a quarter
brings the coverage back (``docs/explanation/intervals.md``). In clusters, the degrees are those of
the clusters' sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.spread import Spread, codes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def cautious(
    spread: Spread, influence: Floats, cluster: NDArray[np.integer] | None, skew: float
) -> Spread:
    """The spread with at most Satterthwaite's degrees over ``skew``, and at least one."""
    sums, units = influence, spread.rows
    if cluster is not None:
        code, groups = codes_of(cluster)
        sums = np.bincount(code, influence, minlength=groups).astype(np.float64)
        units = float(spread.clusters or groups)
    most = float(abs(sums).max())
    if most == 0:
        return spread
    squares = (sums / most) ** 2
    carriers = float(squares.sum()) ** 2 / float(squares @ squares)
    unequal = 1 / carriers - 1 / units
    if unequal <= 0:
        return spread
    freedom = max(1.0, min(spread.freedom, 2 / (skew * unequal)))
    return msgspec.structs.replace(spread, freedom=freedom)
