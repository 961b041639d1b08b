"""Rows go by the bytes of their ids, however these are sorted."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trackrecord.evaluation import ordering
from trackrecord.evaluation.ordering import in_order

IDS = st.lists(st.text(max_size=10), unique=True, min_size=1, max_size=30)
SHORT = st.lists(st.text("0129aZ\x01\x7f é", max_size=8), unique=True, min_size=1, max_size=30)


@given(st.one_of(IDS, SHORT))
def test_the_order_is_that_of_the_ids_as_text(ids: list[str]) -> None:
    table = pl.DataFrame({"id": ids, "row": range(len(ids))})
    assert_frame_equal(in_order(table), table.sort("id"))
    assert in_order(table)["id"].to_list() == sorted(ids, key=lambda text: text.encode())


@pytest.mark.parametrize(
    "ids", [["10", "9", "2", ""], ["a\0", "a"], ["é", "z"], ["b" * 9, "a"], ["b", "a", "b", "a"]]
)
def test_what_has_no_number_of_its_own_is_sorted_as_text(ids: list[str]) -> None:
    table = pl.DataFrame({"id": ids})
    assert in_order(table)["id"].to_list() == sorted(ids, key=lambda text: text.encode())


def test_numbers_as_text_are_sorted_as_whole_numbers_and_long_ids_are_not() -> None:
    assert ordering._keys(pl.Series(["10", "9"])) is not None
    assert ordering._keys(pl.Series(["user-number-10", "9"])) is None


def test_a_slice_of_a_longer_column_keeps_to_its_own_rows() -> None:
    table = pl.concat([pl.DataFrame({"id": ["5", "4"]}), pl.DataFrame({"id": ["3", "1", "2"]})])
    assert in_order(table[1:4])["id"].to_list() == ["1", "3", "4"]
