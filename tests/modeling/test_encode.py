from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.encode import fit_encoder

LINES = pl.DataFrame(
    {
        "line": ["A"] * 12 + ["B"] * 11 + ["rare", "odd"] + [None] * 10,
        "load": [float(i) for i in range(34)] + [None],
        "late": [True, False, None, True, False] * 7,
    }
)


def test_ordinal_keeps_missing_and_unseen_apart_from_codes_where_nan_is_understood() -> None:
    encoder = fit_encoder(LINES, "ordinal", takes_missing=True)
    asked = pl.DataFrame({"line": ["A", None, "new"], "load": [1.5, None, 2.0], "late": [True] * 3})
    encoded = encoder.transform(asked)
    assert encoder.categorical == [0]
    assert encoded[:, 0].tolist()[0] == 0.0
    assert np.isnan(encoded[1:, 0]).all()
    assert encoded[0].tolist() == [0.0, 1.5, 1.0]
    assert np.isnan(encoded[1, 1])


def test_ordinal_fills_missing_where_nan_is_not_understood() -> None:
    encoder = fit_encoder(LINES, "ordinal", takes_missing=False)
    asked = pl.DataFrame({"line": [None, "new"], "load": [None, 2.0], "late": [None, True]})
    encoded = encoder.transform(asked.cast({"line": pl.String, "load": pl.Float64}))
    assert np.isfinite(encoded).all()
    assert encoded[:, 0].tolist() == [-1, -1]
    assert encoded[0, 1] == 16.5  # the median of 0 … 33
    assert encoded[:, 3].tolist() == [1, 0]  # and a column says that it was missing


def test_ordinal_gives_the_rarest_values_one_code() -> None:
    many = pl.DataFrame({"city": [f"C{i}" for i in range(400) for _ in range(1 + (i < 50))]})
    encoder = fit_encoder(many, "ordinal", takes_missing=True, most_codes=60)
    codes = set(encoder.transform(many)[:, 0].tolist())
    assert codes == set(map(float, range(60)))
    assert encoder.transform(pl.DataFrame({"city": ["C60"]})).tolist() == encoder.transform(
        pl.DataFrame({"city": ["C399"]})
    ).tolist()  # fmt: skip


def test_one_hot_standardises_numbers_by_the_training_rows_alone() -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0, 3.0]})
    encoder = fit_encoder(rows, "one_hot")
    assert encoder.transform(rows).mean() == pytest.approx(0, abs=1e-15)
    asked = pl.DataFrame({"x": [102.0]})
    assert encoder.transform(asked)[0, 0] == pytest.approx(100 / np.std([1, 2, 3]))


def test_one_hot_puts_unseen_values_with_the_rare_ones_and_missing_by_itself() -> None:
    encoder = fit_encoder(LINES.select("line"), "one_hot", sparse=True)

    def column(value: str | None) -> int:
        row = encoder.transform(pl.DataFrame({"line": [value]}, {"line": pl.String})).toarray()[0]
        assert row.sum() == 1
        return int(row.argmax())

    assert column("rare") == column("odd") == column("never seen")
    assert len({column(value) for value in ("A", "B", "rare", None)}) == 4


def test_a_million_different_texts_make_one_column_not_a_million() -> None:
    rows = pl.DataFrame({"note": [f"note {i}" for i in range(5000)]})
    assert fit_encoder(rows, "one_hot", sparse=True).width == 1


def test_sparse_and_full_say_the_same() -> None:
    sparse = fit_encoder(LINES, "one_hot", sparse=True).transform(LINES)
    full = fit_encoder(LINES, "one_hot", sparse=False).transform(LINES)
    np.testing.assert_array_equal(sparse.toarray(), full)


@pytest.mark.parametrize("how", ["ordinal", "one_hot"])
def test_a_column_that_training_never_saw_filled_is_noted_and_harmless(how: str) -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0], "gone": [None, None], "text": [None, None]}).cast(
        {"gone": pl.Float64, "text": pl.String}
    )
    encoder = fit_encoder(rows, how)  # type: ignore[arg-type]
    asked = pl.DataFrame({"x": [1.0], "gone": [5.0], "text": ["now"]})
    assert np.isfinite(encoder.transform(asked)).all()
    assert encoder.transform(asked).shape == (1, encoder.width)
    assert encoder.notes == [
        "the feature 'gone' is missing in every training row",
        "the feature 'text' is missing in every training row",
    ]


@pytest.mark.parametrize("how", ["ordinal", "one_hot"])
@pytest.mark.parametrize(
    "value", [datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)]
)
def test_a_date_is_refused_with_advice(how: str, value: object) -> None:
    with pytest.raises(CaseError, match="have no one encoding") as caught:
        fit_encoder(pl.DataFrame({"when": [value, None]}), how)  # type: ignore[arg-type]
    assert "hour or weekday" in str(caught.value)


def test_an_infinite_number_is_refused_by_name() -> None:
    rows = pl.DataFrame({"x": [1.0, float("inf"), 2.0]})
    with pytest.raises(DataError, match="'x' is infinite in 1 of 3 rows"):
        fit_encoder(rows, "ordinal", takes_missing=True)


def test_a_full_matrix_that_would_fill_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trackrecord.modeling.encode.DENSE_BYTES", 1000)
    with pytest.raises(CaseError, match="would make 8 columns") as caught:
        fit_encoder(LINES, "one_hot", sparse=False)
    assert 'encode = "ordinal"' in str(caught.value)
    fit_encoder(LINES, "one_hot", sparse=True)


def test_one_row_can_be_encoded() -> None:
    rows = pl.DataFrame({"x": [3.0], "line": ["A"]})
    for how in ("ordinal", "one_hot"):
        assert fit_encoder(rows, how).transform(rows).shape[0] == 1  # type: ignore[arg-type]
