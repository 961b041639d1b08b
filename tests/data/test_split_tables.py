"""Recipes for any table, and a case's split of a new kind."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.cases.split_kinds import ForwardSplit, RollingSplit, StratifiedSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.split import assign_parts
from trackrecord.data.splits.recipe import Roles, divide, recipe_digest, recipe_document
from trackrecord.data.splits.summary import shared, summarise
from trackrecord.data.splits.table import divide_table, read_recipe, with_units
from trackrecord.data.table import load_case_table
from trackrecord.errors import BadInput, DataError

from .conftest import CASE, Decode

SPLIT = CASE[CASE.index('kind = "time"') : CASE.index("[evaluation]")]


@pytest.mark.parametrize(
    "words",
    [
        'kind = "stratified"\n',
        'kind = "together"\ntogether = ["bus"]\nalike = ["load"]\n',
        'kind = "forward"\nvalidation = "2024-03-01"\ntest = "2024-04-01"\ngap_days = 3\n',
        'kind = "group_time"\nby = "bus"\nvalidation = "2024-03-01"\ntest = "2024-04-01"\n',
        'kind = "rolling"\norigin = "2024-03-01"\nfolds = 2\n',
        'kind = "nested"\ntogether = ["bus"]\n',
    ],
)
def test_a_case_may_be_split_in_each_new_way(root: Path, decode: Decode, words: str) -> None:
    case, _ = decode((SPLIT, words + "\n"))
    parts = assign_parts(load_case_table(case, root).frame, case)
    assert {"train", "validation", "test"} <= set(parts)


def test_a_recipe_written_with_its_defaults_is_the_same_recipe() -> None:
    short, long = StratifiedSplit(), StratifiedSplit(validation=0.1, test=0.25, seed=0)
    assert recipe_document(long) == {"kind": "stratified"}
    roles = Roles("id", target="late")
    assert recipe_digest(short, roles) == recipe_digest(long, roles)
    assert recipe_digest(short, roles) != recipe_digest(StratifiedSplit(seed=1), roles)


def test_without_a_unit_rows_that_say_the_same_share_a_part() -> None:
    frame = pl.DataFrame({"x": [1, 1, 2, 3] * 50, "y": ["a", "a", None, "c"] * 50})
    named, roles = with_units(frame, None, None, None, "UTC")
    parts = divide(named, read_recipe({"kind": "random"}), roles).parts
    assert named[roles.unit].n_unique() == 3
    assert shared(named, parts, "x") == 0


def test_units_that_are_missing_or_doubled_are_refused() -> None:
    frame = pl.DataFrame({"id": ["a", "a", None]})
    with pytest.raises(DataError, match="is missing in 1 rows"):
        with_units(frame, "id", None, None, "UTC")
    with pytest.raises(DataError, match="doubled ids"):
        with_units(frame.drop_nulls(), "id", None, None, "UTC")
    with pytest.raises(DataError, match="not times"):
        with_units(frame, "id", "id", None, "UTC")


def test_near_texts_stay_together_and_numbers_are_no_texts() -> None:
    said = "the bus broke down near the old bridge and we waited for an hour"
    notes = [said, said.replace("an hour", "two hours"), "Quite another thing happened today here"]
    frame = pl.DataFrame({"id": range(300), "note": notes * 100, "n": range(300)})
    roles = Roles("id")
    split = read_recipe({"kind": "together", "near": ["note"]})
    parts = divide(frame, split, roles).parts
    assert shared(frame, parts, "note") == 0
    assert parts[0] == parts[1]
    with pytest.raises(KeyedDataError, match="'n' holds no text") as caught:
        divide(frame, read_recipe({"kind": "together", "near": ["n"]}), roles)
    assert caught.value.key == "split.near"
    with pytest.raises(KeyedDataError, match="'nte' to split by"):
        divide(frame, read_recipe({"kind": "nested", "near": ["nte"]}), roles)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "grup"}, "no kind of split"),
        ({}, "no kind of split"),
        ({"kind": "random", "sed": 3}, "no recipe of the kind"),
        ({"kind": "rolling", "origin": "2024-01-01", "folds": 1}, "no recipe of the kind"),
    ],
)
def test_a_recipe_that_is_none_is_refused(document: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_recipe(document)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (ForwardSplit(validation="2024-03-01", test="2024-02-01"), "not after"),
        (ForwardSplit(validation="2024-03-01", test="2024-03-05", gap_days=9), "no day left"),
        (ForwardSplit(validation="2024-02-30", test="2024-03-05"), "not a day"),
        (RollingSplit(origin="9999-12-01"), "out of the calendar"),
        (RollingSplit(origin="2024-01-01", step_days=5, embargo_days=5), "leaves none"),
        (StratifiedSplit(test=0.5, validation=0.5), "nothing to train on"),
        (StratifiedSplit(strata=["nothing"]), "no column 'nothing'"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(split: object, said: str) -> None:
    frame = pl.DataFrame({"id": ["a"], "at": [pl.datetime(2024, 1, 1)], "late": [1]}, strict=False)
    with pytest.raises(KeyedDataError, match=said):
        divide(frame, split, Roles("id", "at", target="late"))  # type: ignore[arg-type]


def test_a_summary_counts_what_each_part_holds() -> None:
    frame = pl.DataFrame({"id": [f"u{i}" for i in range(200)], "late": [0, 1] * 100})
    roles = Roles("id", target="late")
    found = summarise(
        frame, divide_table(frame, StratifiedSplit(), roles), StratifiedSplit(), roles
    )
    assert [part.rows for part in found.parts] == [130, 20, 50]
    assert found.parts[2].classes == {"0": 25, "1": 25}
    with pytest.raises(DataError, match="part is empty"):
        divide_table(frame.head(1), StratifiedSplit(), roles)
