"""Splits by the days of the calendar, in the time zone of the case."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from trackrecord.cases.spec import Part, TimeSplit
from trackrecord.cases.split_kinds import ForwardSplit, GroupTimeSplit, RollingSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.splits.hashed import group_keys, parts_of, require, shares

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.splits.recipe import Roles

PARTS = ("train", "validation", "test")
Span = tuple[datetime.date | None, datetime.date | None]


def days_of(frame: pl.DataFrame, roles: Roles) -> pl.Series:
    """The calendar day of each row, null where it has no time.

    Raises KeyedDataError where no column says the time, or it is not one.
    """
    import polars as pl

    if roles.time is None:
        raise KeyedDataError(
            "a split by time needs data.time",
            key="split",
            next="name the time column under [data], or split at random",
        )
    require(frame, roles.time, "data.time")
    column = frame[roles.time]
    if column.dtype == pl.Date:
        return column
    if not isinstance(column.dtype, pl.Datetime):
        raise KeyedDataError(
            f"the time column {roles.time!r} does not hold times",
            key="data.time",
            why="a time is written like 2013-01-31T18:00:00Z, 2013-01-31T18:00 or 2013-01-31",
        )
    if column.dtype.time_zone is None:
        column = column.dt.replace_time_zone("UTC")
    return column.dt.convert_time_zone(roles.timezone).dt.date()


def split_spans(split: TimeSplit) -> dict[str, tuple[datetime.date, datetime.date]]:
    """First and last day of each part, checked to be dates in order that do not overlap.

    Raises KeyedDataError at a key such as ``split.train.first``.
    """
    spans = {}
    for name in PARTS:
        part: Part = getattr(split, name)
        days = [
            calendar_day(getattr(part, end), f"split.{name}.{end}") for end in ("first", "last")
        ]
        if days[0] > days[1]:
            raise KeyedDataError(
                f"the {name} part ends before it begins: {days[0]} to {days[1]}",
                key=f"split.{name}",
            )
        spans[name] = (days[0], days[1])
    for (one, a), (other, b) in pairwise(sorted(spans.items(), key=lambda item: item[1])):
        if b[0] <= a[1]:
            raise KeyedDataError(
                f"the parts {one} ({a[0]} to {a[1]}) and {other} ({b[0]} to {b[1]}) overlap",
                key=f"split.{other}",
                why="both ends are inclusive, and a row in two parts is trained on and tested on",
                next=f"let {other} begin after {a[1]}",
            )
    return spans


def calendar_day(text: str, key: str) -> datetime.date:
    """A day as written; KeyedDataError at ``key`` where the calendar has none."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise KeyedDataError(f"{text} is not a day of the calendar", key=key) from None


def forward_spans(split: ForwardSplit | GroupTimeSplit) -> dict[str, Span]:
    """First day and the day after the last of each part; None is without end."""
    first = calendar_day(split.validation, "split.validation")
    second = calendar_day(split.test, "split.test")
    gap, embargo = _days(split.gap_days), _days(split.embargo_days)
    with within_calendar():
        spans: dict[str, Span] = {
            "train": (None, first - gap),
            "validation": (first + embargo, second - gap),
            "test": (second + embargo, None),
        }
        begin, end = spans["validation"]
    if begin is not None and end is not None and begin >= end:
        raise KeyedDataError(
            f"validation from {first} to {second} has no day left"
            if first < second
            else f"the test begins on {second}, not after the validation's {first}",
            key="split.validation",
            why=f"a gap of {split.gap_days} and an embargo of {split.embargo_days} days are taken "
            "from it"
            if first < second
            else "a model is used on what comes after its training: test it so",
            next="let the test begin later",
        )
    return spans


def rolling_spans(split: RollingSplit) -> list[dict[str, Span]]:
    """The spans of each fold: ``train`` and ``test``, ends being the day after the last."""
    origin = calendar_day(split.origin, "split.origin")
    gap, embargo = _days(split.gap_days), _days(split.embargo_days)
    if split.embargo_days >= split.step_days:
        raise KeyedDataError(
            f"an embargo of {split.embargo_days} days leaves none of {split.step_days} to test on",
            key="split.embargo_days",
            next="make step_days longer",
        )
    folds: list[dict[str, Span]] = []
    with within_calendar():
        for fold in range(split.folds):
            start = origin + fold * _days(split.step_days)
            back = start - gap - _days(split.train_days) if split.train_days else None
            folds.append(
                {
                    "train": (back, start - gap),
                    "test": (start + embargo, start + _days(split.step_days)),
                }
            )
    return folds


def case_spans(split: RollingSplit) -> dict[str, Span]:
    """A rolling origin as one case: the last fold tests, the one before it validates.

    Training and validation both end a gap before what comes next.
    """
    folds = rolling_spans(split)
    begin, end = folds[-2]["test"]
    assert end is not None
    return {
        "train": folds[-2]["train"],
        "validation": (begin, end - _days(split.gap_days)),
        "test": folds[-1]["test"],
    }


def between(days: pl.Series, spans: dict[str, Any]) -> pl.Series:
    """A part for each day; null for one in no span. Ends are the day after the last."""
    import polars as pl

    day = pl.lit(days)
    chain: Any = pl.when(pl.lit(False)).then(pl.lit(None, dtype=pl.String))
    for name, (first, end) in spans.items():
        inside = day.is_not_null()
        if first is not None:
            inside = inside & (day >= first)
        if end is not None:
            inside = inside & (day < end)
        chain = chain.when(inside).then(pl.lit(name))
    return pl.select(chain.otherwise(None).alias("part"))[:, 0]


def by_spans(frame: pl.DataFrame, split: TimeSplit, roles: Roles) -> pl.Series:
    """Spans of days, both ends included."""
    spans = split_spans(split)
    ends = {
        name: (first, None if last == datetime.date.max else last + _days(1))
        for name, (first, last) in spans.items()
    }
    return between(days_of(frame, roles), ends)


def by_group_and_time(frame: pl.DataFrame, split: GroupTimeSplit, roles: Roles) -> pl.Series:
    """The part that a row's group and its day agree on; null where they do not."""
    import polars as pl

    keys = group_keys(frame, split.by, roles.unit)
    share = shares(keys, split.seed)
    whose = parts_of(share, split.validation_groups, split.test_groups)
    when = between(days_of(frame, roles), forward_spans(split))
    return pl.select(pl.when(whose == when).then(when).alias("part"))[:, 0]


def _days(number: int) -> datetime.timedelta:
    return datetime.timedelta(days=number)


class within_calendar:
    """Days before the year 1 or after 9999 are a KeyedDataError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, OverflowError):
            raise KeyedDataError(
                "the split leads out of the calendar", key="split", next="ask for fewer days"
            ) from None
