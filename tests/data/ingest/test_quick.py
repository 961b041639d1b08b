"""The quick reading of a block says what the close one says, or nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.ingest import column as columns
from trackrecord.data.ingest.column import Column
from trackrecord.data.ingest.convert import KINDS
from trackrecord.data.ingest.forms import NUMBERS, exact, leading_zeros
from trackrecord.data.ingest.quick import KERNELS, quick

EDGES = {
    "int": ["1", "-7", "0", "9223372036854775807", "-9223372036854775808", "+5", "-0", "007",
            "0x1F", "0xFFFFFF", "0xFFFFFFFFFFFF", "1_0", " 1", "1 ", "१", "-"],
    "float": ["1.5", ".5", "5.", "1e5", "-2E-3", "0.25", "-0.5", "-0", "00.5", "-05", "+05.1",
              "+.5", "1e400", "1e-400", "inf", "-Infinity", "NaN", "nan(1)", "1e", ".", "0",
              "0.12345678901234567890", "1044.1032885305417", "12345678901234567890", "0x1p3"],
    "boolean": ["true", "FALSE", "True", "1", "0", "tru", "truefalse"],
    "date": ["2024-01-31", "0001-01-01", "0000-01-01", "9999-12-31", "2024-02-31", "2024-1-031"],
    "time": ["2024-01-31T10:00Z", "2024-01-31 10:00:30.25Z", "2024-01-31T10:00:00+02:00",
             "2024-01-31T10Z", "2024-01-31T24:00Z", "2024-01-31T10:00:60Z", "2024-01-31T10:00",
             "2024-01-31T10:00:00.1234567Z", "2024-01-31T10:00:00.1234560Z", "0000-01-01T00:00Z",
             "2024-01-31T10:00:00.Z", "2024-02-30T10:00Z", "2024-01-31t10:00:00Z"],
    "local": ["2024-01-31T10:00", "2024-01-31 10:00:59.123456", "2024-01-31T10", "2024-01-31",
              "2024-01-31T10:00:00Z", "2024-01-31T10+02:00", "2024-01-31T23:59:00.1"],
}  # fmt: skip
EVERY = [word for words in EDGES.values() for word in words]


def words(form: str) -> st.SearchStrategy[list[str | None]]:
    plain: dict[str, st.SearchStrategy[str]] = {
        "int": st.integers(-(2**63), 2**63 - 1).map(str),
        "float": st.floats(allow_nan=False, allow_infinity=False).map(str),
        "boolean": st.sampled_from(["true", "false"]),
        "date": st.dates().map(str),
        "time": st.datetimes().map(lambda t: t.isoformat() + "Z"),
        "local": st.datetimes().map(lambda t: t.isoformat(" ")),
    }
    odd = st.one_of(plain[form], st.sampled_from(EDGES[form]), st.none())
    return st.one_of(
        st.lists(plain[form] | st.none(), max_size=6), st.lists(odd, max_size=6),
        st.lists(st.sampled_from(EVERY) | st.text(max_size=8), max_size=3),
    )  # fmt: skip


@pytest.mark.parametrize("form", list(KERNELS))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_quick_reading_is_the_close_one_or_none(form: str, data: st.DataObject) -> None:
    values = data.draw(words(form))
    # Blocks are slices of larger ones: what is before and behind must not be looked at.
    whole = pa.array(["007", *values, "0x1"], pa.large_string())
    made = quick(whole.slice(1, len(values)), form)
    if made is None:
        return
    series = pl.Series("x", values, dtype=pl.String)
    wanted = exact(series, form)
    assert wanted is not None, values
    assert pl.Series("x", made).equals(wanted), values
    assert form not in NUMBERS or not leading_zeros(series)


@pytest.mark.parametrize("form", list(KERNELS))
def test_what_programs_write_is_read_quickly(form: str) -> None:
    usual = {
        "int": ["12", None, "-3", "0"], "float": ["0.5", "-1.25e-7", None, "17", "-0.5"],
        "boolean": ["true", "False", None], "date": ["2024-01-31", None],
        "time": ["2024-01-31T10:00:00Z", None, "2024-01-31 10:00Z"],
        "local": ["2024-01-31T10:00:00", "2024-01-31 10:00:00.5", None],
    }  # fmt: skip
    assert quick(pa.array(usual[form], pa.large_string()), form) is not None


def as_text(values: pa.Array) -> list[str | None]:
    # Not as Python's dates: these have no year 0.
    return [str(values.type), *values.cast(pa.large_string()).to_pylist()]


def walked(blocks: list[list[str | None]], **options: Any) -> tuple[Any, ...]:
    """What a column says after some blocks, and its rows as written."""
    column, start, written = Column("x", **options), 0, []
    arrays = [pa.array(block, pa.large_string()) for block in blocks]
    for block in arrays:
        made = column.take(block, start)
        written.append(None if made is None else as_text(made))
        start += len(block)
    column.finish()
    again = [as_text(column.write(block)) for block in arrays]
    return column.form, column.kind, column.missing, column.notes(), column.fits, written, again


@pytest.mark.parametrize(
    "options",
    [{}, {"typed": True}, *({"declared": kind} for kind in KINDS), {"declared": "date:%Y-%m-%d"}],
)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_column_says_the_same_whichever_way_it_is_read(
    options: dict[str, Any], data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(list(KERNELS)))
    blocks = data.draw(st.lists(words(form), min_size=1, max_size=4))
    quickly = walked(blocks, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "quick", lambda values, form: None)
        patch.setattr(Column, "_quickly", lambda self, values, start: None)
        closely = walked(blocks, **options)
    assert quickly == closely
