"""Many tests at once, where a share of false alarms may be borne: adjusted p-values.

A screen asks which of many estimates deserve a second look. It bounds the expected share of false
ones among those picked, not the chance of any; for that see ``stepdown.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Adjusted p-values (k,), in the order of ``p`` (k,), each in [0, 1].

    Picking all with an adjusted p of at most q keeps the expected share of false ones at or under
    q (Benjamini & Hochberg 1995) where the tests are independent or depend positively, as
    overlapping slices do (Benjamini & Yekutieli 2001, thm 1.2). The i-th smallest becomes
    min over j >= i of p_(j) k / j. Raises BadInput where there is none, or one outside [0, 1].
    """
    return _stepped_up(_checked(p), 1.0)


def benjamini_yekutieli(p: ArrayLike) -> Floats:
    """As ``benjamini_hochberg``, under any dependence: times 1 + 1/2 + … + 1/k (2001, thm 1.3)."""
    checked = _checked(p)
    return _stepped_up(checked, float((1 / np.arange(1, checked.size + 1)).sum()))


def _checked(p: ArrayLike) -> Floats:
    checked = finite(p, "p-values")
    if checked.size == 0:
        raise BadInput("there is no p-value to adjust")
    if checked.min() < 0 or checked.max() > 1:
        raise BadInput("p-values must lie in [0, 1]")
    return checked


def _stepped_up(p: Floats, factor: float) -> Floats:
    order = np.argsort(p, kind="stable")[::-1]
    rank = np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(p[order] * factor * p.size / rank), 1.0)
    return adjusted
