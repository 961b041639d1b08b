"""A bundle's description encodes rows as scikit-learn's own encoders did in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.modeling.encode import fit_encoder
from trackrecord.modeling.export.encoding import compiled

TEXT = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "new", "", "é", "zz"]))
NUMBER = st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(float("nan")))
FLAG = st.one_of(st.none(), st.booleans())
ROW = st.fixed_dictionaries({"city": TEXT, "kind": TEXT, "size": NUMBER, "flag": FLAG})
SCHEMA: Any = {"city": pl.String, "kind": pl.String, "size": pl.Float64, "flag": pl.Boolean}


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


@settings(max_examples=60, deadline=None)
@given(
    trained=st.lists(ROW, min_size=12, max_size=60),
    asked=st.lists(ROW, min_size=1, max_size=8),
    how=st.sampled_from(["ordinal", "one_hot"]),
    takes_missing=st.booleans(),
    most=st.integers(2, 5),
)
def test_rows_are_encoded_as_in_training(
    trained: list[Any], asked: list[Any], how: Any, takes_missing: bool, most: int
) -> None:
    encoder = fit_encoder(table(trained), how, takes_missing=takes_missing, most_codes=most)
    expected = encoder.transform(table(asked)).astype(np.float32)
    np.testing.assert_array_equal(compiled(encoder.columns, encoder.width)(asked), expected)


def test_rare_and_new_texts_share_a_column() -> None:
    trained = [{"city": "a", "kind": None, "size": 1.0, "flag": True}] * 20
    trained += [{"city": "b", "kind": None, "size": 2.0, "flag": None}] * 3
    encoder = fit_encoder(table(trained), "one_hot")
    encode = compiled(encoder.columns, encoder.width)
    rare, new = encode([trained[-1], {**trained[-1], "city": "never seen"}])
    np.testing.assert_array_equal(rare, new)


def test_a_name_that_a_row_lacks_is_missing() -> None:
    trained = [{"city": "a", "kind": "b", "size": float(n), "flag": True} for n in range(12)]
    encoder = fit_encoder(table(trained), "ordinal", takes_missing=True)
    (row,) = compiled(encoder.columns, encoder.width)([{}])
    assert np.isnan(row).all()


def test_a_description_of_another_width_is_refused() -> None:
    encoder = fit_encoder(table([{"city": "a", "kind": "b", "size": 1.0, "flag": True}]), "ordinal")
    with pytest.raises(ValueError, match="the model takes 3"):
        compiled(encoder.columns, 3)
