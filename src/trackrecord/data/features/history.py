"""The events of one view, by entity, in the order in which they became known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.data.features.entities import entity_numbers
from trackrecord.data.features.plan import ViewPlan

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

KNOWN = "__known"
EVENT = "__event"


class Ruler(NamedTuple):
    """Times as small whole numbers in the same order, so that entity and time fit into one.

    By steps of ``step`` from ``low`` where that is short enough, else by rank among ``ranks``.
    """

    low: int
    step: int
    top: int
    ranks: Whole | None = None

    def at(self, times: Whole) -> Whole:
        """From 1 to ``top``; 0 for a time before the first, and between two that of the first."""
        if self.ranks is not None:
            return np.searchsorted(self.ranks, times, side="right")
        return np.clip((times - self.low) // self.step, -1, self.top - 1) + 1


def ruler(times: Whole, entities: int) -> Ruler:
    """The ruler of these times, for so many entities."""
    if not len(times):
        return Ruler(0, 1, 1)
    low, high = int(times.min()), int(times.max())
    step = int(np.gcd.reduce(times - low)) or 1
    top = (high - low) // step + 1
    if (top + 2) * (entities + 2) < 1 << 62:
        return Ruler(low, step, top)
    ranks = np.unique(times)
    return Ruler(low, step, len(ranks), ranks)


@dataclass(frozen=True, eq=False)
class History:
    """Events sorted by entity, and within an entity by when they became known.

    ``order`` leads from a place in that order to a row of ``events``. ``starts`` (entities + 1)
    bounds each entity's places. ``newest`` is, at each place, that of the latest event so far: of
    the same time the one known last, and of these the one with the greatest values, so that the
    order of rows in a file means nothing. ``tied`` events share entity and times with another,
    where that matters.
    """

    plan: ViewPlan
    entities: pl.DataFrame
    events: pl.DataFrame
    order: Whole
    starts: Whole
    known: Whole
    event: Whole
    newest: Whole
    in_order: bool
    tied: int
    ruler: Ruler
    places: Whole
    _columns: dict[str, pl.Series] = field(default_factory=dict)

    def column(self, name: str) -> pl.Series:
        """A column of the events, in this order."""
        import polars as pl

        if name not in self._columns:
            self._columns[name] = self.events[name].gather(pl.Series(self.order))
        return self._columns[name]

    @cached_property
    def event_ruler(self) -> Ruler:
        """For the events' own times."""
        return self.ruler if self.event is self.known else ruler(self.event, self.entities.height)

    @cached_property
    def event_places(self) -> Whole:
        """Entity and time of each event in one number; in ascending order where ``in_order``."""
        if self.event is self.known:
            return self.places
        width = self.event_ruler.top + 1
        numbers = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return numbers * width + self.event_ruler.at(self.event)


def make_history(plan: ViewPlan, events: pl.DataFrame, entities: pl.DataFrame) -> History:
    """Sort the ``events`` (with KNOWN and EVENT, in UTC microseconds) of these ``entities``.

    Events of other entities are left out.
    """
    numbers = entity_numbers(events, plan.by, entities)
    known = events[KNOWN].to_numpy()
    event = events[EVENT].to_numpy()
    rows = None
    if (numbers < 0).any():
        rows = np.flatnonzero(numbers >= 0)
        numbers, known, event = numbers[rows], known[rows], event[rows]
    same = plan.available is None and not plan.delay
    scale = ruler(known, entities.height)
    width = scale.top + 1
    key = numbers * width + scale.at(known)
    order = sorting(key) if plan.available is None else np.lexsort((event, key))
    key, event = key[order], event[order]
    again = (key[1:] == key[:-1]) & (event[1:] == event[:-1])
    # Which of two is the latest matters only where the latest is taken.
    ordered = any(take.how in ("latest", "last") for take in plan.takes)
    tied = int(again.sum()) if ordered else 0
    order_of_rows = order if rows is None else rows[order]
    if tied:
        order_of_rows = _settled(order_of_rows, again, events, plan)
    starts = np.searchsorted(key, np.arange(entities.height + 1) * width, side="left")
    newest, in_order = newest_so_far(event, starts)
    return History(
        plan=plan,
        entities=entities,
        events=events,
        order=order_of_rows,
        starts=starts,
        known=event if same else known[order],
        event=event,
        newest=newest,
        in_order=in_order,
        tied=tied,
        ruler=scale,
        places=key,
    )


def sorting(key: Whole) -> Whole:
    """What sorts ``key``. With the row's number in its lowest bits, where they are free, the key
    itself is sorted, which is quicker.
    """
    bits = len(key).bit_length()
    if len(key) and int(key.max()).bit_length() + bits <= 63:
        packed = (key << bits) | np.arange(len(key))
        packed.sort()
        return packed & ((1 << bits) - 1)
    return np.argsort(key, kind="stable")


def _settled(order: Whole, again: NDArray[np.bool_], events: pl.DataFrame, plan: ViewPlan) -> Whole:
    """The order, with events of the same entity and times sorted by their values."""
    import polars as pl

    run = np.concatenate([[False], again])
    tied = np.flatnonzero(run | np.concatenate([again, [False]]))
    group = np.cumsum(~run)[tied]
    part = (
        events.select(plan.columns)[order[tied]]
        .with_columns(pl.Series("__group", group), pl.Series("__row", order[tied]))
        .sort("__group", *plan.columns, maintain_order=True)
    )
    settled = order.copy()
    settled[tied] = part["__row"].to_numpy()
    return settled


def newest_so_far(event: Whole, starts: Whole) -> tuple[Whole, bool]:
    """At each place the place of the latest event so far; and whether that is always itself."""
    n = len(event)
    here = np.arange(n)
    if not n:
        return here, True
    first = np.zeros(n, bool)
    first[starts[:-1][np.diff(starts) > 0]] = True
    behind = np.zeros(n, bool)
    behind[1:] = (event[1:] < event[:-1]) & ~first[1:]
    if not behind.any():
        return here, True
    # Times shifted so that each entity's are above those of all before it: one running maximum.
    low = int(event.min())
    span = int(event.max()) - low + 1
    number = np.cumsum(first) - 1
    if (int(number[-1]) + 1) * span >= 1 << 62:
        ranks = np.unique(event)
        shifted, span = np.searchsorted(ranks, event), len(ranks) + 1
    else:
        shifted = event - low
    shifted = shifted + number * span
    newest = np.maximum.accumulate(np.where(shifted >= np.maximum.accumulate(shifted), here, 0))
    return newest, False
