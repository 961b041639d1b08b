"""The moment at which a row's question is asked, and the last at which something could be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.asof import KnownBy, cutoffs

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).min


def asked_at(times: pl.Series, known_by: KnownBy, timezone: str) -> NDArray[np.int64]:
    """For each row's time (UTC microseconds) its moment, doubled, and odd where that moment counts.

    What was known *by* 18:00 the day before includes what became known at 18:00. But nothing
    counts that is of the row's own time or after it: the row itself is never in its window. Twice
    the moment plus one orders both kinds as they have to be. A missing time gives NEVER.
    """
    own = times.to_physical()
    by = cutoffs(times, known_by, timezone).to_physical()
    earlier = (by < own).fill_null(False).to_numpy()
    moment = np.where(earlier, by.fill_null(0).to_numpy(), own.fill_null(0).to_numpy())
    lost = own.is_null().to_numpy()
    return np.where(lost, NEVER, 2 * moment + earlier)


def moment(asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """The moment of the question, from which ages are counted."""
    return asked >> 1


def last_known(asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last microsecond at which an event that counts became known."""
    return (asked - 1) >> 1
