"""The form of a column found block by block is the one that the whole column has."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trackrecord.data.ingest.convert import convert
from trackrecord.data.ingest.delimited import Delimited
from trackrecord.data.ingest.forms import Form, exact, form_of, join, typed
from trackrecord.data.ingest.record import Read
from trackrecord.data.kinds import Place, infer
from trackrecord.data.sources import read_table

WORDS = {
    "whole": ["1", "-7", "0", "12", "+5", "-0"],
    "zeros": ["007", "01", "-05", "00.5"],
    "large": ["18446744073709551615", "9223372036854775808"],
    "wide": ["99999999999999999999999", "-9223372036854775809"],
    "fraction": ["1.5", ".5", "5.", "1e5", "-2E-3", "inf", "NaN", "1e400", "0.25"],
    "boolean": ["true", "FALSE", "True"],
    "date": ["2024-01-31", "1999-12-31", "0001-01-01"],
    "no date": ["2024-02-31", "2024-1-5", "31.01.2024"],
    "zoned": ["2024-01-31T10:00Z", "2024-01-31 10:00:30.25+02:00", "2024-01-31T10:00:00-0500"],
    "local": ["2024-01-31T10:00", "2024-01-31 10:00:59.123456", "2024-01-31T23:59:00"],
    "no time": ["2024-01-31T24:00", "2024-01-31T10:00:00.1234567", "2024-02-30T10:00"],
    "text": ["a", " 1", "1 ", "1_0", "0x10", "१", "1,5", "", "é"],
}


def column(draw: random.Random) -> list[str | None]:
    kinds = draw.sample([*WORDS], draw.choice([1, 1, 1, 2, 3]))
    words = [word for kind in kinds for word in WORDS[kind]]
    share = draw.choice([0, 0, 0.3])
    return [
        None if draw.random() < share else draw.choice(words) or None
        for _ in range(draw.randint(1, 12))
    ]


@pytest.mark.slow
def test_blocks_joined_have_the_form_of_the_whole_column() -> None:
    draw = random.Random(7)
    seen = set()
    for _ in range(2500):
        values = column(draw)
        whole = pl.Series("x", values, dtype=pl.String)
        form, at = Form(), 0
        while at < len(values):
            step = draw.randint(1, 5)
            form = join(form, form_of(whole[at : at + step]))
            at += step
        made = exact(whole, form.final)
        assert made is not None, (values, form)
        wanted = infer(whole, "UTC", Place("x"))
        if form.final == "local":
            made = made.dt.replace_time_zone("UTC")
        if form.final == "float":
            made = made.fill_nan(None)
        # Times of which some have an offset and some have not: no zone is made up here.
        if form.final == "string" and isinstance(wanted.dtype, pl.Datetime):
            zoned = [form_of(whole[i : i + 1]).name for i in range(len(whole))]
            assert {"time", "local"} <= set(zoned)
            continue
        assert made.dtype == wanted.dtype, (values, form)
        assert made.equals(wanted), (values, form)
        seen.add(form.final)
    names = {"string", "missing", "int", "uint", "float", "boolean", "date", "time", "local"}
    assert seen == names


@pytest.mark.parametrize("form", ["int", "uint", "float", "boolean", "date", "time", "local"])
def test_a_form_has_one_type(form: str) -> None:
    words = {"int": "1", "uint": "9223372036854775808", "float": "0.5", "boolean": "true",
             "date": "2024-01-31", "time": "2024-01-31T10:00Z",
             "local": "2024-01-31T10:00"}  # fmt: skip
    made = exact(pl.Series(["", words[form]]).replace("", None), form)
    assert made is not None
    assert made.dtype == typed(form)


@pytest.mark.parametrize("block", [64, 256, 1 << 24])
def test_a_csv_file_becomes_the_table_that_a_case_reads_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("trackrecord.data.ingest.delimited.BLOCK", block)
    draw = random.Random(block)
    for number in range(12):
        rows = draw.randint(1, 40)
        frame = pl.DataFrame(
            {
                f"c{index}": [
                    draw.choice(WORDS[kind] if draw.random() < 0.95 else WORDS[other]) or None
                    for _ in range(rows)
                ]
                for index, (kind, other) in enumerate(
                    (draw.choice([*WORDS]), draw.choice(["whole", "text", "fraction"]))
                    for _ in range(6)
                )
            }
        )
        path = tmp_path / f"{number}.csv"
        frame.write_csv(path, quote_style="always")
        source = Delimited(path, path.name, Read(format="csv"))
        done = convert(source, tmp_path / f"{number}.parquet", {})
        assert done.rows == rows
        wanted, made = read_table(path), read_table(tmp_path / f"{number}.parquet")
        kept = {column.name: column.kind for column in done.columns}
        # Times of which some have an offset and some have not stay text.
        mixed = {n for n in wanted.columns if kept[n] == "string" and wanted[n].dtype.is_temporal()}
        same = [name for name in wanted.columns if name not in mixed]
        assert_frame_equal(made.select(same), wanted.select(same))
        assert [column.missing for column in done.columns] == [
            series.null_count() for series in pl.read_parquet(tmp_path / f"{number}.parquet")
        ]
