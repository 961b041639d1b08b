"""Slices by value and by condition; missing values, rare values and hostile texts."""

from __future__ import annotations

import polars as pl
import pytest

from trackrecord.errors import BadInput
from trackrecord.evaluation.slices import Slice, slice_names, slices_of


def cut(values: list[object], text: str, *, name: str = "x", most: int = 20) -> list[Slice]:
    return slices_of(pl.DataFrame({f"slice.{name}": values}), text, most=most)


def brief(slices: list[Slice]) -> dict[str, list[int]]:
    return {part.value: part.rows.tolist() for part in slices}


def test_a_column_makes_a_slice_of_each_value_in_natural_order() -> None:
    assert brief(cut([10, 9, 10, 2], "x")) == {"2": [3], "9": [1], "10": [0, 2]}


def test_missing_values_are_a_slice_of_their_own() -> None:
    found = cut(["missing", None, "a"], "x")
    assert [(part.value, part.kind, part.rows.tolist()) for part in found] == [
        ("a", "value", [2]),
        ("missing", "value", [0]),
        ("missing", "missing", [1]),
    ]


def test_nan_is_missing() -> None:
    assert brief(cut([1.5, float("nan"), 0.0], "x > 1")) == {
        "yes": [0],
        "no": [2],
        "missing": [1],
    }


def test_rare_values_share_a_slice_that_says_how_many_they_are() -> None:
    found = cut(["a", "b", "b", "c", "d", "d", "d"], "x", most=3)
    assert [(part.value, part.kind, part.values) for part in found] == [
        ("b", "value", 1),
        ("d", "value", 1),
        ("the other 2 values", "rest", 2),
    ]
    assert found[-1].rows.tolist() == [0, 3]


def test_as_many_values_as_there_is_room_for_need_no_rest() -> None:
    assert [part.kind for part in cut(["a", "b", "c"], "x", most=3)] == ["value"] * 3
    assert [part.kind for part in cut(["a", "b", "c"], "x", most=1)] == ["rest"]


@pytest.mark.parametrize(
    ("operator", "rows"),
    [(">", [2]), (">=", [1, 2]), ("<", [0]), ("<=", [0, 1]), ("==", [1]), ("=", [1])],
)
def test_a_condition_on_numbers_makes_yes_and_no(operator: str, rows: list[int]) -> None:
    found = brief(cut([1, 2, 3], f"x {operator} 2"))
    assert found["yes"] == rows
    assert sorted(found["yes"] + found["no"]) == [0, 1, 2]


def test_a_condition_that_no_row_meets_is_shown_empty() -> None:
    assert brief(cut([1, 2], "x > 5")) == {"yes": [], "no": [0, 1]}


def test_conditions_on_text_and_booleans_are_equalities() -> None:
    assert brief(cut(["a", "b"], 'x == "a"'))["yes"] == [0]
    assert brief(cut(["a", "b c"], "x != b c"))["yes"] == [0]
    assert brief(cut([True, False], "x == true"))["yes"] == [0]
    with pytest.raises(BadInput, match="asks for an order"):
        cut(["a", "b"], "x > a")


def test_a_column_may_have_spaces_and_signs_in_its_name() -> None:
    assert brief(cut([1, 5], "air time > 3", name="air time"))["yes"] == [1]
    assert brief(cut([1, 5], "a > b", name="a > b")) == {"1": [0], "5": [1]}
    assert brief(cut(["<script>"], "<script>", name="<script>")) == {"<script>": [0]}


@pytest.mark.parametrize("literal", ["high", "nan", "1,5"])
def test_numbers_are_compared_with_numbers_only(literal: str) -> None:
    with pytest.raises(BadInput, match="compares numbers with"):
        cut([1, 2], f"x > {literal}")


def test_an_unknown_column_is_suggested() -> None:
    with pytest.raises(BadInput, match="not a slice column") as caught:
        cut([1], "carier > 3", name="carrier")
    assert "did you mean 'carrier'?" in str(caught.value)


def test_slices_name_each_column_once() -> None:
    assert slice_names(["a", "b > 1", "a == 3"], ["a", "b", "c"]) == ["a", "b"]
