"""Features of many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trackrecord.data.features.aggregates import aggregate
from trackrecord.data.features.asked import NEVER, last_known, moment
from trackrecord.data.features.history import History, newest_so_far, ruler, sorting
from trackrecord.data.features.loose import Loose, event_times, newest_rows
from trackrecord.data.features.plan import ANY, Take, ViewPlan

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

HOUR = 3_600_000_000
PAIRS = 4_000_000


class Pairs(NamedTuple):
    """The different pairs of entity and moment among rows, in order, and each row's pair.

    Rows that ask the same of the same entity, as all flights from one airport do on the evening
    before, are answered once.
    """

    numbers: Whole
    asked: Whole
    of_row: Whole


class Taken(NamedTuple):
    """Features of rows, a column each, and the age of the newest event in microseconds; -1 where
    none is known, or none within ``max_age``.
    """

    columns: list[pl.Series]
    ages: Whole


def pairs_of(numbers: Whole, asked: Whole, entities: int) -> Pairs:
    """From each row's entity (-1 for none) and moment (:mod:`asked`)."""
    numbers = np.where(asked == NEVER, -1, numbers)
    there = numbers >= 0
    asked = np.where(there, asked, asked.max(initial=0, where=there))
    scale = ruler(asked, entities + 1)
    width = scale.top + 1
    order = sorting(np.where(there, (numbers + 1) * width + scale.at(asked), 0))
    numbers, asked = numbers[order], asked[order]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(numbers) != 0) | (np.diff(asked) != 0)
    of_row = np.empty(len(order), np.int64)
    of_row[order] = np.cumsum(first) - 1
    return Pairs(numbers[first], asked[first], of_row)


def features_of(history: History | Loose, pairs: Pairs) -> Taken:
    """The view's features, for the rows that the pairs are of."""
    import polars as pl

    known = last_known(pairs.asked)
    if isinstance(history, Loose):
        found = newest_rows(history, pairs.numbers, known)
        if found is not None:
            ages = _ages(history.plan, pairs, event_times(history, found), found)
            index = _index(np.where(ages >= 0, found, -1)[pairs.of_row])
            takes = history.plan.takes
            columns = [finished(history.events[one.column].gather(index), one) for one in takes]
            return Taken(columns, ages[pairs.of_row])
        history = history.sorted()
    last = _last_known_place(history, pairs.numbers, known)
    newest = _at(history.newest, last)
    ages = _ages(history.plan, pairs, _at(history.event, newest), newest)
    newest = np.where(ages >= 0, newest, -1)
    columns, rows, index = [], None, pl.Series(pairs.of_row)
    for take in history.plan.takes:
        if take.how == "latest":
            if rows is None:
                rows = _index(_at(history.order, newest)[pairs.of_row])
            column = history.events[take.column].gather(rows)
        else:
            column = _windowed(history, take, pairs, known, last).gather(index)
        columns.append(finished(column, take))
    return Taken(columns, ages[pairs.of_row])


def _ages(plan: ViewPlan, pairs: Pairs, event: Whole, newest: Whole) -> Whole:
    """The age of each pair's newest event; -1 for none, and for one that is too old."""
    ages = np.where(newest >= 0, moment(pairs.asked) - event, -1)
    return ages if plan.max_age is None else np.where(ages <= plan.max_age, ages, -1)


def finished(column: pl.Series, take: Take) -> pl.Series:
    """A feature's column under its name, with its default where it is missing."""
    import polars as pl

    column = column.alias(take.name)
    if take.default is None:
        return column
    return column.to_frame().select(pl.col(take.name).fill_null(take.default))[take.name]


def _last_known_place(history: History, numbers: Whole, known: Whole) -> Whole:
    """The place of the last event known by then, of the row's entity; -1 for none."""
    last = _search(history.places, history.ruler, numbers, known) - 1
    return np.where((numbers >= 0) & (last >= _at(history.starts, numbers)), last, -1)


def _search(places: Whole, ruler: Any, numbers: Whole, times: Whole) -> Whole:
    """How many places are of earlier entities, or of this one and not after ``times``."""
    found: Whole = np.searchsorted(
        places, numbers * (ruler.top + 1) + ruler.at(times), side="right"
    )
    return found


def _at(values: Whole, places: Whole) -> Whole:
    """The values at these places; -1 where the place is -1."""
    if not len(values):
        return np.full(len(places), -1, np.int64)
    return np.where(places >= 0, values[np.maximum(places, 0)], -1)


def _index(rows: Whole) -> pl.Series:
    """Rows to gather, missing where -1."""
    import polars as pl

    found = pl.Series(rows)
    return found.set(found < 0, None).cast(pl.UInt32)


def _windowed(history: History, take: Take, pairs: Pairs, known: Whole, last: Whole) -> pl.Series:
    """One feature of each pair."""
    if take.how in ("last", "hours_since"):
        return _last_present(history, take, pairs, known, last)
    ends = last + 1
    none = last < 0
    starts = np.where(none, 0, _at(history.starts, pairs.numbers))
    if take.window is None:
        found = aggregate(take, _column(history, take), starts, ends)
    elif history.in_order:
        after = _search(
            history.event_places, history.event_ruler, pairs.numbers, known - take.window
        )
        starts = np.where(none, 0, np.maximum(starts, np.minimum(after, ends)))
        found = aggregate(take, _column(history, take), starts, ends)
    else:
        found = _late(history, take, pairs, known, starts, ends)
    if take.how in ("count", "distinct"):
        return found.set(_mask(pairs.numbers < 0), None)  # of no entity, not of none of its events
    return found


def _column(history: History, take: Take) -> pl.Series | None:
    return None if take.column == ANY else history.column(take.column)


def _mask(rows: NDArray[np.bool_]) -> pl.Series:
    import polars as pl

    return pl.Series(rows)


def _late(
    history: History, take: Take, pairs: Pairs, known: Whole, starts: Whole, ends: Whole
) -> pl.Series:
    """Where events become known in another order than they happen, a window is no slice.

    Candidates are what became known within it; those that happened before it are left out. They
    are listed one by one, some million at a time.
    """
    import polars as pl

    window = take.window or 0
    after = _search(history.places, history.ruler, pairs.numbers, known - window)
    starts = np.where(ends > 0, np.maximum(starts, np.minimum(after, ends)), 0)
    column = _column(history, take)
    total = np.concatenate([[0], np.cumsum(ends - starts)])
    found, first = [], 0
    while first < len(starts):
        until = max(first + 1, int(np.searchsorted(total, total[first] + PAIRS, side="right")) - 1)
        lengths = (ends - starts)[first:until]
        row = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(row)) - np.repeat(total[first:until] - total[first], lengths)
        place += np.repeat(starts[first:until], lengths)
        inside = history.event[place] > (known[first:until] - window)[row]
        row, place = row[inside], place[inside]
        bounds = np.searchsorted(row, np.arange(len(lengths) + 1))
        part = None if column is None else column.gather(pl.Series(place))
        found.append(aggregate(take, part, bounds[:-1], bounds[1:]))
        first = until
    return pl.concat(found) if found else aggregate(take, column, starts, ends)


def _last_present(
    history: History, take: Take, pairs: Pairs, known: Whole, last: Whole
) -> pl.Series:
    """The latest event that has a value: the value, or the hours since."""
    import polars as pl

    column = _column(history, take)
    if column is None or not column.null_count():
        newest = _at(history.newest, last)
    else:
        present = column.is_not_null().to_numpy()
        before = np.concatenate([[0], np.cumsum(present)])
        places = np.flatnonzero(present)
        newest_of, _ = newest_so_far(history.event[places], before[history.starts])
        count = before[last + 1]
        there = (last >= 0) & (count > before[_at(history.starts, pairs.numbers)])
        newest = _at(places, _at(newest_of, np.where(there, count - 1, -1)))
    event = _at(history.event, newest)
    if take.window is not None:
        newest = np.where(event > known - take.window, newest, -1)
    if take.how == "last" and column is not None:
        return column.gather(_index(newest))
    hours = pl.Series((moment(pairs.asked) - event) / HOUR)
    return hours.set(_mask(newest < 0), None)
