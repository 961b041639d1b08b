from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trackrecord.cases.spec import GroupSplit, RandomSplit
from trackrecord.data.split import assign_parts, split_digest
from trackrecord.data.table import load_case_table
from trackrecord.errors import DataError

from .conftest import CASE, Decode

RANDOM = CASE[CASE.index('kind = "time"') : CASE.index("[evaluation]")]


def units(n: int, groups: list[str | None] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [f"u{i}" for i in range(n)], "bus": groups or ["b"] * n},
        schema_overrides={"bus": pl.String},
    )


def test_a_time_split_follows_the_local_calendar(root: Path, decode: Decode) -> None:
    case, _ = decode()
    edges = ["2024-02-29T22:59:59", "2024-02-29T23:00:00", "2024-03-31T21:59:59",
             "2024-03-31T22:00:00", "2024-05-31T21:59:59", "2024-05-31T22:00:00"]  # fmt: skip
    times = [datetime.fromisoformat(edge).replace(tzinfo=UTC) for edge in edges]
    frame = pl.DataFrame(
        {"id": list("abcdef"), "leaves": pl.Series(times, dtype=pl.Datetime("us", "UTC"))}
    )
    assert assign_parts(frame, case).to_list() == [
        "train", "validation", "validation", "test", "test", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('first = "2024-03-01"', 'first = "2024-02-29"', "train .* and validation .* overlap"),
        ('first = "2024-04-01"', 'first = "2024-03-01"', "validation .* and test .* overlap"),
        ('last = "2024-02-29"', 'last = "2024-02-30"', "is not a day of the calendar"),
        ('last = "2024-02-29"', 'last = "2023-12-30"', "ends before it begins"),
        (
            'first = "2024-04-01", last = "2024-05-31"',
            'first = "2025-04-01", last = "2025-05-31"',
            "the test part is empty",
        ),
        ('time = "leaves"\n', "", "needs data.time"),
    ],
)
def test_a_time_split_that_makes_no_sense_is_refused(
    root: Path, decode: Decode, old: str, new: str, said: str
) -> None:
    case, _ = decode((old, new))
    table = load_case_table(case, root)
    with pytest.raises(DataError, match=said):
        assign_parts(table.frame, case)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.45), st.floats(0.05, 0.45), st.integers(300, 600))
def test_a_random_split_is_a_partition_that_added_rows_do_not_move(
    seed: int, validation: float, test: float, rows: int
) -> None:
    case = decode_plain()
    split = RandomSplit(validation=validation, test=test, seed=seed)
    frame = units(rows)
    parts = assign_parts(frame, case, split)
    assert parts.null_count() == 0
    assert set(parts) == {"train", "validation", "test"}
    again = assign_parts(frame.reverse(), case, split).reverse()
    assert again.to_list() == parts.to_list()
    fewer = assign_parts(frame.head(280), case, split)
    assert fewer.to_list() == parts.head(280).to_list()


def decode_plain():  # type: ignore[no-untyped-def]
    from trackrecord.cases.reader import decode_case

    return decode_case(CASE, "case.toml")[0]


def test_shares_are_about_what_was_asked() -> None:
    parts = assign_parts(units(20_000), decode_plain(), RandomSplit(validation=0.1, test=0.25))
    assert abs((parts == "test").mean() - 0.25) < 0.015  # type: ignore[operator]
    assert abs((parts == "validation").mean() - 0.1) < 0.01  # type: ignore[operator]


def test_the_hash_is_the_documented_one() -> None:
    frame = units(500)
    parts = assign_parts(frame, decode_plain(), RandomSplit(seed=4))
    for name, part in zip(frame["id"], parts, strict=True):
        first = hashlib.sha256(f"4\n{name}".encode()).digest()[:8]
        share = (int.from_bytes(first, "big") >> 11) / 2**53
        assert part == ("test" if share < 0.25 else "validation" if share < 0.35 else "train")


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.none() | st.integers(0, 80).map(str), min_size=200, max_size=400),
)
def test_a_group_is_never_on_both_sides(seed: int, groups: list[str | None]) -> None:
    frame = units(len(groups), groups)
    try:
        parts = assign_parts(frame, decode_plain(), GroupSplit(by="bus", seed=seed))
    except DataError:
        assume(False)
    sides = (
        frame.with_columns(parts).drop_nulls("bus").group_by("bus").agg(pl.col("part").n_unique())
    )
    assert sides["part"].max() in (1, None)


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(DataError, match="leave nothing to train on"):
        assign_parts(units(100), decode_plain(), RandomSplit(validation=0.5, test=0.5))


def test_too_few_rows_leave_a_part_empty() -> None:
    with pytest.raises(DataError, match="part is empty"):
        assign_parts(units(2), decode_plain(), RandomSplit())


def test_the_split_digest_is_made_as_documented(root: Path, decode: Decode) -> None:
    case, _ = decode()
    table = load_case_table(case, root)
    parts = assign_parts(table.frame, case)
    found = split_digest(table, parts, case)
    assert found.kind == "time"
    test = table.frame.filter(parts == "test").sort("id")
    lines = "".join(f"{len(i)} {i}\n" for i in test["id"])
    assert found.parts["test"].ids == hashlib.sha256(lines.encode()).hexdigest()
    assert found.parts["test"].rows == test.height
    assert found.parts["test"].positives == int(test["truth"].sum())
    assert found.parts["train"].first == "2024-01-01T05:30:00Z"
    assert sum(part.rows for part in found.parts.values()) == parts.count()


def test_the_split_digest_ignores_row_order_and_sees_a_moved_row_and_a_changed_truth(
    root: Path, decode: Decode
) -> None:
    case, _ = decode()
    table = load_case_table(case, root)
    parts = assign_parts(table.frame, case)
    before = split_digest(table, parts, case)

    def again(frame: pl.DataFrame, parts: pl.Series):  # type: ignore[no-untyped-def]
        return split_digest(type(table)(frame, {}, []), parts, case)

    assert again(table.frame.reverse(), parts.reverse()) == before
    row = parts.to_list().index("test")
    moved = pl.Series([*parts[:row], "train", *parts[row + 1 :]])
    assert again(table.frame, moved).digest != before.digest
    flipped = table.frame.with_columns(
        truth=pl.Series([*table.truth[:row], 1 - table.truth[row], *table.truth[row + 1 :]])
    )
    after = again(flipped, parts)
    assert after.parts["test"].truth != before.parts["test"].truth
    assert after.digest == before.digest


def test_ids_with_line_breaks_cannot_pass_for_others() -> None:
    from trackrecord.data.table import CaseTable

    case = decode_plain()
    case = type(case)(
        **{**{f: getattr(case, f) for f in case.__struct_fields__}, "split": RandomSplit()}
    )
    digests = []
    for ids in (["a\nb", "c"], ["a", "b\nc"]):
        frame = pl.DataFrame(
            {
                "id": ids,
                "truth": [0, 1],
                "leaves": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(0)] * 2,
            }
        )
        parts = pl.Series(["train", "train"])
        digests.append(split_digest(CaseTable(frame, {}, []), parts, case).digest)
    assert digests[0] != digests[1]
