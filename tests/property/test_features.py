"""Features against a loop anyone can read: ties, nulls, late events, days of 23 and 25 hours."""

from __future__ import annotations

import datetime
import math
import random
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.asof import KnownBy, cutoffs, parse_known_by
from trackrecord.data.features.loose import Loose
from trackrecord.data.features.made import gathered, histories_of, keys_of, offline, online
from trackrecord.data.features.plan import HOW, Plan, Take, ViewPlan
from trackrecord.data.features.reading import read_events, settled
from trackrecord.data.features.spec import View

ZONE = "America/New_York"
# The days on which New York's clocks went forward and back.
SUNDAYS = (
    datetime.datetime(2024, 3, 9, 12, tzinfo=datetime.UTC),
    datetime.datetime(2024, 11, 2, 12, tzinfo=datetime.UTC),
)
HOUR = datetime.timedelta(hours=1)
MICRO = datetime.timedelta(microseconds=1)
KNOWN_BY = ("at the time", "18:00 the day before", "01:30 the same day", "2.5 hours before")
WINDOWS = (None, 6, 24)
COLUMNS = {
    "share": ["b"],
    "hours_since": ["*", "x"],
    "count": ["*", "x"],
    "last": ["x", "s"],
    "distinct": ["x", "n", "b", "s"],
}
NUMBERS = (None, 0.1, 0.2, -3.7, 5e7, 1e-9, 1.0)


class World(NamedTuple):
    """Events and rows of a few entities within some days, and what is asked of them."""

    plan: Plan
    events: pl.DataFrame
    rows: pl.DataFrame

    @property
    def view(self) -> ViewPlan:
        return self.plan.views[0]

    def made(self, events: pl.DataFrame | None = None) -> pl.DataFrame:
        frame = settled(self.events if events is None else events, self.view, "events").frame
        histories = histories_of(self.plan, [frame], keys_of(self.rows, self.plan))
        return offline(self.plan, histories, self.rows)[0]


def takes() -> list[Take]:
    found = [Take(f"latest_{column}", "latest", column) for column in ("x", "n", "b", "s")]
    found.append(Take("latest_or_7", "latest", "n", None, 7))
    for hours in WINDOWS:
        window = None if hours is None else hours * 3_600_000_000
        for how in HOW[1:]:
            columns = COLUMNS.get(how, ["x", "n"])
            found += [Take(f"{how}_{column}_{hours}", how, column, window) for column in columns]
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    chance = random.Random(draw(st.integers(0, 2**32)))
    start = draw(st.sampled_from(SUNDAYS))
    step = draw(st.sampled_from([HOUR, HOUR / 4, MICRO]))
    n, m = draw(st.integers(0, 30)), draw(st.integers(1, 12))

    def time() -> datetime.datetime | None:
        return None if chance.random() < 0.05 else start + chance.randrange(60) * step

    times = [time() for _ in range(n)]
    late = [chance.choice([None, -5, 0, 0, 1, 30]) for _ in range(n)]
    zoned = pl.Datetime("us", "UTC")
    events = pl.DataFrame(
        {
            "who": chance.choices(["a", "b", "c", None], k=n),
            "site": chance.choices([0, 1], k=n),
            "t": times,
            "seen": [
                None if t is None or h is None else t + h * step
                for t, h in zip(times, late, strict=True)
            ],
            "x": chance.choices(NUMBERS, k=n),
            "n": chance.choices([None, 1, 2, 3], k=n),
            "b": chance.choices([None, True, False], k=n),
            "s": chance.choices([None, "p", "q"], k=n),
        },
        schema={"who": pl.String, "site": pl.Int64, "t": zoned, "seen": zoned, "x": pl.Float64,
                "n": pl.Int64, "b": pl.Boolean, "s": pl.String},
    )  # fmt: skip
    if n and draw(st.booleans()):
        events = pl.concat([events, events.sample(min(n, 5), seed=1)])  # doubled
    rows = pl.DataFrame(
        {
            "who": chance.choices(["a", "b", "d", None], k=m),
            "site": chance.choices([0, 1], k=m),
            "at": [time() for _ in range(m)],
        },
        schema={"who": pl.String, "site": pl.Int64, "at": zoned},
    )
    by = draw(st.sampled_from([("who",), ("who", "site"), ("site",), ()]))
    available, delay = draw(st.sampled_from([(None, 0), (None, 3 * 3_600_000_000), ("seen", 0)]))
    max_age = draw(st.sampled_from([None, 5 * 3_600_000_000]))
    view = ViewPlan("events", by, "t", available, delay, max_age, tuple(takes()))
    rule = parse_known_by(draw(st.sampled_from(KNOWN_BY)))
    return World(Plan("made", rule, ZONE, "at", (view,)), events, rows)


def cut_of(own: datetime.datetime, rule: KnownBy) -> datetime.datetime:
    found = cutoffs(pl.Series([own], dtype=pl.Datetime("us", "UTC")), rule, ZONE)[0]
    assert isinstance(found, datetime.datetime)
    return found


def by_hand(world: World, row: dict[str, Any]) -> dict[str, Any]:
    """One row's features, event by event."""
    view = world.view
    key = [row[name] for name in view.by]
    own = row["at"]
    nobody = own is None or None in key
    before = [] if nobody else list(known_events(world, key, own))
    moment = last = own
    if own is not None:
        cut = cut_of(own, world.plan.known_by)
        moment, last = (cut, cut) if cut < own else (own, own - MICRO)
    found: dict[str, Any] = {}
    for take in view.takes:
        inside = before
        if take.window is not None:
            inside = [e for e in before if e["t"] > last - take.window * MICRO]
        value = one_by_hand(take, inside, moment, view.max_age, nobody)
        found[take.name] = take.default if value is None else value
    return found


def known_events(world: World, key: list[Any], own: datetime.datetime) -> Any:
    """Those that count, the latest last."""
    view, cut = world.view, cut_of(own, world.plan.known_by)
    counted = []
    for event in world.events.iter_rows(named=True):
        known = event["seen"] if view.available else event["t"]
        if event["t"] is None or known is None or [event[name] for name in view.by] != key:
            continue
        known = max(event["t"], known + view.delay * MICRO)
        if known <= cut if cut < own else known < own:
            values = tuple((event[c] is not None, event[c]) for c in view.columns)
            counted.append(((event["t"], known), values, event))
    counted.sort(key=lambda one: (one[0], [v if v[0] else (False,) for v in one[1]]))
    return [event for _, _, event in counted]


def one_by_hand(
    take: Take, events: list[dict[str, Any]], moment: Any, max_age: int | None, nobody: bool
) -> Any:
    if take.how == "latest":
        if not events or (max_age is not None and moment - events[-1]["t"] > max_age * MICRO):
            return None
        return events[-1][take.column]
    there = [e for e in events if take.column == "*" or e[take.column] is not None]
    values = [e.get(take.column) for e in there]
    if take.how in ("count", "distinct"):
        if nobody:
            return None
        return len(there) if take.how == "count" else len(set(values))
    if not there:
        return None
    if take.how == "last":
        return values[-1]
    if take.how == "hours_since":
        return ((moment - there[-1]["t"]) // MICRO) / 3_600_000_000
    if take.how in ("min", "max"):
        return min(values) if take.how == "min" else max(values)
    exact = [Fraction(value) for value in values]
    if take.how == "std":
        if len(exact) < 2:
            return None
        mean = sum(exact) / len(exact)
        return math.sqrt(sum((one - mean) ** 2 for one in exact) / (len(exact) - 1))
    total = float(sum(exact))
    return total if take.how == "sum" else total / len(exact)


def is_that_of_a_loop(world: World) -> None:
    made = world.made().to_dicts()
    frame = settled(world.events, world.view, "events").frame
    opened = online(world.plan, [frame])
    for found, row in zip(made, world.rows.to_dicts(), strict=True):
        assert found == by_hand(world, row)
        if row["at"] is not None:
            assert opened.at(row, row["at"]) == found


@settings(max_examples=20, deadline=None)
@given(worlds())
def test_every_feature_among_many_and_alone_is_that_of_a_loop(world: World) -> None:
    is_that_of_a_loop(world)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(worlds())
def test_every_feature_of_many_more_worlds_is_that_of_a_loop(world: World) -> None:
    is_that_of_a_loop(world)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_events_that_are_not_sorted_give_the_same_latest_values(world: World) -> None:
    latest = [take for take in world.view.takes if take.how == "latest"]
    view = world.view._replace(takes=tuple(latest), available=None)
    plan = world.plan._replace(views=(view,))
    frame = settled(world.events, view, "events").frame
    loose = gathered(plan, [frame], keys_of(world.rows, plan))
    assert isinstance(loose[0], Loose)
    whole = histories_of(plan, [frame], keys_of(world.rows, plan))
    made, ages = offline(plan, loose, world.rows)
    wanted, wanted_ages = offline(plan, whole, world.rows)
    assert made.equals(wanted)
    assert (ages[0] == wanted_ages[0]).all()


@settings(max_examples=12, deadline=None)
@given(worlds(), st.randoms())
def test_the_order_of_events_and_of_rows_means_nothing(world: World, chance: Any) -> None:
    seed = chance.randrange(2**32)
    shuffled = world.made(world.events.sample(fraction=1, shuffle=True, seed=seed))
    assert shuffled.equals(world.made())
    order = list(range(world.rows.height))
    chance.shuffle(order)
    assert world._replace(rows=world.rows[order]).made().equals(world.made()[order])


@settings(max_examples=8, deadline=None)
@given(worlds())
def test_the_types_of_a_file_mean_nothing(world: World) -> None:
    """Other widths, units, zones, encodings and row groups of the same values."""
    view = View(by=list(world.view.by), time="t", table="events")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data" / "events.parquet"
        path.parent.mkdir()
        world.events.with_columns(
            pl.col("site", "n").cast(pl.Int16),
            pl.col("who", "s").cast(pl.Categorical),
            pl.col("t").dt.cast_time_unit("ns").dt.convert_time_zone("Asia/Tokyo"),
        ).write_parquet(path, row_group_size=3)
        frame = read_events(Path(folder), view, world.view).frame
    histories = histories_of(world.plan, [frame], keys_of(world.rows, world.plan))
    assert offline(world.plan, histories, world.rows)[0].equals(world.made())


@settings(max_examples=12, deadline=None)
@given(worlds(), worlds())
def test_what_is_known_later_changes_nothing_earlier(world: World, other: World) -> None:
    times = world.rows["at"].drop_nulls()
    if not len(times):
        return
    cut = times[len(times) // 2]
    asked = (world.rows["at"] <= cut).fill_null(False)
    # Events that happened long ago, too, where it is said when each became known.
    shift = pl.col("t") - pl.col("t").min() + pl.lit(cut)
    later = other.events.with_columns(
        pl.col("t") if world.view.available else shift, seen=pl.lit(cut) + MICRO
    )
    more = world.made(pl.concat([world.events, later]))
    assert more.filter(asked).equals(world.made().filter(asked))
