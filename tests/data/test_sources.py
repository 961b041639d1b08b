from __future__ import annotations

import gzip
import os
from datetime import date, datetime, timezone
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from trackrecord.data.sources import inside, read_table
from trackrecord.errors import DataError

UTC = timezone.utc  # noqa: UP017 - the name reads well in tables of expectations


def csv(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0]),
        (["1", "", "NA"], [1, None, None]),
        (["1.5", "NaN", "inf"], [1.5, None, float("inf")]),
        (["007", "8"], ["007", "8"]),
        (["0", "0.5", "-0"], [0.0, 0.5, 0.0]),
        (["99999999999999999999", "1"], ["99999999999999999999", "1"]),
        (["18446744073709551615", "1"], [2**64 - 1, 1]),
        (["true", "FALSE", "True"], [True, False, True]),
        (["2024-01-31", ""], [date(2024, 1, 31), None]),
        (["2024-02-30", "2024-01-01"], ["2024-02-30", "2024-01-01"]),
        (["1", "2", "x"], ["1", "2", "x"]),
        (["", "NA", ""], [None, None, None]),
        (["1_000", "2"], ["1_000", "2"]),
    ],
)
def test_every_row_decides_a_columns_kind(
    tmp_path: Path, fields: list[str], expected: list[object]
) -> None:
    rows = "".join(f"{index},{field}\n" for index, field in enumerate(fields))
    assert read_table(csv(tmp_path, "row,value\n" + rows))["value"].to_list() == expected


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2024-01-01T12:00:00Z", 12),
        ("2024-01-01T12:00:00+02:00", 10),
        ("2024-01-01 12:00:00-0530", 17.5),
        ("2024-01-01T12:00+02", 10),
        ("2024-01-01T12:00:00", 17),
        ("2024-01-01 12:00", 17),
        ("2024-01-01T12:00:00.000000000", 17),
    ],
)
def test_times_become_utc_and_naive_ones_are_local(tmp_path: Path, text: str, hour: float) -> None:
    frame = read_table(csv(tmp_path, f"a,t\n1,{text}\n"), timezone="America/New_York")
    minute = round(hour % 1 * 60)
    assert frame["t"].to_list() == [datetime(2024, 1, 1, int(hour), minute, tzinfo=UTC)]


def test_naive_and_offset_times_mix_in_one_column(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,t\n1,2024-07-01T12:00:00\n2,2024-07-01T12:00:00Z\n")
    hours = read_table(path, timezone="Europe/Berlin")["t"].dt.hour().to_list()
    assert hours == [10, 12]


def test_an_hour_that_the_clock_shows_twice_is_the_earlier_one(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,t\n1,2013-11-03T01:30:00\n")
    frame = read_table(path, timezone="America/New_York")
    assert frame["t"].to_list() == [datetime(2013, 11, 3, 5, 30, tzinfo=UTC)]


def test_an_hour_that_no_clock_shows_is_an_error_with_its_row(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,t\n1,2013-03-09T02:30:00\n2,2013-03-10T02:30:00\n")
    with pytest.raises(DataError, match="no clock in America/New_York") as caught:
        read_table(path, timezone="America/New_York")
    assert caught.value.where == "t.csv, row 2"


def test_declared_types_win(tmp_path: Path) -> None:
    path = csv(tmp_path, "zip,n,b,d,t\n10115,007,1,2024-01-01,2024-01-01\n")
    types = {"zip": "string", "n": "number", "b": "boolean", "d": "date", "t": "time"}
    assert read_table(path, types, "Europe/Berlin").row(0) == (
        "10115", 7, True, date(2024, 1, 1), datetime(2023, 12, 31, 23, tzinfo=UTC),
    )  # fmt: skip


def test_whole_floats_declared_strings_lose_their_point(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"zip": [10115.0, None]}).write_parquet(path)
    assert read_table(path, {"zip": "string"})["zip"].to_list() == ["10115", None]


@pytest.mark.parametrize(
    ("kind", "shown"), [("number", "'x'"), ("boolean", "'x'"), ("date", "'x'"), ("time", "'x'")]
)
def test_a_value_that_its_declared_type_does_not_admit_is_named(
    tmp_path: Path, kind: str, shown: str
) -> None:
    with pytest.raises(DataError, match=f"declared {kind}, but {shown}") as caught:
        read_table(csv(tmp_path, "a,v\n1,\n2,x\n"), {"v": kind})
    assert caught.value.where == "t.csv, row 2"


def test_a_byte_order_mark_gzip_and_tabs_are_read(tmp_path: Path) -> None:
    plain = b"\xef\xbb\xbfa\tb\n1\tx,y\n"
    for name, raw in (("t.tsv", plain), ("t.tsv.gz", gzip.compress(plain))):
        frame = read_table(csv(tmp_path, raw, name))
        assert frame.to_dict(as_series=False) == {"a": [1], "b": ["x,y"]}


@pytest.mark.parametrize(
    ("raw", "where", "why"),
    [
        (b"a,b\n1,x\0\n", "t.csv, line 2, byte 8", "a NUL byte"),
        (b"a,b\n" + b"1,x\n" * 2000 + b"2,\0\n", "line 2,002, byte 8,007", "a NUL byte"),
        ("a,b\n1,x\n".encode("utf-16"), "t.csv", "begins like UTF-16"),
        (gzip.compress(b"a,b\n1,\0\n", mtime=0), "t.csv, line 2, byte 7", "a NUL byte"),
    ],
)
def test_a_nul_byte_is_named_as_the_reason(
    tmp_path: Path, raw: bytes, where: str, why: str
) -> None:
    with pytest.raises(DataError, match=r"t\.csv is not (text|UTF-8)") as caught:
        read_table(csv(tmp_path, raw))
    assert where in (caught.value.where or "")
    assert why in (caught.value.why or "")


def test_the_same_table_reads_the_same_from_every_format(tmp_path: Path) -> None:
    text = "n,f,s,b,d,t\n1,1.5,x,true,2024-01-01,2024-01-01T12:00:00Z\n,,,,,\n"
    frame = read_table(csv(tmp_path, text))
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ipc(tmp_path / "t.arrow")
    frame.write_ipc_stream(tmp_path / "t.arrows.ipc")
    for name in ("t.parquet", "t.arrow", "t.arrows.ipc"):
        assert read_table(tmp_path / name).equals(frame), name


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n\n", "is empty"),
        ("t.csv", b"a,b\n", "has a header but no rows"),
        ("t.csv", b"a,b,a\n1,2,3\n", "two columns called 'a'"),
        ("t.csv", b",a\n0,1\n", "column without a name"),
        ("t.csv", b"a;b\n1;2\n", "does not separate its columns"),
        ("t.csv", b"a,b\n1,2,3\n", "is not a table"),
        ("t.csv", b"a,b\n1,2\n3\n", "is not a table"),
        ("t.csv", b'a,b\n1,"2\n', "is not a table"),
        ("t.csv", b"a,b\n1,\xff\n", "is not UTF-8"),
        ("t.csv", b"a\0b\n", "is not text"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "is damaged"),
        ("t.parquet", b"PAR1" + bytes(100), "is damaged"),
        ("t.arrow", b"ARROW1\0\0" + bytes(100), "is damaged"),
        ("t.xlsx", b"PK\x03\x04", "is not a table that can be read"),
        ("t.parquet", b"hello", "is not a table that can be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_reason(
    tmp_path: Path, name: str, raw: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read_table(csv(tmp_path, raw, name))


def test_a_parquet_file_cut_anywhere_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    raw = path.read_bytes()
    for keep in (8, len(raw) // 2, len(raw) - 1):
        with pytest.raises(DataError, match="is damaged"):
            read_table(csv(tmp_path, raw[:keep], "cut.parquet"))


def test_a_missing_file_and_a_folder_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(DataError, match="no plain file"):
        read_table(tmp_path / "t.csv")


def test_nested_and_binary_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for column in (pl.Series("x", [[1]]), pl.Series("x", [{"a": 1}]), pl.Series("x", [b"z"])):
        pl.DataFrame([column]).write_parquet(path)
        with pytest.raises(DataError, match="which a case cannot use"):
            read_table(path)


def test_times_finer_than_a_microsecond_are_refused(tmp_path: Path) -> None:
    table = pa.table({"t": pa.array([1_000, 1_001], pa.timestamp("ns", "UTC"))})
    with (
        pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as w,
    ):
        w.write_table(table)
    with pytest.raises(DataError, match="finer than a microsecond") as caught:
        read_table(tmp_path / "t.arrow")
    assert caught.value.where == "t.arrow, row 2"


def test_an_unknown_type_column_and_time_zone_are_named(tmp_path: Path) -> None:
    path = csv(tmp_path, "weight,b\n1,2\n")
    with pytest.raises(DataError, match="wieght") as caught:
        read_table(path, {"wieght": "number"})
    assert caught.value.why == "did you mean 'weight'?"
    with pytest.raises(DataError, match="is not the name of a time zone"):
        read_table(path, timezone="Mars/Olympus")


@pytest.mark.parametrize(
    "relative", ["../x", "/etc/passwd", "a/../../x", "", "a\0b", "out/x", "loop"]
)
def test_paths_that_leave_the_workspace_are_refused(tmp_path: Path, relative: str) -> None:
    root = tmp_path / "work"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(DataError, match="is not inside the workspace"):
        inside(root, relative)


def test_a_link_within_the_workspace_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert inside(tmp_path, "link/t.csv") == tmp_path / "link" / "t.csv"


@pytest.mark.skipif(os.name == "nt", reason="there it parts folders")
def test_a_path_written_with_backslashes_is_told_how_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not inside the workspace") as caught:
        inside(tmp_path, "data\\t.csv")
    assert "write / instead" in (caught.value.why or "")
    (tmp_path / "odd\\name.csv").write_text("a\n1\n")
    assert inside(tmp_path, "odd\\name.csv").is_file()
