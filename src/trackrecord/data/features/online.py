"""Features of one row: a view is opened once, and then answers entity by entity."""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from trackrecord.data.asof import cutoffs
from trackrecord.data.features.aggregates import one_aggregate
from trackrecord.data.features.history import History
from trackrecord.data.features.plan import ANY, Plan, Take
from trackrecord.errors import BadInput, suggest

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR = 3_600_000_000
DAYS = 10_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Answer(NamedTuple):
    """One row's features, and for each view when its newest event happened and became known."""

    values: dict[str, Any]
    event: dict[str, int | None]
    known: dict[str, int | None]


class OpenFeatures:
    """The histories of a plan's views, ready to answer for one entity at one moment."""

    def __init__(self, plan: Plan, histories: list[History]) -> None:
        self.plan = plan
        self._views = [_OpenView(history) for history in histories]
        self._zone = ZoneInfo(plan.timezone)
        self._days: dict[datetime.date, int] = {}
        self.keys = {
            name: history.entities.schema[name] for history in histories for name in history.plan.by
        }

    def at(self, entity: Mapping[str, Any], time: datetime.datetime) -> dict[str, Any]:
        """The features of an entity whose row has this time; a value or None for each.

        Raises BadInput where a key is missing, or the time has no offset.
        """
        return self.answer(entity, time).values

    def answer(self, entity: Mapping[str, Any], time: datetime.datetime) -> Answer:
        """The same, and from which events."""
        if time.tzinfo is None:
            raise BadInput(
                "the time of a row needs an offset", next="write it like 2013-01-31T18:00:00Z"
            )
        return self.asked(entity, self._asked((time - _EPOCH) // _MICROSECOND))

    def asked(self, entity: Mapping[str, Any], asked: int) -> Answer:
        """The same for a moment as :func:`asked.asked_at` gives it."""
        for name in self.plan.keys:
            if name not in entity:
                near = suggest(name, list(entity))
                raise BadInput(
                    f"the entity has no {name!r}",
                    why=f"did you mean {near!r}?" if near else f"keys: {', '.join(self.plan.keys)}",
                )
        values: dict[str, Any] = {}
        event: dict[str, int | None] = {}
        known: dict[str, int | None] = {}
        for view in self._views:
            event[view.name], known[view.name] = view.answer(entity, asked, values)
        return Answer(values, event, known)

    def _asked(self, micros: int) -> int:
        rule = self.plan.known_by
        if rule.days_before is None:
            back = int(rule.hours * HOUR)
            return 2 * (micros - back) + (back > 0)
        # All rows of a day on the wall clock have one moment, unless it is after their own time.
        day = (_EPOCH + micros * _MICROSECOND).astimezone(self._zone).date()
        by = self._days.get(day)
        if by is None:
            import polars as pl

            one = pl.Series([micros]).cast(pl.Datetime("us", "UTC"))
            by = int(cutoffs(one, rule, self.plan.timezone).to_physical()[0])
            if len(self._days) >= DAYS:
                self._days.clear()
            self._days[day] = by
        return 2 * by + 1 if by < micros else 2 * micros


class _OpenView:
    """One view's history as Python looks things up: a dictionary of entities, plain lists."""

    def __init__(self, history: History) -> None:
        self.plan, self.name = history.plan, history.plan.name
        self._history = history
        by = history.plan.by
        rows = history.entities.select(by).rows() if by else [()]
        self._numbers = {row: number for number, row in enumerate(rows)}
        self._starts = history.starts.tolist()
        self._latest = [take for take in history.plan.takes if take.how == "latest"]
        self._others = [take for take in history.plan.takes if take.how != "latest"]
        self._empty = {take.name: take.default for take in self._latest}

    def answer(
        self, entity: Mapping[str, Any], asked: int, values: dict[str, Any]
    ) -> tuple[int | None, int | None]:
        """Put the view's features into ``values``; the newest event's time, and when known."""
        history, moment, last_known = self._history, asked >> 1, (asked - 1) >> 1
        key = tuple(entity[name] for name in self.plan.by)
        number = self._numbers.get(key, -1)
        first = until = 0
        if number >= 0:
            first, end = self._starts[number], self._starts[number + 1]
            until = bisect_right(history.known, last_known, first, end)
        newest = int(history.newest[until - 1]) if until > first else -1
        oldest = None if self.plan.max_age is None else moment - self.plan.max_age
        if newest >= 0 and oldest is not None and int(history.event[newest]) < oldest:
            newest = -1
        if newest < 0:
            values.update(self._empty)
        elif self._latest:
            row = int(history.order[newest])
            for take in self._latest:
                found = history.events[take.column][row]
                values[take.name] = take.default if found is None else found
        nobody = None in key
        for take in self._others:
            found = None if nobody else self._other(take, first, until, moment, last_known)
            values[take.name] = take.default if found is None else found
        if newest < 0:
            return None, None
        return int(history.event[newest]), int(history.known[newest])

    def _other(self, take: Take, first: int, until: int, moment: int, last_known: int) -> Any:
        history = self._history
        event: NDArray[np.int64] = history.event[first:until]
        inside = np.ones(len(event), bool)
        if take.window is not None:
            inside = event > last_known - take.window
        column = None
        if take.column != ANY:
            column = history.column(take.column).slice(first, until - first)
            inside = inside & column.is_not_null().to_numpy()
        if take.how in ("last", "hours_since"):
            if not inside.any():
                return None
            event, places = event[inside], np.flatnonzero(inside)
            place = len(event) - 1 - int(event[::-1].argmax())  # of equal times the last
            if take.how == "hours_since":
                return (moment - int(event[place])) / HOUR
            return column[int(places[place])] if column is not None else None
        if column is None:
            return int(inside.sum())
        import polars as pl

        return one_aggregate(take, column.filter(pl.Series(inside)).to_list())
