"""Contracts against tables whose broken rows are known."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.contract import offenders, sweep
from trackrecord.data.contract.changes import changes, is_announced
from trackrecord.data.contract.check import check_file
from trackrecord.data.contract.draft import draft_contract
from trackrecord.data.contract.outcome import Checked, Outcome
from trackrecord.data.contract.spec import Contract, decode_contract
from trackrecord.data.contract.written import contract_text
from trackrecord.data.profile.profile import profile_table
from trackrecord.data.profile.scan import scan_table
from trackrecord.errors import DataError
from trackrecord.stats.proportions import proportion

HEAD = 'contract = 1\nname = "trips"\nversion = "1.0.0"\n'
TRIPS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 5],
        "line": ["a", "b", "b", "x", None, "a"],
        "delay": [0.5, -3.0, 700.0, float("nan"), 2.0, 1.0],
        "leaves": [dt.datetime(2024, 1, day, 8) for day in range(1, 7)],
        "arrives": [dt.datetime(2024, 1, day, 7 if day == 2 else 9) for day in range(1, 7)],
    }
)


def contract(terms: str, head: str = HEAD) -> Contract:
    return decode_contract(head + terms, "trips.contract.toml")[0]


def checked(terms: str, folder: Path, frame: pl.DataFrame = TRIPS, **options: Any) -> Checked:
    frame.write_parquet(folder / "trips.parquet")
    return check_file(contract(terms, HEAD + 'other_columns = "allow"\n'),
                      folder / "trips.parquet", **options)  # fmt: skip


def outcome(name: str, found: Checked) -> Outcome:
    return next(one for one in found.outcomes if one.name == name)


BROKEN: dict[str, tuple[str, str, list[int], list[str]]] = {
    "range": (
        '[columns.delay]\ntype = "number"\nmin = -2\nmax = 600',
        "delay.range", [2, 3], ["-3", "700"],
    ),
    "allowed": (
        '[columns.line]\ntype = "string"\nallowed = ["a", "b"]', "line.allowed", [4], ["x"],
    ),
    "pattern": ('[columns.line]\ntype = "string"\npattern = "[ab]"', "line.pattern", [4], ["x"]),
    "required": ('[columns.line]\ntype = "string"\nrequired = true', "line.required", [5],
                 ["missing"]),
    "nan is missing": ('[columns.delay]\ntype = "number"\nrequired = true', "delay.required", [4],
                       ["missing"]),
    "unique": ('[columns.id]\ntype = "integer"\nunique = true', "id.unique", [5, 6], ["5 (2×)"]),
    "key": ('key = ["id"]\n[columns.id]\ntype = "integer"', "key", [5, 6], ["5 (2×)"]),
    "not whole": ('[columns.delay]\ntype = "integer"', "delay.type", [1], ["0.5"]),
    "not a number": ('[columns.line]\ntype = "number"', "line.type", [1, 2, 3, 4, 6],
                     ["a (2×)", "b (2×)", "x"]),
    "a moment": ('[columns.leaves]\ntype = "time"\nmax = 2024-01-05T08:00:00Z', "leaves.range",
                 [6], ["2024-01-06T08:00:00Z"]),
    "sql": (
        '[columns.leaves]\ntype = "time"\n[columns.arrives]\ntype = "time"\n'
        '[[rule]]\nname = "in_order"\nsql = "arrives >= leaves"',
        "in_order", [2],
        ["arrives = 2024-01-02T07:00:00Z, leaves = 2024-01-02T08:00:00Z"],
    ),
    "sql passes what is unknown": (
        '[columns.line]\ntype = "string"\n[[rule]]\nname = "known"\nsql = "line IN (\'a\', \'b\')"',
        "known", [4], ["x"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_names_rows_values_and_share(case: str, tmp_path: Path) -> None:
    terms, name, rows, values = BROKEN[case]
    found = checked(terms, tmp_path, quarantine=tmp_path / "quarantine")
    one = outcome(name, found)
    assert not found.holds
    assert (one.status, one.first_rows[: len(rows)], one.failed) == ("failed", rows, len(rows))
    assert one.values == values
    assert one.share == len(rows) / 6
    assert (one.lo, one.hi) == proportion(len(rows), 6)
    kept = pl.read_parquet(tmp_path / "quarantine" / f"trips-{name}.parquet")
    assert kept["row"].to_list() == rows
    assert kept.columns == ["row", *TRIPS.columns]


def test_a_table_that_keeps_its_contract_holds_and_leaves_no_quarantine(tmp_path: Path) -> None:
    terms = '[columns.line]\ntype = "string"\nallowed = ["a", "b", "x"]'
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "trips-old.parquet").touch()
    (tmp_path / "q" / "other-old.parquet").touch()
    assert checked(terms, tmp_path, quarantine=tmp_path / "q").holds
    assert [path.name for path in (tmp_path / "q").iterdir()] == ["other-old.parquet"]


def test_a_few_missing_values_may_be_let_be(tmp_path: Path) -> None:
    terms = '[columns.line]\ntype = "string"\nmax_missing = {}'
    assert checked(terms.format(0.2), tmp_path).holds
    assert not checked(terms.format(0.1), tmp_path).holds


def test_columns_that_are_gone_or_new_are_named_and_their_rules_not_checked(tmp_path: Path) -> None:
    terms = (
        '[columns.gone]\ntype = "integer"\nmin = 1\n[columns.id]\ntype = "integer"\n'
        '[[rule]]\nname = "uses_it"\nsql = "gone > id"'
    )
    TRIPS.write_parquet(tmp_path / "t.parquet")
    found = check_file(contract(terms), tmp_path / "t.parquet")
    assert outcome("columns", found).detail == "not there: gone"
    assert outcome("other_columns", found).detail == (
        "not in the contract: line, delay, leaves, arrives"
    )
    for name in ("gone.type", "gone.range", "uses_it"):
        assert outcome(name, found).status == "not checked"


def test_a_table_without_rows_breaks_the_number_of_rows_and_nothing_else(tmp_path: Path) -> None:
    terms = (
        '[rows]\nmin = 1\n[columns.id]\ntype = "integer"\nrequired = true\nunique = true\nmin = 1'
    )
    found = checked(terms, tmp_path, TRIPS.clear())
    assert [one.name for one in found.outcomes if one.status != "held"] == ["rows"]


def test_all_null_columns_break_required_only(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": pl.Series([None, None], dtype=pl.Null)})
    terms = '[columns.id]\ntype = "integer"\nmin = 1\nunique = true'
    assert checked(terms, tmp_path, frame).holds
    found = checked(terms + "\nrequired = true", tmp_path, frame)
    assert outcome("id.required", found).failed == 2


def test_foreign_keys_find_values_that_the_other_source_lacks(tmp_path: Path) -> None:
    pl.DataFrame({"code": ["a", "b"]}).write_parquet(tmp_path / "lines.parquet")
    terms = (
        '[columns.line]\ntype = "string"\n'
        '[[foreign_key]]\ncolumns = ["line"]\nsource = "lines"\nreferences = ["code"]'
    )
    one = outcome("foreign_key.1", checked(terms, tmp_path, sources=tmp_path))
    assert (one.failed, one.first_rows, one.values) == (1, [4], ["x"])
    with pytest.raises(DataError, match="no source 'lines'"):
        checked(terms, tmp_path, sources=tmp_path / "elsewhere")
    with pytest.raises(DataError, match="no column 'wrong'"):
        checked(terms.replace('"code"', '"wrong"'), tmp_path, sources=tmp_path)


def test_foreign_keys_are_sought_among_built_tables_too(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    pl.DataFrame({"code": ["a", "x"], "id": [1, 4]}).write_parquet(tmp_path / "built/pairs.parquet")
    terms = (
        '[columns.id]\ntype = "integer"\n[columns.line]\ntype = "string"\n[[foreign_key]]\n'
        'columns = ["line", "id"]\nsource = "pairs"\nreferences = ["code", "id"]'
    )
    one = outcome("foreign_key.1", checked(terms, tmp_path, sources=tmp_path))
    assert (one.failed, one.first_rows) == (3, [2, 3, 6])


PIECES = """
[columns.n]
type = "integer"
min = 10
[columns.word]
type = "string"
allowed = ["a", "b"]
max_missing = 0.2
[columns.key]
type = "string"
unique = true
[[rule]]
name = "small"
sql = "n < 900 OR word = 'a'"
"""


def test_a_table_in_many_pieces_is_checked_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 1_000
    draw = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "n": draw.permutation(n),
            "word": draw.choice(["a", "b", "c", None], n, p=[0.4, 0.4, 0.1, 0.1]),
            "key": [str(i % 990) for i in range(n)],
            "other": draw.normal(size=n),
        }
    )
    whole = checked(PIECES, tmp_path, frame, quarantine=tmp_path / "whole")
    monkeypatch.setattr(sweep, "PIECE_CELLS", 64)
    monkeypatch.setattr(offenders, "HELD_ROWS", 7)
    frame.write_parquet(tmp_path / "trips.parquet", row_group_size=9)
    made = contract(PIECES, HEAD + 'other_columns = "allow"\n')
    pieces = check_file(made, tmp_path / "trips.parquet", quarantine=tmp_path / "pieces")
    assert outcome("word.required", whole).status == "held"
    assert outcome("small", whole).status == outcome("key.unique", whole).status == "failed"
    for one, other in zip(whole.outcomes, pieces.outcomes, strict=True):
        assert msgspec.structs.replace(one, quarantine=None) == (
            msgspec.structs.replace(other, quarantine=None)
        )
        if one.quarantine and other.quarantine:
            assert pl.read_parquet(one.quarantine).equals(pl.read_parquet(other.quarantine))
    files = {path.name for path in (tmp_path / "pieces").iterdir()}
    assert files == {path.name for path in (tmp_path / "whole").iterdir()}
    assert files == {f"trips-{name}.parquet" for name in
                     ("n.range", "word.allowed", "key.unique", "small")}  # fmt: skip


def test_more_missing_values_than_are_let_be_are_kept_aside(tmp_path: Path) -> None:
    terms = '[columns.line]\ntype = "string"\nmax_missing = {}'
    assert checked(terms.format(0.2), tmp_path, quarantine=tmp_path / "q").holds
    assert not (tmp_path / "q").exists()
    one = outcome("line.required", checked(terms.format(0.1), tmp_path, quarantine=tmp_path / "q"))
    assert (one.failed, one.first_rows, one.values) == (1, [5], ["missing"])
    assert pl.read_parquet(str(one.quarantine))["row"].to_list() == [5]


def test_a_file_that_is_damaged_further_down_is_said_to_be_and_leaves_no_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PIECE_CELLS", 1)
    monkeypatch.setattr(offenders, "HELD_ROWS", 1)
    path = tmp_path / "t.parquet"
    noise = np.random.default_rng(0).integers(0, 1 << 60, 4_000)
    pl.DataFrame({"n": noise}).write_parquet(path, row_group_size=1_000)
    raw = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    raw[start : start + 60] = b"\xff" * 60
    path.write_bytes(bytes(raw))
    terms = '[columns.n]\ntype = "integer"\nmax = 5'
    with pytest.raises(DataError, match="damaged"):
        check_file(contract(terms), path, quarantine=tmp_path / "q")
    assert not list((tmp_path / "q").glob("*"))


def test_freshness_is_judged_at_a_moment(tmp_path: Path) -> None:
    terms = '[columns.leaves]\ntype = "time"\n[freshness]\ncolumn = "leaves"\nmax_age = "36 hours"'
    newest = dt.datetime(2024, 1, 6, 8, tzinfo=dt.UTC)
    assert checked(terms, tmp_path, now=newest + dt.timedelta(hours=36)).holds
    found = checked(terms, tmp_path, now=newest + dt.timedelta(hours=37))
    assert "1.5 days ago" in str(outcome("freshness", found).detail)


def test_text_of_a_csv_stays_text_where_the_contract_says_so(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,zip\n1,501\n2,10115\n")
    terms = '[columns.id]\ntype = "integer"\n[columns.zip]\ntype = "string"\npattern = "[0-9]{5}"'
    one = outcome("zip.pattern", check_file(contract(terms), tmp_path / "new.csv"))
    assert (one.first_rows, one.values) == ([1], ["501"])


def test_hostile_names_are_checked_and_stay_in_the_quarantine_folder(tmp_path: Path) -> None:
    names = ["^.*$", "*", "../../up", 'a"b', "row", "é\n"]
    frame = pl.DataFrame({name: [1, -1] for name in names})
    frame.write_parquet(tmp_path / "t.parquet")
    terms = {name: {"type": "integer", "min": 0, "unique": True} for name in names}
    made = msgspec.convert(
        {"contract": 1, "name": "t", "version": "1.0.0", "columns": terms, "key": names}, Contract
    )
    assert decode_contract(contract_text(made), "t")[0] == made
    found = check_file(made, tmp_path / "t.parquet", quarantine=tmp_path / "q")
    failed = [one for one in found.outcomes if one.status == "failed"]
    assert [one.name for one in failed] == [f"{name}.range" for name in names]
    assert [one.first_rows for one in failed] == [[2]] * len(names)
    assert len(list((tmp_path / "q").glob("t-*.parquet"))) == len(names)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.none() | st.integers(-50, 50), max_size=30),
    st.integers(-60, 60),
    st.integers(0, 60),
)
def test_counts_are_those_of_a_loop(
    tmp_path_factory: pytest.TempPathFactory, values: list[int | None], low: int, width: int
) -> None:
    folder = tmp_path_factory.mktemp("loop")
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Int64)})
    terms = (
        f'[columns.x]\ntype = "integer"\nmin = {low}\nmax = {low + width}\nunique = true\n'
        f'required = true\n[[rule]]\nname = "even"\nsql = "x % 2 = 0"'
    )
    found = checked(terms, folder, frame)
    there = [v for v in values if v is not None]
    assert outcome("x.range", found).failed == sum(not low <= v <= low + width for v in there)
    assert outcome("x.required", found).failed == len(values) - len(there)
    assert outcome("x.unique", found).failed == sum(there.count(v) > 1 for v in there)
    assert outcome("even", found).failed == sum(v % 2 != 0 for v in there)


REFUSED = {
    "max of the column": ('[columns.a]\ntype = "integer"\nmax = nan', "NaN is in no range"),
    "the range of 'a' is empty": ('[columns.a]\ntype = "number"\nmin = 2\nmax = 1', "no value"),
    "there is no key 'requierd'": ('[columns.a]\ntype = "string"\nrequierd = true', "required"),
    "names 'aa'": ('key = ["aa"]\n[columns.a]\ntype = "string"', "'a'"),
    "not valid TOML": ('[columns.a]\ntype = "string"\n[columns.a]\ntype = "date"', "declare"),
    "pattern of 'a'": ('[columns.a]\ntype = "string"\npattern = "(["', "error"),
    "rows.min": ('[rows]\nmin = 2\nmax = 1\n[columns.a]\ntype = "string"', "no table"),
    "is not an age": ('[columns.a]\ntype = "date"\n[freshness]\ncolumn="a"\nmax_age="soon"',
                      "like"),
    "two rules": ('[columns.a]\ntype="date"\n' + 2 * '[[rule]]\nname="r"\nsql="a"\n', "None"),
    "cannot be called": ('[columns.a]\ntype = "date"\n[[rule]]\nname = "key"\nsql = "a"', "whole"),
    "min of the string": ('[columns.a]\ntype = "string"\nmin = 1', "range"),
    "min of the column": ('[columns.a]\ntype = "date"\nmin = "31.02.2024"', "2024-01-31"),
    "no value of 'a'": ('[columns.a]\ntype = "string"\nallowed = []', "empty"),
    "promises nothing": ("columns = {}", "None"),
    "Invalid enum": ('[columns.a]\ntype = "text"', "None"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_terms_that_mean_nothing_are_refused_with_their_line(what: str) -> None:
    terms, why = REFUSED[what]
    with pytest.raises(DataError) as caught:
        contract(terms)
    assert what in caught.value.what
    assert why in str(caught.value.why)
    assert str(caught.value.where).startswith("trips.contract.toml")


BASE = (
    'key = ["id"]\n[rows]\nmin = 10\n[columns.id]\ntype = "integer"\n'
    '[columns.line]\ntype = "string"\nallowed = ["a", "b"]\n'
    '[columns.delay]\ntype = "number"\nmin = 0\nmax = 60\n'
)
CHANGED = [
    ('[columns.delay]\ntype = "number"\nmin = 0\nmax = 60\n', "", "'delay' is removed", "readers"),
    ("max = 60", "max = 50", "tightened", "data"),
    ("max = 60", "max = 70", "loosened", "readers"),
    ("min = 0", "", "loosened", "readers"),
    ('"number"', '"integer"', "narrowed", "data"),
    ('"integer"', '"number"', "widened", "readers"),
    ('["a", "b"]', '["a"]', "no longer be 'b'", "data"),
    ('["a", "b"]', '["a", "b", "c"]', "now be 'c'", "readers"),
    ('[columns.id]\ntype = "integer"', '[columns.id]\ntype = "integer"\nunique = true',
     "now unique", "data"),
    ("min = 10", "min = 5", "loosened", "readers"),
    ('key = ["id"]', "", "key: id → none", "readers"),
    ('[columns.id]\n', '[columns.new]\ntype = "date"\n[columns.id]\n', "'new' is added", "data"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what", "breaks"), CHANGED)
def test_a_change_says_whom_it_breaks(old: str, new: str, what: str, breaks: str) -> None:
    assert old in BASE
    (found,) = changes(contract(BASE), contract(BASE.replace(old, new, 1)))
    assert what in found.what
    assert found.breaks == [breaks]
    assert changes(contract(BASE), contract(BASE)) == []


def test_a_breaking_change_is_announced_by_the_first_number() -> None:
    old, minor, major = (
        contract(BASE, HEAD.replace("1.0.0", version)) for version in ("1.0.0", "1.9.0", "2.0.0")
    )
    assert not is_announced(old, minor)
    assert is_announced(old, major)


VALUE = st.none() | st.floats()
TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=4)
MOMENT = st.none() | st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_drafted_contract_reads_back_and_its_own_data_keep_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, 30))
    many = {"min_size": rows, "max_size": rows}
    frame = pl.DataFrame(
        {
            data.draw(TEXT.filter(bool)) or "a": data.draw(st.lists(TEXT, **many)),
            "float": pl.Series(
                data.draw(st.lists(st.none() | st.floats(), **many)), dtype=pl.Float64
            ),
            "whole": pl.Series(data.draw(st.lists(st.integers(-(2**62), 2**62), **many))),
            "when": pl.Series(data.draw(st.lists(MOMENT, **many)), dtype=pl.Datetime("us")),
            "day": pl.Series(data.draw(st.lists(st.dates(), **many)), dtype=pl.Date),
        }
    )
    path = tmp_path_factory.mktemp("draft") / "t.parquet"
    frame.write_parquet(path)
    table = scan_table(path)
    text = draft_contract(table, profile_table(table, "t"), "t")
    drafted, line_of = decode_contract(text, "t")
    found = check_file(drafted, path, line_of=line_of)
    assert [one for one in found.outcomes if one.status != "held"] == []
    assert decode_contract(contract_text(drafted), "t")[0] == drafted
