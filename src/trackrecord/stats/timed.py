"""A value's spread where rows also depend on those before and after them.

What periods add to the error (Driscoll & Kraay 1998) is read as a series, ``cosine_error``. Rows
may besides lie in clusters that return period after period: then the two variances are added and
that of independent rows, which both count, is taken off; the sum is not let below either (Cameron,
Gelbach & Miller 2011, eq. 2.11; Thompson 2011).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.dependence import cosine_error, period_sums
from trackrecord.stats.estimate import Absence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.spread import Spread

    Floats = NDArray[np.float64]


def over_time(
    spread: Spread, influence: Floats, period: NDArray[np.integer], *, metric: str
) -> Spread | Absence:
    """``spread`` of an ``influence`` (n,) whose rows were seen in ``period`` (n,), whole numbers.

    Absent under ``metric`` where there are too few periods to know their dependence.
    """
    found = cosine_error(period_sums(influence, period), metric=metric)
    if isinstance(found, Absence):
        return found
    n = influence.size
    rows = float(influence @ influence) / n**2
    both = found.se**2
    if spread.clusters is not None:
        both = max(both, spread.se**2, both + spread.se**2 - rows)
    worth = min(1.0, rows / both)
    more = worth / spread.worth
    return msgspec.structs.replace(
        spread,
        se=math.sqrt(both),
        units=min(spread.units, float(found.periods)),
        carriers=spread.carriers * more,
        sparse=spread.sparse * more,
        rows=spread.rows * more,
        worth=worth,
        periods=found.periods,
        freedom=min(spread.freedom, found.degrees),
    )
