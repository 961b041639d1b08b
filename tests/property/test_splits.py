"""What every split must be: nothing shared, nothing moved, nothing at a forbidden time."""

from __future__ import annotations

import datetime
import random
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.cases.spec import GroupSplit, Part, RandomSplit, Split, TimeSplit
from trackrecord.cases.split_kinds import (
    ForwardSplit,
    GroupTimeSplit,
    NestedSplit,
    RollingSplit,
    StratifiedSplit,
    TogetherSplit,
)
from trackrecord.data.sources import read_table
from trackrecord.data.splits.recipe import Divided, Roles, divide, parts_digest
from trackrecord.data.splits.together import together_keys

ROLES = Roles("id", "at", "America/New_York", "kind")
DAY0 = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
SPAN = 200
TOWNS = ["Ny", "NY ", "n.y.", "Bern", "Rom", "ROM!", None]


@st.composite
def tables(draw: st.DrawFn, least: int = 1) -> pl.DataFrame:
    """Up to 80 rows by a seed: drawn value by value they would take most of the time."""
    rows, seed = draw(st.integers(least, 80)), draw(st.integers(0, 2**32))
    chance = random.Random(seed)
    odd = ["", " ", "é", "\n", "'", "ß", "0"]
    hours = [chance.choice([None, chance.randrange(24 * SPAN)]) for _ in range(rows)]
    users = [chance.choice([None, *range(10)]) for _ in range(rows)]
    return pl.DataFrame(
        {
            "id": [f"{chance.choice(odd)}u{number}u{chance.choice(odd)}" for number in range(rows)],
            "at": pl.Series(
                [None if h is None else DAY0 + datetime.timedelta(hours=h) for h in hours],
                dtype=pl.Datetime("us", "UTC"),
            ),
            "user": pl.Series(users, dtype=pl.Int64),
            "device": pl.Series(chance.choices([None, *"abcdefgh"], k=rows), dtype=pl.String),
            "town": pl.Series(chance.choices(TOWNS, k=rows), dtype=pl.String),
            "size": [chance.uniform(-1e6, 1e6) for _ in range(rows)],
            "kind": chance.choices(["yes", "no", "may"], k=rows),
            "note": pl.Series([_note(chance) for _ in range(rows)], dtype=pl.String),
        }
    )


def _note(chance: random.Random) -> str | None:
    """One of four sentences with up to two of its words changed, too few words, or none."""
    first = chance.choice("abcd")
    words = [f"{first}{place}" for place in range(14)]
    for _ in range(chance.randrange(3)):
        words[chance.randrange(14)] = chance.choice(["Other!", "new", ""])
    return chance.choice([" ".join(words), " ".join(words), "too short", None])


def part(first: str, last: str) -> Part:
    return Part(first=first, last=last)


STILL: list[Split] = [
    RandomSplit(seed=3),
    GroupSplit(by="user"),
    TogetherSplit(together=["user"]),
    TogetherSplit(alike=["town", "size"], digits=2),
    TimeSplit(
        train=part("2024-01-01", "2024-02-29"),
        validation=part("2024-03-01", "2024-03-31"),
        test=part("2024-04-01", "9999-12-31"),
    ),
    ForwardSplit(validation="2024-03-01", test="2024-04-01", gap_days=7, embargo_days=2),
    GroupTimeSplit(by="user", validation="2024-03-01", test="2024-04-01", gap_days=3),
    RollingSplit(origin="2024-02-01", folds=4, step_days=20, train_days=40, gap_days=5),
    NestedSplit(together=["user"]),
]
MOVING: list[Split] = [
    StratifiedSplit(),
    StratifiedSplit(strata=["device", "kind"]),
    TogetherSplit(together=["user", "device"], alike=["town"]),
    TogetherSplit(together=["user"], near=["note"], near_share=0.5),
    NestedSplit(together=["device"], alike=["town"], near=["note"]),
]
every = pytest.mark.parametrize("split", [*STILL, *MOVING], ids=lambda s: str(s)[:60])


def placed(frame: pl.DataFrame, divided: Divided) -> dict[str, tuple[object, ...]]:
    rows = pl.DataFrame([frame["id"], divided.parts, *divided.folds.get_columns()]).rows()
    return {row[0]: row[1:] for row in rows}


@every
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_split_is_unchanged_by_the_order_of_rows(split: Split, data: st.DataObject) -> None:
    frame = data.draw(tables())
    shuffled = frame.sample(fraction=1, shuffle=True, seed=data.draw(st.integers(0, 99)))
    one, other = divide(frame, split, ROLES), divide(shuffled, split, ROLES)
    assert placed(frame, one) == placed(shuffled, other)
    assert parts_digest(frame, one, "id") == parts_digest(shuffled, other, "id")


@every
@settings(max_examples=4, deadline=None)
@given(st.data())
def test_a_split_is_unchanged_by_the_format_of_the_file(split: Split, data: st.DataObject) -> None:
    frame = data.draw(tables()).with_columns(
        "r" + pl.int_range(pl.len()).cast(pl.String).alias("id")
    )
    found = []
    with TemporaryDirectory() as folder:
        for name in ("t.csv", "t.parquet", "t.arrow"):
            path = Path(folder) / name
            if name == "t.csv":
                frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(path)
            elif name == "t.parquet":
                frame.write_parquet(path)
            else:
                frame.write_ipc(path)
            read = read_table(path)
            if read["at"].null_count() == read.height or read["user"].null_count() == read.height:
                return  # no column of times, or of users, is left in a file of text
            found.append(parts_digest(read, divide(read, split, ROLES), "id"))
    assert len(set(found)) == 1


@pytest.mark.parametrize("split", STILL, ids=lambda s: str(s)[:60])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_added_rows_move_nobody(split: Split, data: st.DataObject) -> None:
    frame = data.draw(tables(least=2))
    some = frame.head(data.draw(st.integers(1, frame.height - 1)))
    before, after = (
        placed(some, divide(some, split, ROLES)),
        placed(frame, divide(frame, split, ROLES)),
    )
    assert all(after[unit] == before[unit] for unit in before)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_rows_added_to_one_stratum_move_nobody_in_another_and_few_in_their_own(
    data: st.DataObject,
) -> None:
    frame = data.draw(tables(least=2))
    split = StratifiedSplit()
    others = frame.filter(pl.col("kind") != "yes")
    own = frame.filter(pl.col("kind") == "yes")
    some = pl.concat([others, own.head(data.draw(st.integers(0, own.height)))])
    before, after = (
        placed(some, divide(some, split, ROLES)),
        placed(frame, divide(frame, split, ROLES)),
    )
    moved = [unit for unit in before if before[unit] != after[unit]]
    assert not set(moved) & set(others["id"])
    assert len(moved) <= 2 * (frame.height - some.height + 1)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_every_stratum_has_its_shares(frame: pl.DataFrame) -> None:
    parts = divide(frame, StratifiedSplit(), ROLES).parts
    for kind in frame["kind"].unique():
        here = parts.filter(frame["kind"] == kind)
        n, test = len(here), int((here == "test").sum())
        assert abs(test - 0.25 * n) <= 1
        if n >= 3:
            assert here.n_unique() == 3


def no_value_in_two(frame: pl.DataFrame, parts: pl.Series, column: str) -> None:
    rows = pl.DataFrame([frame[column].alias("value"), parts.alias("part")]).drop_nulls()
    sides = rows.group_by("value").agg(pl.col("part").n_unique())["part"]
    assert sides.max() in (None, 1)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_no_group_is_in_two_parts_nor_in_two_folds(frame: pl.DataFrame) -> None:
    for split in (
        GroupSplit(by="user"),
        GroupTimeSplit(by="user", validation="2024-03-01", test="2024-04-01"),
        TogetherSplit(together=["user", "device"]),
    ):
        no_value_in_two(frame, divide(frame, split, ROLES).parts, "user")
    both = divide(frame, TogetherSplit(together=["user", "device"]), ROLES).parts
    no_value_in_two(frame, both, "device")
    nested = divide(frame, NestedSplit(together=["user", "device"]), ROLES)
    for fold in ("outer", "inner"):
        no_value_in_two(frame, nested.folds[fold], "user")
        no_value_in_two(frame, nested.folds[fold], "device")


@settings(max_examples=25, deadline=None)
@given(tables(), st.integers(0, 20), st.integers(0, 5), st.integers(0, 60))
def test_no_row_is_trained_on_at_a_forbidden_time(
    frame: pl.DataFrame, gap: int, embargo: int, back: int
) -> None:
    day = frame["at"].dt.convert_time_zone("America/New_York").dt.date()
    cut, later = datetime.date(2024, 3, 1), datetime.date(2024, 4, 1)
    words = {"validation": "2024-03-01", "test": "2024-04-01"}
    off, held = datetime.timedelta(gap), datetime.timedelta(embargo)
    for split in (
        ForwardSplit(**words, gap_days=gap, embargo_days=embargo),
        GroupTimeSplit(by="user", **words, gap_days=gap, embargo_days=embargo),
    ):
        parts = divide(frame, split, ROLES).parts
        assert all(d < cut - off for d in day.filter(parts == "train"))
        assert all(cut + held <= d < later - off for d in day.filter(parts == "validation"))
        assert all(later + held <= d for d in day.filter(parts == "test"))
        assert parts.filter(day.is_null()).null_count() == day.null_count()
    rolling = RollingSplit(
        origin="2024-02-01",
        step_days=21,
        folds=3,
        gap_days=gap,
        embargo_days=embargo,
        train_days=back,
    )
    found = divide(frame, rolling, ROLES)
    for number, fold in enumerate(found.folds.get_columns()):
        origin = datetime.date(2024, 2, 1) + datetime.timedelta(21 * number)
        trained, tested = day.filter(fold == "train"), day.filter(fold == "test")
        assert all(d < origin - off for d in trained)
        assert not back or all(d >= origin - off - datetime.timedelta(back) for d in trained)
        assert all(origin + held <= d < origin + datetime.timedelta(21) for d in tested)
    last = {name: day.filter(found.parts == name) for name in ("train", "validation", "test")}
    for earlier, after in (("train", "validation"), ("validation", "test")):
        if len(last[earlier]) and len(last[after]):
            assert last[after].min() - last[earlier].max() > off  # type: ignore[operator]


@settings(max_examples=25, deadline=None)
@given(tables())
def test_rows_that_are_joined_by_a_chain_share_a_key(frame: pl.DataFrame) -> None:
    """Against a union-find of loops, in plain Python."""
    split = TogetherSplit(together=["user", "device"], alike=["town"])
    keys = together_keys(frame, "id", split).to_list()
    parent = list(range(frame.height))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    bare = [
        None if town is None else "".join(c for c in town.lower() if c.isalnum())
        for town in frame["town"]
    ]
    for values in (frame["user"].to_list(), frame["device"].to_list(), bare):
        seen: dict[object, int] = {}
        for row, value in enumerate(values):
            if value is not None:
                parent[root(row)] = root(seen.setdefault(value, row))
    same = [root(row) for row in range(frame.height)]
    assert len(set(zip(keys, same, strict=True))) == len(set(keys)) == len(set(same))


@settings(max_examples=25, deadline=None)
@given(tables(), st.sampled_from([0.3, 0.6, 0.9]))
def test_no_two_texts_that_are_near_are_parted(frame: pl.DataFrame, share: float) -> None:
    """Against each text compared with each, in plain Python."""
    split = TogetherSplit(near=["note"], near_share=share, validation=0.3, test=0.3)
    parts = divide(frame, split, ROLES).parts.to_list()
    words = [re.findall(r"\w+", (note or "").lower()) for note in frame["note"]]
    runs = [{tuple(one[i : i + 3]) for i in range(len(one) - 2)} for one in words]
    for i, one in enumerate(runs):
        for j, other in enumerate(runs[:i]):
            long = min(len(words[i]), len(words[j])) >= 5
            if long and len(one & other) >= share * len(one | other):
                assert parts[i] == parts[j]
