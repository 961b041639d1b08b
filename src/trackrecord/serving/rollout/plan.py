"""How long a rollout would take, before it begins."""

from __future__ import annotations

import math

from trackrecord.serving.rollout.judge import ALPHA
from trackrecord.serving.rollout.state import Mode
from trackrecord.stats.sequential import stitched_bound

# Standard deviation of a squared error between 0 and 1, and of a pair's difference, as they are
# with usual models of rare and frequent events; what is planned is an order of magnitude.
SPREAD, PAIRED_SPREAD = 0.25, 0.1
MOST = 10**9


def planned_units(mode: Mode, share: float, gain: float) -> int:
    """Units with truth, of both versions together, until a ``gain`` is certain.

    The first n at which the bound's reach is below the gain: in shadow that of one stream of
    differences between -1 and 1, else of two streams between 0 and 1 with half the error each.
    """
    import numpy as np

    def reach(n: float) -> float:
        if mode == "shadow":
            v = np.array([n * (PAIRED_SPREAD / 2) ** 2])
            return float(stitched_bound(v, ALPHA / 4, 1.0)[0]) * 2 / n
        each = []
        for part in (1 - share, share):
            m = n * part
            v = np.array([m * SPREAD**2])
            each.append(float(stitched_bound(v, ALPHA / 8, 1.0)[0]) / m)
        return sum(each)

    low, high = 1.0, 10.0
    while reach(high) > gain and high < MOST:
        high *= 2
    while high - low > 1 and high / low > 1.005:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if reach(middle) > gain else (low, middle)
    return min(MOST, math.ceil(high))
