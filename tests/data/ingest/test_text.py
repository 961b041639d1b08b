"""What is wrong with a file of text is named by line and byte; what was lost is counted."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.data.ingest.convert import Converted, checked_types, convert
from trackrecord.data.ingest.delimited import Delimited
from trackrecord.data.ingest.jsonl import JsonLines
from trackrecord.data.ingest.record import Read, Seen
from trackrecord.errors import BadInput, DataError


def read(
    tmp_path: Path, data: bytes, name: str = "t.csv", types: list[str] | None = None, **options: Any
) -> tuple[Converted, pl.DataFrame]:
    path = tmp_path / name
    path.write_bytes(data)
    form = "jsonl" if "jsonl" in name else "csv"
    reader = JsonLines if form == "jsonl" else Delimited
    source = reader(path, name, Read(format=form, **options))
    out = tmp_path / "out.parquet"
    done = convert(source, out, checked_types(types or []))
    return done, pl.read_parquet(out)


def refused(tmp_path: Path, data: bytes, name: str = "t.csv", **options: Any) -> DataError:
    (tmp_path / "out.parquet").unlink(missing_ok=True)
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, name, **options)
    assert not (tmp_path / "out.parquet").exists()
    assert caught.value.next
    return caught.value


def codes(done: Converted) -> dict[tuple[str | None, str], int]:
    return {(note.column, note.code): note.rows for note in done.notes}


def test_a_line_of_another_encoding_is_named_by_line_and_byte(tmp_path: Path) -> None:
    rows = b"".join(b"%d,caf\xc3\xa9\n" % row for row in range(90_000))
    error = refused(tmp_path, b"id,name\n" + rows + b"7,caf\xe9\n" + rows)
    assert error.what == "t.csv is not UTF-8"
    assert error.where == f"t.csv, line 90,002, byte 6 (byte {8 + len(rows) + 6:,} of the file)"
    assert "90,001 lines before are" in str(error.why)


def test_a_header_of_another_encoding_is_named(tmp_path: Path) -> None:
    assert "line 1, byte 3" in str(refused(tmp_path, b"na\xefve,b\n1,2\n").where)


def test_an_encoding_that_is_said_is_read(tmp_path: Path) -> None:
    _, frame = read(tmp_path, "naïve,b\ncafé,2\n".encode("cp1252"), encoding="cp1252")
    assert frame.to_dict(as_series=False) == {"naïve": ["café"], "b": [2]}
    _, frame = read(tmp_path, 'a,b\n"x∀",2\n'.encode("utf-16"), encoding="utf-16")
    assert frame.rows() == [("x∀", 2)]
    assert "begins like UTF-16" in str(refused(tmp_path, "a,b\n1,2\n".encode("utf-16")).why)
    assert "no encoding" in refused(tmp_path, b"a\n1\n", encoding="klingon").what


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'a,b\n1,"x\n2,y\n3,z\n', "line 2, byte 3"),
        (b'a,b\n1,x\n2,"y""\n3,z\n', "line 3, byte 3"),
        (b'a,b\n"ok, ""fine""",1\n2,"\n', "line 3, byte 3"),
        (b'a,b\n1,"x\n2,"y"\n3,z\n', "line 2, byte 3"),
    ],
)
def test_a_quote_that_never_closes_is_named_where_it_opens(
    tmp_path: Path, text: bytes, where: str
) -> None:
    error = refused(tmp_path, text)
    assert error.what == "a quote in t.csv does not close"
    assert error.where == f"t.csv, {where}"


def test_quotes_inside_fields_are_no_loss(tmp_path: Path) -> None:
    _, frame = read(tmp_path, b'a,b\n5" pipe,1\n"two\nlines",2\n"say ""hi""",3\n')
    assert frame["a"].to_list() == ['5" pipe', "two\nlines", 'say "hi"']


def test_a_nul_byte_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, b"a,b\n1,2\n3,\x004\n")
    assert error.where == "t.csv, line 3, byte 11 of the file"


def test_a_ragged_row_stops_or_is_left_out_and_counted(tmp_path: Path) -> None:
    text = b"a,b\n1,2\n3\n4,5\n6,7,8\n"
    error = refused(tmp_path, text)
    assert (error.where, error.what[:26]) == ("t.csv, line 3", "t.csv has a row of 1 field")
    done, frame = read(tmp_path, text, skip_bad=True)
    assert frame.rows() == [(1, 2), (4, 5)]
    assert codes(done) == {(None, "ragged"): 2}
    assert [seen.row for seen in done.notes[0].first] == [3, 5]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"a,b\n", "t.csv has no rows"),
        (b"\n\n", "t.csv is empty"),
        (b"a,a\n1,2\n", "t.csv has two columns called 'a'"),
        (b"a,\n1,2\n", "t.csv has a column without a name"),
        (b"a;b\n1;2\n", "t.csv does not separate its columns with ','"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: bytes, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert caught.value.what == what


def test_a_delimiter_that_is_said_is_used(tmp_path: Path) -> None:
    assert read(tmp_path, b"a;b\n1;2\n", delimiter=";")[1].rows() == [(1, 2)]


@pytest.mark.slow
def test_five_thousand_columns_are_read(tmp_path: Path) -> None:
    names = ",".join(f"column_{number}" for number in range(5000))
    row = ",".join(str(number) for number in range(5000))
    done, frame = read(tmp_path, f"{names}\n{row}\n{row}\n".encode())
    assert len(done.columns) == 5000
    assert frame.row(1)[-1] == 4999


def test_dates_in_another_order_are_reported_and_not_guessed(tmp_path: Path) -> None:
    text = b"day\n31.02.2024\n01.03.24\n12/31/2024\n04.05.2024\n"
    done, frame = read(tmp_path, text)
    assert frame.schema == {"day": pl.String}
    assert codes(done) == {
        ("day", "other_date"): 4,
        ("day", "short_year"): 1,
        ("day", "impossible"): 1,
    }
    assert not any(note.lost for note in done.notes)
    done, frame = read(tmp_path, text, types=["day=date:%d.%m.%Y"])
    assert frame["day"].to_list()[:3] == [None, None, None]
    assert str(frame["day"][3]) == "2024-05-04"
    assert codes(done) == {("day", "not_declared"): 3}
    assert done.notes[0].first[0] == Seen(1, "31.02.2024")


def test_a_date_that_no_calendar_has_keeps_its_column_text_and_is_shown(tmp_path: Path) -> None:
    done, _ = read(tmp_path, b"day\n2024-01-31\n2024-02-31\n2024-03-31\n")
    assert done.columns[0].kind == "string"
    assert codes(done) == {("day", "no_date"): 1}
    assert done.notes[0].first[0].value == "2024-02-31"


def test_a_kind_that_a_late_row_breaks_is_found_and_the_row_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackrecord.data.ingest.delimited.BLOCK", 1 << 14)
    rows = "".join(f"{n},{n / 4},true\n" for n in range(8_000))
    text = f"a,b,c\n{rows}oops,1,maybe\n".encode()
    done, frame = read(tmp_path, text)
    assert [column.kind for column in done.columns] == ["string", "number", "string"]
    assert frame.row(-1) == ("oops", 1.0, "maybe")
    assert codes(done) == {("a", "no_number"): 1, ("c", "no_boolean"): 1}
    assert done.notes[0].first[0].row == 8_001
    done, frame = read(tmp_path, text, types=["a=number"])
    assert frame.row(-1)[0] is None
    assert frame["a"].dtype == pl.Int64
    assert (done.notes[0].code, done.notes[0].lost, done.notes[0].rows) == (
        "not_declared", True, 1)  # fmt: skip


def test_numbers_that_a_float_blurs_are_counted_as_lost(tmp_path: Path) -> None:
    done, frame = read(tmp_path, b"x\n0.1\n0.12345678901234567890\n1e999\nNaN\n-inf\n")
    assert frame["x"].null_count() == 1
    assert codes(done) == {("x", "nan"): 1, ("x", "digits"): 1, ("x", "too_large"): 1}
    assert {note.code for note in done.notes if note.lost} == {"digits", "too_large"}


def test_words_that_mean_missing_are_said(tmp_path: Path) -> None:
    done, frame = read(tmp_path, b"x,y\n1,a\n-,NA\n3,-\n", missing=["-"])
    assert frame["x"].to_list() == [1, None, 3]
    assert [column.missing for column in done.columns] == [1, 2]


@pytest.mark.parametrize("word", ["x", "x=money", "=number", "x=number:%d", "x="])
def test_a_type_that_says_nothing_is_refused(word: str) -> None:
    with pytest.raises(BadInput):
        checked_types([word])


def test_a_type_of_no_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a column") as caught:
        read(tmp_path, b"price\n1\n", types=["prise=number"])
    assert caught.value.why == "did you mean 'price'?"


def test_a_bomb_is_refused_by_counting(tmp_path: Path) -> None:
    error = refused(tmp_path, gzip.compress(b"a,b\n" + b"0" * (1 << 24)), "t.csv.gz")
    assert "unpacks to more than 1,000 times its size" in error.what


def test_a_cut_gzip_is_damaged(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 7919 % 1000003}\n" for n in range(50_000))
    whole = gzip.compress(b"a,b\n" + rows.encode())
    assert refused(tmp_path, whole[:-2000], "t.csv.gz").what == "t.csv.gz is damaged"


def test_json_lines_have_the_types_of_all_rows(tmp_path: Path) -> None:
    text = (
        b'{"id": 1, "x": 1, "when": "2024-01-31", "zip": "01234", "tags": ["a"]}\n'
        b'\n{"id": 2, "x": 2.5, "when": null, "zip": "9", "new": true}\n'
        b'{"id": 3, "x": 9007199254740993, "when": "2024-02-01", "zip": "1", "mix": 1}\n'
        b'{"id": 4, "mix": "one"}\n'
    )
    done, frame = read(tmp_path, text, "t.jsonl")
    kinds = {column.name: column.kind for column in done.columns}
    assert kinds == {"id": "number", "x": "number", "when": "date", "zip": "string",
                     "tags": "string", "new": "boolean", "mix": "string"}  # fmt: skip
    assert frame["zip"].to_list() == ["01234", "9", "1", None]
    assert codes(done) == {("tags", "nested"): 1, ("mix", "mixed"): 1, ("x", "digits"): 1}


def test_a_line_that_is_no_object_stops_or_is_left_out(tmp_path: Path) -> None:
    text = b'{"a": 1}\n[1, 2]\n{"a": \n{"a": 2}\n'
    assert "line 2" in refused(tmp_path, text, "t.jsonl").what
    done, frame = read(tmp_path, text, "t.jsonl", skip_bad=True)
    assert frame["a"].to_list() == [1, 2]
    assert codes(done) == {(None, "no_object"): 2}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [16, 50, 1 << 20])
@pytest.mark.parametrize("quoted", [0, 7, 39, None])
def test_rows_are_the_same_wherever_the_first_quote_and_the_blocks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, block: int, quoted: int | None
) -> None:
    monkeypatch.setattr("trackrecord.data.ingest.delimited.BLOCK", block)
    rows = [(n, f"word {n}") for n in range(40)]
    lines = [f'{n},"{text}"' if n == quoted else f"{n},{text}" for n, text in rows]
    if quoted is not None:
        rows[quoted] = (quoted, f'two{end}lines, and a "quote"')
        lines[quoted] = f'{quoted},"two{end}lines, and a ""quote"""'
    for last in (end, ""):
        text = end.join(["\ufeffid,text", *lines[:20], "", *lines[20:]]) + last
        done, frame = read(tmp_path, text.encode())
        assert frame.rows() == rows
        assert (done.rows, done.notes) == (40, [])


def test_an_empty_line_in_a_file_of_one_column_is_a_missing_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackrecord.data.ingest.delimited.BLOCK", 3)
    _, frame = read(tmp_path, b"x\n1\n\n\n2\n")
    assert frame["x"].to_list() == [1, None, None, 2]
