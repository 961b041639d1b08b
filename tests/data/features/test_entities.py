"""The same key is the same entity, whatever kind of number it is stored as."""

from __future__ import annotations

import polars as pl
import pytest

from trackrecord.data.features.entities import check_keys, distinct_entities, entity_numbers
from trackrecord.errors import DataError

BIG = 2**53


@pytest.mark.parametrize("kind", [pl.Int64, pl.Int8, pl.UInt64, pl.Float64])
@pytest.mark.parametrize("other", [pl.Int64, pl.Int16, pl.UInt32, pl.Float64])
def test_whole_numbers_are_found_whatever_their_width(
    kind: pl.DataType, other: pl.DataType
) -> None:
    rows = pl.DataFrame({"k": pl.Series([3, None, 1, 99, 3], dtype=kind)})
    entities = pl.DataFrame({"k": pl.Series([1, 2, 3], dtype=other)})
    assert entity_numbers(rows, ("k",), entities).tolist() == [2, -1, 0, -1, 2]


def test_numbers_that_no_float_tells_apart_are_told_apart() -> None:
    rows = pl.DataFrame({"k": pl.Series([BIG, BIG + 1, 5, None], dtype=pl.Int64)})
    entities = pl.DataFrame({"k": pl.Series([BIG + 1, BIG, 7], dtype=pl.UInt64)})
    assert entity_numbers(rows, ("k",), entities).tolist() == [1, 0, -1, -1]
    broken = pl.DataFrame({"k": [float(BIG), 7.0]})
    assert entity_numbers(broken, ("k",), entities).tolist() == [0, 2]


def test_a_key_of_several_columns_lacks_none() -> None:
    rows = pl.DataFrame({"a": ["x", "x", None, "y"], "b": [1, 2, 1, None]})
    entities = distinct_entities(rows, ("a", "b"))
    assert entities.rows() == [("x", 1), ("x", 2)]
    assert entity_numbers(rows[::-1], ("a", "b"), entities).tolist() == [-1, -1, 1, 0]


def test_numbers_and_texts_are_not_compared() -> None:
    with pytest.raises(DataError, match="'k' is text in the rows and a number in the view 'v'"):
        check_keys({"k": pl.String()}, {"k": pl.Int64()}, "v")
    check_keys({"k": pl.Int64()}, {"k": pl.Float64()}, "v")
