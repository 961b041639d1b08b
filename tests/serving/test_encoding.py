"""Rows as numbers: three ways in, one answer, and the one that plain words would give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.conftest import trained, tumours

from trackrecord.modeling.export.bundle import Codes, Encoded, Gap, Hot, Number
from trackrecord.modeling.export.encoding import compiled, compiled_for

TEXTS = ["t0", "t1"]
NUMBERS = ["x0", "x1", "x2"]
NAMES = [*TEXTS, *NUMBERS]
GIVEN = st.sampled_from([None, -1.0, 7.0])
WHERE = st.sampled_from([None, 0, 2])
SIZE = st.floats(0.1, 9.0)

codes = st.builds(
    Codes, st.sampled_from(TEXTS), st.just({"a": 0.0, "b": 1.0}), unknown=GIVEN, missing=GIVEN
)
hot = st.builds(
    Hot, st.sampled_from(TEXTS), st.just({"a": 0, "b": 1}), st.just(3), unknown=WHERE, missing=WHERE
)
number = st.builds(
    Number, st.sampled_from(NUMBERS), fill=GIVEN, mean=st.floats(-9, 9), scale=SIZE
) | st.builds(Number, st.sampled_from(NUMBERS))
gap = st.builds(Gap, st.sampled_from(NUMBERS), mean=st.floats(0, 1), scale=SIZE)
text_value = st.sampled_from(["a", "b", "c", "", None])
number_value = st.none() | st.booleans() | st.floats(allow_infinity=False) | st.integers(-99, 99)
row = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(TEXTS, text_value), **dict.fromkeys(NUMBERS, number_value)}
)


def in_words(column: Encoded, value: Any) -> list[float]:
    """What an encoding says of one value, said as plainly as can be."""
    nan = math.nan
    missing = value is None or value != value
    match column:
        case Codes(codes=codes, unknown=unknown, missing=gone):
            found = gone if missing else codes.get(value, unknown)
            return [nan if found is None else found]
        case Hot(positions=positions, width=width, unknown=unknown, missing=gone):
            place = gone if missing else positions.get(value, unknown)
            return [float(at == place) for at in range(width)]
        case Gap(mean=mean, scale=scale):
            return [(float(missing) - mean) / scale]
        case Number(fill=fill, mean=mean, scale=scale):
            filled = (nan if fill is None else fill) if missing else value
            return [(filled - mean) / scale]
    raise AssertionError(column)


@settings(deadline=None)
@given(st.lists(codes | hot | number | gap, min_size=1, max_size=6), st.lists(row, max_size=4))
def test_rows_tuples_and_columns_become_what_the_words_say(
    encoding: list[Encoded], rows: list[dict[str, Any]]
) -> None:
    width = sum(column.width if isinstance(column, Hot) else 1 for column in encoding)
    said = [
        [cell for column in encoding for cell in in_words(column, one.get(column.column))]
        for one in rows
    ]
    with np.errstate(over="ignore"):
        wanted = np.array(said, np.float64).reshape(len(rows), width).astype(np.float32)
    encode = compiled_for(encoding, width, NAMES)
    whole = [[one.get(name) for name in NAMES] for one in rows]
    for found in (
        compiled(encoding, width)(rows),
        encode.mappings(rows),
        encode.tuples([tuple(one) for one in whole]),
        encode.columns([[one[place] for one in whole] for place in range(len(NAMES))], len(rows)),
    ):
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("how", ["boosted", "linear"])
def test_training_rows_become_what_the_trained_encoder_makes_of_them(how: str) -> None:
    _, encoder = trained(how, 3)
    frame, _ = tumours()
    wanted = encoder.transform(frame).astype("f4")
    np.testing.assert_array_equal(
        compiled(encoder.columns, encoder.width)(frame.to_dicts()), wanted
    )
    arrays = [
        series.to_list() if series.dtype == str else series.to_numpy()
        for series in frame.get_columns()
    ]
    columns = compiled_for(encoder.columns, encoder.width, frame.columns).columns
    np.testing.assert_array_equal(columns(arrays, frame.height), wanted)


def test_an_encoding_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 columns, and the model takes 2"):
        compiled([Number("x")], 2)
