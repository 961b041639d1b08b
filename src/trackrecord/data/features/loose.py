"""Latest values of many rows from events as they come: no event is sorted, only the rows are.

Each event falls to the first row of its entity that may know it; of the events of a row the latest
stays, and later rows that have none of their own take it over. Asked once, that is half the work of
sorting the events; asked often, a :class:`History` is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.data.features.entities import entity_numbers
from trackrecord.data.features.history import EVENT, KNOWN, History, make_history, ruler
from trackrecord.data.features.plan import ViewPlan

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

STEPS = 8
PART = 1 << 16
NONE = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Loose:
    """Events in no order, of a view that :func:`can_be_loose`."""

    plan: ViewPlan
    entities: pl.DataFrame
    events: pl.DataFrame
    numbers: Whole

    def sorted(self) -> History:
        """The same events in order."""
        return make_history(self.plan, self.events, self.entities)


def can_be_loose(plan: ViewPlan) -> bool:
    """Whether a view asks for latest values alone, and its events become known as they happen."""
    return plan.available is None and all(take.how == "latest" for take in plan.takes)


def make_loose(plan: ViewPlan, events: pl.DataFrame, entities: pl.DataFrame) -> Loose:
    """The events (with KNOWN and EVENT) and whose they are."""
    return Loose(plan, entities, events, entity_numbers(events, plan.by, entities))


def newest_rows(loose: Loose, numbers: Whole, known: Whole) -> Whole | None:
    """The row of ``loose.events`` with the latest event known to each pair; -1 for none.

    ``numbers`` and ``known`` (m,) are sorted by both; -1 is of no entity. None where entity and
    time do not fit into one whole number: then the events have to be sorted.
    """
    times, whose = loose.events[KNOWN].to_numpy(), loose.numbers
    first = int(np.searchsorted(numbers, 0))
    scale = ruler(known[first:], loose.entities.height)
    pairs = len(numbers) - first
    if scale.ranks is not None or not pairs or not len(times):
        return None if scale.ranks is not None else np.full(len(numbers), -1)
    bits = (scale.top + 2).bit_length()
    if loose.entities.height.bit_length() + bits > 62:
        return None
    key = np.append((numbers[first:] << bits) | scale.at(known[first:]), np.iinfo(np.int64).max)
    nearby = _Nearby.of(key, loose.entities.height, bits)
    slots = np.empty(len(times), np.int32 if pairs < 1 << 31 else np.int64)
    latest = np.full(pairs + 1, NONE)
    parts = [slice(at, at + PART) for at in range(0, len(times), PART)]
    for part in parts:  # so few at a time that they stay near the processor
        moments, entity = times[part], whose[part]
        # The first moment that is not before the event; one beyond the last is nobody's.
        due = np.clip(-((scale.low - moments) // scale.step), 0, scale.top) + 1
        slot = nearby.slots((entity << bits) | due)
        slot[(entity < 0) | ((key[slot] >> bits) != entity)] = pairs
        np.maximum.at(latest, slot, moments)
        slots[part] = slot
    latest[pairs] = NONE
    winners = np.concatenate(
        [at.start + np.flatnonzero(times[at] == latest[slots[at]]) for at in parts]
    )
    there = latest[:pairs] != NONE
    newest = np.full(pairs, -1)
    if len(winners) > int(there.sum()):
        winners = _settled(loose, winners, slots[winners])
    newest[slots[winners]] = winners
    # Rows without an event of their own have that of the row before, of the same entity.
    place = np.maximum.accumulate(np.where(there, np.arange(pairs), -1))
    same = (place >= 0) & ((key[np.maximum(place, 0)] >> bits) == (key[:-1] >> bits))
    return np.concatenate([np.full(first, -1), np.where(same, newest[place], -1)])


class _Nearby(NamedTuple):
    """Leads from entity and time to a place in ``key``, which is sorted; its last is beyond all.

    A table by entity and the highest bits of the time leads near it; a few steps, to it; and where
    many rows are crowded together, a search.
    """

    key: Whole
    table: Whole
    shift: int

    @classmethod
    def of(cls, key: Whole, entities: int, bits: int) -> _Nearby:
        fine = min(bits, max(0, (2 * len(key) // max(1, entities)).bit_length()))
        counts = np.bincount(key[:-1] >> (bits - fine), minlength=entities << fine)
        return cls(key, np.concatenate([[0], np.cumsum(counts)]), bits - fine)

    def slots(self, wanted: Whole) -> Whole:
        """The first place that is not below each."""
        key = self.key
        slot: Whole = self.table[np.maximum(wanted, 0) >> self.shift]
        behind = np.flatnonzero(key[slot] < wanted)
        for _ in range(STEPS):
            if not len(behind):
                return slot
            slot[behind] += 1
            behind = behind[key[slot[behind]] < wanted[behind]]
        slot[behind] = np.searchsorted(key, wanted[behind], side="left")
        return slot


def _settled(loose: Loose, winners: Whole, slot: Whole) -> Whole:
    """Of events of one entity and time the one with the greatest values, as in a History."""
    import polars as pl

    frame = loose.events.select(loose.plan.columns)[pl.Series(winners)].with_columns(
        pl.Series("__slot", slot), pl.Series("__row", winners)
    )
    tied = frame.filter(pl.col("__slot").is_duplicated())
    last = tied.sort("__slot", *loose.plan.columns).unique("__slot", keep="last")
    alone = frame.filter(pl.col("__slot").is_unique())
    return np.concatenate([alone["__row"].to_numpy(), last["__row"].to_numpy()])


def event_times(loose: Loose, rows: Whole) -> Whole:
    """When the events of these rows happened; -1 where the row is -1."""
    if not loose.events.height:
        return np.full(len(rows), -1)
    return np.where(rows >= 0, loose.events[EVENT].to_numpy()[np.maximum(rows, 0)], -1)
