"""A build of features as evidence: from which bytes, by which definition, how much was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.data.features.spec import Definition
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "features"
HOUR = 3_600_000_000


class Ages(msgspec.Struct, frozen=True):
    """Hours from the newest event that counts to the moment of the question: least, quantiles,
    greatest.
    """

    least: float
    q50: float
    q90: float
    q99: float
    greatest: float


class ViewReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a view gave. ``matched`` of all rows have an event that counts; the share of
    ``unmatched`` has Wilson's interval at 95 %.

    Of its ``events``, ``timeless`` ones had no time, ``keyless`` ones no entity, and ``early`` ones
    an availability before their time.
    """

    name: str
    events: int
    timeless: int = 0
    keyless: int = 0
    early: int = 0
    matched: int
    unmatched: int
    share_unmatched: float
    lo: float
    hi: float
    ages: Ages | None = None


class FeaturesPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Features were made: the definition, the rows and columns that came out, each view."""

    name: str
    tool: str
    definition: Definition
    rows: int
    columns: list[str]
    features: list[str]
    views: list[ViewReport]


def ages_of(hours: NDArray[np.float32]) -> Ages | None:
    """From the hours of all matched rows; None where there are none."""
    if not len(hours):
        return None
    found = np.quantile(hours, [0, 0.5, 0.9, 0.99, 1], method="inverted_cdf")
    return Ages(*(round(float(one), 4) for one in found))


def unmatched_share(unmatched: int, rows: int) -> tuple[float, float, float]:
    """The share and its interval; no share of no rows is 0 with the widest interval."""
    lo, hi = proportion(unmatched, rows)
    return unmatched / rows if rows else 0.0, lo, hi
