"""The digest, against a second implementation written from its reference page alone."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data import digest as module
from trackrecord.data.digest import TableDigest, table_digest
from trackrecord.errors import DataError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def by_the_book(columns: dict[str, tuple[str, list[Any]]]) -> str:
    """docs/reference/content-digest.md in plain Python, value by value."""
    rows = len(next(iter(columns.values()))[1])
    found = []
    for name, (kind, values) in sorted(columns.items()):
        gone = [v is None or v == "" or (isinstance(v, float) and math.isnan(v)) for v in values]
        if all(gone):
            kind, streams = "missing", {}
        elif kind == "string":
            texts = [b"" if g else v.encode() for v, g in zip(values, gone, strict=True)]
            streams = {
                "lengths": sha(b"".join(struct.pack("<I", len(t)) for t in texts)),
                "values": sha(b"".join(texts)),
            }
        else:
            body, exact = b"", b""
            for row, (value, lost) in enumerate(zip(values, gone, strict=True)):
                value = 0 if lost else value
                if kind == "number":
                    body += struct.pack("<d", float(value) + 0.0)
                    if isinstance(value, int) and int(float(value)) != value:
                        exact += struct.pack("<QQ", row, value % 2**64)
                elif kind == "boolean":
                    body += struct.pack("<B", bool(value))
                elif kind == "date":
                    body += struct.pack("<i", 0 if lost else (value - date(1970, 1, 1)).days)
                else:
                    micro = 0 if lost else (value - EPOCH) // timedelta(microseconds=1)
                    body += struct.pack("<q", micro)
            streams = {"validity": sha(bytes(not g for g in gone)), "values": sha(body)}
            if kind == "number":
                streams["exact"] = sha(exact)
        column = {"name": name, "type": kind, "rows": rows, "streams": streams}
        found.append({"name": name, "type": kind, "digest": sha(canonical_json(column))})
    whole = {"version": "trackrecordTable1", "rows": rows, "columns": found}
    return sha(canonical_json(whole))


# Strings that a CSV file brings back as strings: they hold a letter that no other kind has.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6).map(
    lambda text: "q" + text
)
KINDS: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    "whole": (st.integers(-(2**63), 2**63 - 1), pl.Int64),
    "float": (st.floats(allow_nan=False), pl.Float64),
    "string": (TEXT, pl.String),
    "boolean": (st.booleans(), pl.Boolean),
    "date": (st.dates(date(1900, 1, 1), date(2100, 1, 1)), pl.Date),
    "time": (
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        pl.Datetime("us", "UTC"),
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, tuple[str, list[Any]]], pl.DataFrame]:
    rows = draw(st.integers(1, 40))
    names = draw(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=5),
            min_size=2, max_size=5, unique=True,
        )
    )  # fmt: skip
    columns, series = {}, []
    for name in names:
        kind = draw(st.sampled_from(sorted(KINDS)))
        strategy, dtype = KINDS[kind]
        values = draw(st.lists(st.none() | strategy, min_size=rows, max_size=rows))
        columns[name] = ("number" if kind in ("whole", "float") else kind, values)
        series.append(pl.Series(name, values, dtype=dtype))
    return columns, pl.DataFrame(series)


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_the_digest_is_the_reference_whatever_the_format_layout_and_column_order(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[dict[str, tuple[str, list[Any]]], pl.DataFrame],
    data: st.DataObject,
) -> None:
    columns, frame = table
    expected = by_the_book(columns)
    assert table_digest(frame).digest == expected
    folder = tmp_path_factory.mktemp("digest")
    order = data.draw(st.permutations(frame.columns))
    # select would take a column called "*" for all of them
    shuffled = pl.DataFrame([frame.get_column(name) for name in order])
    group = data.draw(st.integers(1, 50))
    pq.write_table(shuffled.to_arrow(), folder / "t.parquet", row_group_size=group)
    frame.write_ipc(folder / "t.arrow", record_batch_size=group)
    shuffled.write_csv(folder / "t.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    for name in ("t.parquet", "t.arrow", "t.csv"):
        assert table_digest(folder / name).digest == expected, name


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_any_changed_value_swapped_row_or_renamed_column_changes_the_digest(
    table: tuple[dict[str, tuple[str, list[Any]]], pl.DataFrame], data: st.DataObject
) -> None:
    _, frame = table
    before = table_digest(frame).digest
    name = data.draw(st.sampled_from(frame.columns))
    row = data.draw(st.integers(0, frame.height - 1))
    kind = next(k for k, (_, dtype) in KINDS.items() if dtype == frame[name].dtype)
    old = frame[name].to_list()
    new = data.draw((st.none() | KINDS[kind][0]).filter(lambda value: value != old[row]))
    changed = frame.with_columns(
        pl.Series(name, [*old[:row], new, *old[row + 1 :]], dtype=frame[name].dtype)
    )
    assert table_digest(changed).digest != before
    assert table_digest(frame.rename({name: name + "'"})).digest != before
    other = data.draw(st.integers(0, frame.height - 1))
    if frame.row(row) != frame.row(other):
        order = list(range(frame.height))
        order[row], order[other] = order[other], order[row]
        assert table_digest(frame[order]).digest != before


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [None] * 7 + [0.5, -0.0, float("nan"), 2.0] * 5
    frame = pl.DataFrame(
        {
            "f": values,
            "s": [None, ""] * 6 + ["é", "", None] * 5,
            "i": [2**53 + 1, None, -(2**63)] * 9,
            "m": [None] * 27,
        }
    )
    expected = table_digest(frame)
    for size in (1, 2, 7):
        monkeypatch.setattr(module, "BATCH_ROWS", size)
        monkeypatch.setattr(module, "READ_ROWS", size + 3)
        assert table_digest(frame) == expected
    assert {c.name: c.type for c in expected.columns} == {
        "f": "number", "s": "string", "i": "number", "m": "missing",
    }  # fmt: skip


def digest_of(values: list[Any], dtype: Any) -> TableDigest:
    return table_digest(pl.DataFrame({"x": pl.Series(values, dtype=dtype, strict=False)}))


@pytest.mark.parametrize(
    "dtype",
    [pl.Int8, pl.Int64, pl.UInt16, pl.Float32, pl.Float64, pl.Decimal(10, 2), pl.Decimal(20, 0)],
)
def test_every_numeric_type_with_the_same_values_has_the_same_digest(dtype: Any) -> None:
    assert digest_of([1, None, 100], dtype) == digest_of([1, None, 100], pl.Int64)


def test_minus_zero_nan_and_the_empty_string_are_zero_and_missing() -> None:
    assert digest_of([-0.0, 1.0], pl.Float64) == digest_of([0, 1], pl.Int64)
    assert digest_of([float("nan"), 1.0], pl.Float64) == digest_of([None, 1.0], pl.Float64)
    assert digest_of(["", "a"], pl.String) == digest_of([None, "a"], pl.Categorical)


def test_a_missing_value_is_not_a_zero() -> None:
    assert digest_of([None, 1], pl.Int64) != digest_of([0, 1], pl.Int64)
    assert digest_of([None, True], pl.Boolean) != digest_of([False, True], pl.Boolean)


def test_whole_numbers_that_float64_would_blur_stay_apart() -> None:
    digests = {digest_of([value], pl.Int64).digest for value in range(2**53 - 2, 2**53 + 6)}
    assert len(digests) == 8
    assert digest_of([2**63 + 1], pl.UInt64) != digest_of([2**63], pl.UInt64)
    assert digest_of([2**60], pl.Int64) == digest_of([2.0**60], pl.Float64)


def test_strings_that_join_to_the_same_bytes_differ() -> None:
    assert digest_of(["ab", "c"], pl.String) != digest_of(["a", "bc"], pl.String)


def test_a_declared_type_makes_text_in_parquet_equal_to_csv(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("t,n\n2024-01-01T10:00:00,1\n2024-06-01T10:00:00,2.5\n")
    text = pl.DataFrame({"t": ["2024-01-01T10:00:00", "2024-06-01T10:00:00"], "n": ["1", "2.5"]})
    text.write_parquet(tmp_path / "t.parquet")
    types = {"t": "time", "n": "number"}
    zone = "Europe/Berlin"
    expected = table_digest(tmp_path / "t.csv", timezone=zone)
    assert table_digest(tmp_path / "t.parquet", types, zone) == expected
    assert table_digest(tmp_path / "t.parquet", timezone=zone) != expected


def test_bytes_below_a_null_do_not_count(tmp_path: Path) -> None:
    valid = pa.py_buffer(bytes([0b101]))
    offsets = pa.py_buffer(struct.pack("<4i", 0, 1, 3, 4))
    array = pa.Array.from_buffers(pa.string(), 3, [valid, offsets, pa.py_buffer(b"aXYb")])
    table = pa.table({"x": array})
    with (
        pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as w,
    ):
        w.write_table(table)
    assert table_digest(tmp_path / "t.arrow") == digest_of(["a", None, "b"], pl.String)


def test_a_damaged_file_or_a_nested_column_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": [[1]]}).write_parquet(path)
    with pytest.raises(DataError, match="which a case cannot use"):
        table_digest(path)
    pl.DataFrame({"x": range(100_000)}).write_parquet(path, compression="uncompressed")
    raw = bytearray(path.read_bytes())
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match="is damaged"):
        table_digest(path)


def test_the_digest_of_a_known_table_never_changes() -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "n": [1.5, None, -0.0],
            "big": [1, 2**53 + 1, None],
            "b": [True, None, False],
            "d": [date(2013, 1, 1), None, date(1969, 12, 31)],
            "t": [datetime(2013, 1, 1, 10, tzinfo=UTC), None, EPOCH],
            "none": [None, None, None],
        }
    )
    assert table_digest(frame).digest == PINNED


PINNED = "5dc8273556c6e015fec9e914ebfeff12463268c83baf5ec877f70e2e4744cbb7"
