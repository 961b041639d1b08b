"""Profiles of tables whose every figure is known."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.profile import measure, profile
from trackrecord.data.profile.profile import profile_file
from trackrecord.data.profile.result import Column, Profile
from trackrecord.errors import DataError


def profiled(frame: pl.DataFrame, folder: Path) -> Profile:
    frame.write_parquet(folder / "table.parquet")
    return profile_file(folder / "table.parquet")


def column(values: list[object] | pl.Series, folder: Path) -> Column:
    return profiled(pl.DataFrame({"x": values}, strict=False), folder).columns[0]


def codes(found: Column) -> list[str]:
    return [one.code for one in found.suspicions]


def test_numbers_are_told_as_numpy_tells_them(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(3, 2, 501)
    found = column([*values, None, math.nan], tmp_path)
    assert (found.missing, found.nan, found.distinct) == (2, 1, 501)
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std(ddof=1))
    for one in found.quantiles:
        assert float(one.value) == pytest.approx(np.quantile(values, one.level), rel=1e-5)
    assert found.histogram is not None
    assert found.histogram.counts == np.histogram(values, 24)[0].tolist()


def test_bars_hold_every_whole_number_once(tmp_path: Path) -> None:
    found = column([1, 2, 2, 3, 7], tmp_path)
    assert found.histogram is not None
    assert found.histogram.counts == [1, 2, 1, 0, 0, 0, 1]
    assert (found.frequent[0].value, found.frequent[0].rows) == ("2", 2)


def test_far_values_do_not_squeeze_the_others_into_one_bar(tmp_path: Path) -> None:
    found = column([*np.linspace(0, 1, 1000), 1e9], tmp_path)
    assert found.histogram is not None
    assert found.histogram.above == 1
    assert max(found.histogram.counts) < 200


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float), min_size=1, max_size=30
    )
)
def test_any_numbers_have_a_profile_whose_bars_hold_them_all(
    tmp_path_factory: pytest.TempPathFactory, values: list[float | None]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    found = column(pl.Series("x", values, dtype=pl.Float64), folder)
    finite = [v for v in values if v is not None and math.isfinite(v)]
    present = [v for v in values if v is not None and not math.isnan(v)]
    assert found.missing == len(values) - len(present)
    assert found.distinct == len({0.0 if v == 0 else v for v in present})
    shape = found.histogram
    assert (shape is None) == (not finite)
    if shape:
        assert sum(shape.counts) + shape.below + shape.above == len(finite)


def test_text_counts_missing_empty_and_lengths(tmp_path: Path) -> None:
    found = column(["a", "bb", "bb", "", None], tmp_path)
    assert (found.missing, found.empty, found.distinct) == (2, 1, 2)
    assert found.lengths[0] == 1
    assert found.lengths[2] == 2
    assert [(one.value, one.rows) for one in found.frequent] == [("bb", 2), ("a", 1)]


def test_many_texts_are_counted_by_a_sketch_that_says_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "EXACT_DISTINCT", 1000)
    texts = [f"t{n % 20_000}" for n in range(40_000)]
    found = column(texts, tmp_path)
    assert found.distinct_error == pytest.approx(0.0081, abs=1e-4)
    assert found.distinct == pytest.approx(20_000, rel=4 * 0.0081)
    # One that may be a key is counted exactly.
    whole = column([f"t{n}" for n in range(40_000)], tmp_path)
    assert (whole.distinct, whole.distinct_error) == (40_000, None)


def test_too_many_rows_are_sampled_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "MOST_ROWS", 1000)
    found = profiled(pl.DataFrame({"x": range(10_000)}), tmp_path)
    assert found.columns[0].sampled == 10
    assert found.keys == []
    assert "each 10th row" in found.notes[0]
    assert found.columns[0].mean == pytest.approx(4995.0)


def test_gaps_in_time_are_found_and_weekends_are_none(tmp_path: Path) -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(200)]
    working = [day for day in days if day.weekday() < 5]
    assert column(working, tmp_path).gap_count == 0
    holed = [day for day in working if not dt.date(2024, 3, 1) <= day < dt.date(2024, 3, 25)]
    found = column(holed, tmp_path)
    assert found.gap_count == 1
    assert (found.gaps[0].after, found.gaps[0].before) == ("2024-02-29", "2024-03-25")


def test_keys_are_single_columns_or_the_smallest_set(tmp_path: Path) -> None:
    pairs = pl.DataFrame({"a": [n // 10 for n in range(100)], "b": [n % 10 for n in range(100)],
                          "c": ["x"] * 100})  # fmt: skip
    assert profiled(pairs, tmp_path).keys == [["a", "b"]]
    assert profiled(pairs.with_row_index("id"), tmp_path).keys == [["id"]]
    doubled = pl.concat([pairs, pairs.head(3)])
    found = profiled(doubled, tmp_path)
    assert (found.keys, found.duplicate_rows) == ([], 3)


PLANTED: dict[str, list[object]] = {
    "constant": ["a"] * 100,
    "near-constant": ["a"] * 999 + ["b"],
    "all-missing": [None] * 30,
    "mostly-missing": [None] * 60 + list(range(40)),
    "nan": [1.5, math.nan] * 20,
    "id-like": [f"u{n}" for n in range(100)],
    "infinite": [1.0, math.inf] * 20,
    "text-numbers": [f"{n:,}" for n in range(990, 1090)],
    "text-dates": [f"{n % 28 + 1:02d}.02.2024" for n in range(100)],
    "spaces": ["a", "b "] * 20,
    "encoding": ["São", "SÃ£o"] * 20,
    "spellings": ["NY", "Ny", "NY ", "N.Y.", "Boston"] * 20,
    "mixed-units": [1.7 + n / 1000 if n % 3 else 170 + n / 10 for n in range(100)],
    "sentinel": [-999.0] * 5 + [n / 10 for n in range(100)],
}
SENTINELS: list[list[object]] = [
    [9999] * 4 + list(range(200)),
    [-1] * 9 + list(range(50)),
    [dt.date(1900, 1, 1)] * 3 + [dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(50)],
    ["N/A", "unknown"] * 3 + ["a", "b"] * 20,
]
HARMLESS: list[list[object]] = [
    [*range(100), *range(100), 99],  # 99 is an ordinary number here
    [-1] * 9 + list(range(-30, 50)),
    [f"{n:05d}" for n in range(400, 900)] * 2,  # postcodes
    ["Ã", "b"] * 20,  # a letter that is one
    ["1.5", "15", "1,5"] * 20 + ["x"] * 60,
    list(np.random.default_rng(2).lognormal(0, 2, 2000)),
    [dt.date(2000, 1, 1) + dt.timedelta(n) for n in range(60)] * 2,
    ["yes", "no"] * 30,
]


@pytest.mark.parametrize("code", PLANTED)
def test_what_is_planted_is_found(code: str, tmp_path: Path) -> None:
    assert code in codes(column(PLANTED[code], tmp_path))


@pytest.mark.parametrize("values", SENTINELS, ids=str)
def test_values_for_nothing_are_found(values: list[object], tmp_path: Path) -> None:
    assert "sentinel" in codes(column(values, tmp_path))


@pytest.mark.parametrize("values", HARMLESS, ids=lambda values: str(values[:3]))
def test_what_only_looks_alike_is_let_be(values: list[object], tmp_path: Path) -> None:
    assert codes(column(values, tmp_path)) == []


def test_units_in_text_are_told_with_their_rows(tmp_path: Path) -> None:
    found = column(["5 km"] * 30 + ["3 mi"] * 10, tmp_path)
    (one,) = [one for one in found.suspicions if one.code == "mixed-units"]
    assert "'km' (30), 'mi' (10)" in one.what
    assert one.rows == 10


@pytest.mark.parametrize("suffix", ["csv", "arrow"])
def test_other_formats_have_the_same_profile(suffix: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, None, 2.5]})
    path = tmp_path / f"table.{suffix}"
    (frame.write_csv if suffix == "csv" else frame.write_ipc)(path)
    assert profile_file(path).columns == profiled(frame, tmp_path).columns


def test_a_table_of_one_row_has_a_profile(tmp_path: Path) -> None:
    found = profiled(pl.DataFrame({"a": [1], "b": ["x"], "t": [dt.datetime(2024, 1, 1)]}), tmp_path)
    assert [one.suspicions for one in found.columns] == [[], [], []]
    assert found.columns[0].deviation is None


def test_hostile_names_are_columns_like_others(tmp_path: Path) -> None:
    names = ["^.*$", "*", "a.b", "[x]", "<script>", "\u202egnp", "value", "rows"]
    found = profiled(pl.DataFrame({name: [1, 2, 3] for name in names}), tmp_path)
    assert [one.name for one in found.columns] == names
    assert all(one.distinct == 3 for one in found.columns)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": []}, schema={"a": pl.Int64}).write_parquet(path)
    with pytest.raises(DataError, match="no rows"):
        profile_file(path)
    pl.DataFrame({"a": [[1]]}).write_parquet(path)
    with pytest.raises(DataError, match="the type"):
        profile_file(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="damaged"):
        profile_file(path)
