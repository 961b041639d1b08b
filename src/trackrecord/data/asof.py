"""Joins columns of another table as they were last observed before the question was asked.

"18:00 the day before" is reckoned on the wall clock of the case's time zone: the calendar day of
the unit's time there, minus one, at 18:00 there. So it holds across daylight saving, where a day
has 23 or 25 hours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.spec import AsOf
from trackrecord.data.blame import KeyedDataError
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) the (day before|same day)\Z")
_HOURS = re.compile(r"(\d+(?:\.\d+)?) hours? before\Z")


class KnownBy(msgspec.Struct, frozen=True):
    """A readable ``known_by``: minutes on the wall clock of a day, or hours before the unit."""

    text: str
    days_before: int | None = None
    minutes: int = 0
    hours: float = 0.0


class AsOfReport(msgspec.Struct, frozen=True):
    """What a join found. ``doubled`` observations shared key and time with a later row."""

    table: str
    known_by: str
    observations: int
    doubled: int
    matched: int
    unmatched: int


def parse_known_by(text: str) -> KnownBy:
    """Read ``known_by``. Raises DataError listing the forms."""
    words = " ".join(text.split())
    if found := _CLOCK.match(words):
        minutes = int(found.group(1)) * 60 + int(found.group(2))
        return KnownBy(words, 1 if found.group(3) == "day before" else 0, minutes)
    if found := _HOURS.match(words):
        return KnownBy(words, hours=float(found.group(1)))
    if words == "at the time":
        return KnownBy(words)
    raise DataError(
        f"cannot read known_by = {text!r}",
        next='write "18:00 the day before", "06:00 the same day", "3 hours before", "at the time"',
    )


def cutoffs(times: pl.Series, known_by: KnownBy, timezone: str) -> pl.Series:
    """For each unit's time (UTC) the last moment at which something could be known (UTC).

    Where the wall clock shows a moment twice, the earlier counts; where daylight saving skips it,
    the same reading an hour before does. Both err to the side of knowing less.
    """
    import polars as pl

    if known_by.days_before is None:
        return times - pl.Series([int(known_by.hours * 3_600_000_000)]).cast(pl.Duration("us"))
    local = times.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    midnight = local.dt.truncate("1d").dt.offset_by(f"-{known_by.days_before}d")
    clock = midnight.dt.offset_by(f"{known_by.minutes}m")
    # A skipped hour is the rule; Samoa once skipped a day.
    tries = [
        clock.dt.offset_by(back).dt.replace_time_zone(
            timezone, ambiguous="earliest", non_existent="null"
        )
        for back in ("0h", "-1h", "-25h")
    ]
    return pl.select(pl.coalesce(tries))[:, 0].dt.convert_time_zone("UTC").alias(times.name)


def join_asof(
    frame: pl.DataFrame,
    observed: pl.DataFrame,
    entry: AsOf,
    *,
    time: str | None,
    timezone: str,
    known_by: str | None = None,
) -> tuple[pl.DataFrame, AsOfReport]:
    """``frame`` with the entry's columns, each under ``prefix`` + its name, in the same row order.

    ``observed`` is the entry's table, in canonical kinds.

    An observation counts when its time is at or before the cutoff and at most ``max_age_hours``
    older than it; the latest such one is taken, and where none is, the columns are missing. Of
    observations with equal keys and time the last in the file counts.

    Raises
    ------
    DataError
        For columns that are not there or are there twice, keys of different kinds, text for times.
    """
    import polars as pl

    if time is None:
        raise KeyedDataError(
            f"the table {entry.table} cannot be joined as of a time",
            key="data",
            why="data.time does not say which column is the unit's time",
            next="name the time column under [data] in the case",
        )
    rule = parse_known_by(known_by or entry.known_by)
    for name in (*entry.by, entry.time, *entry.columns):
        if name not in observed.columns:
            near = suggest(name, observed.columns)
            raise DataError(
                f"{entry.table} has no column {name!r}",
                why=f"did you mean {near!r}?"
                if near
                else f"columns: {', '.join(observed.columns)}",
            )
    for name in entry.by:
        if name not in frame.columns:
            near = suggest(name, frame.columns)
            raise DataError(
                f"the column {name!r}, by which {entry.table} is joined, is not in the main table",
                why=f"did you mean {near!r}?" if near else None,
            )
    if not isinstance(observed[entry.time].dtype, pl.Datetime):
        raise DataError(
            f"the column {entry.time!r} of {entry.table} does not hold times",
            where=f"first value: {observed[entry.time].drop_nulls().head(1).to_list()}",
            next="write times like 2013-01-31T18:00:00Z",
        )
    named = {name: entry.prefix + name for name in entry.columns}
    for name in named.values():
        if name in frame.columns:
            raise DataError(
                f"the column {name!r} is in the main table and would come from {entry.table} too",
                next=f"give [[data.asof]] for {entry.table} a prefix",
            )
    frame, observed = _same_keys(frame, observed, entry)
    usable = observed.drop_nulls([*entry.by, entry.time])
    latest = usable.unique([*entry.by, entry.time], keep="last", maintain_order=True)
    right = latest.select(
        *entry.by,
        pl.col(entry.time).alias("__observed"),
        *(pl.col(n).alias(named[n]) for n in named),
    ).sort("__observed")
    left = frame.select(
        *entry.by, cutoffs(frame[time], rule, timezone).alias("__cutoff")
    ).with_row_index("__row")
    joined = (
        left.drop_nulls([*entry.by, "__cutoff"])
        .sort("__cutoff")
        .join_asof(
            right,
            left_on="__cutoff",
            right_on="__observed",
            by=entry.by or None,
            strategy="backward",
            tolerance=f"{round(entry.max_age_hours * 3_600_000_000)}us",
            check_sortedness=False,
            coalesce=False,
        )
        .select("__row", "__observed", *named.values())
    )
    found = left.select("__row").join(joined, on="__row", how="left", maintain_order="left")
    matched = found.height - found["__observed"].null_count()
    report = AsOfReport(
        table=entry.table,
        known_by=rule.text,
        observations=observed.height,
        doubled=usable.height - latest.height,
        matched=matched,
        unmatched=found.height - matched,
    )
    return frame.hstack(found.select(list(named.values())).get_columns()), report


def _same_keys(
    frame: pl.DataFrame, observed: pl.DataFrame, entry: AsOf
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keys of one kind on both sides; a whole number equals the same number stored as float."""
    import polars as pl

    for name in entry.by:
        ours, theirs = frame[name].dtype, observed[name].dtype
        if ours == theirs:
            continue
        if ours.is_numeric() and theirs.is_numeric():
            frame = frame.with_columns(pl.col(name).cast(pl.Float64))
            observed = observed.with_columns(pl.col(name).cast(pl.Float64))
            continue
        raise DataError(
            f"the column {name!r} holds different kinds of values in the main table ({ours}) "
            f"and in {entry.table} ({theirs})",
            next=f"give {name!r} a type under [data.types] in the case",
        )
    return frame, observed
