"""A check finds what was planted: looks ahead, a built file that was changed, a wrong key."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.data.features.worlds import DAY0, TEXT, hours, library

from trackrecord.data.features.build import build
from trackrecord.data.features.check import FeaturesCheck, check
from trackrecord.data.features.look_ahead import audit_features
from trackrecord.data.features.serve import open_features
from trackrecord.data.features.spec import read_definition
from trackrecord.errors import BadInput


def checked(root: Path) -> FeaturesCheck:
    return check(root, read_definition(root, "visits"), rows=40)


def many(root: Path) -> Path:
    """More visits and loans than the four."""
    draw = np.random.default_rng(3)
    readers = np.array(["ann", "bob", "cem", "dan"])
    pl.DataFrame(
        {
            "id": [f"v{n}" for n in range(200)],
            "reader": readers[draw.integers(0, 4, 200)],
            "at": hours(*draw.integers(0, 900, 200).tolist()),
        }
    ).write_parquet(root / "data" / "visit.parquet")
    taken = draw.integers(0, 900, 300)
    pl.DataFrame(
        {
            "reader": readers[draw.integers(0, 4, 300)],
            "taken": hours(*taken.tolist()),
            "back": hours(*(taken + draw.integers(1, 200, 300)).tolist()),
            "book": draw.choice(["Emma", "Momo", "Dune"], 300),
            "pages": draw.integers(100, 900, 300),
            "overdue": draw.random(300) < 0.2,
        }
    ).write_parquet(root / "data" / "loan.parquet")
    return root


def test_sound_features_hold(tmp_path: Path) -> None:
    root = many(library(tmp_path).root)
    found = checked(root)
    assert found.holds
    assert found.parity.rows == 40
    assert found.look_ahead.verdict == "clean"
    assert found.look_ahead.compared > 1000
    assert found.availability.late == 0
    assert found.availability.features > 50
    assert found.built is None
    build(root, root / "evidence", read_definition(root, "visits"), tool="test")
    again = checked(root)
    assert again.holds
    assert again.built is not None
    assert again.built.rows == 200


AHEAD = {
    "tomorrow's rows stamped as yesterday's": "SELECT *, taken - INTERVAL 2 DAY AS t FROM loan",
    "an average over all time": """
        SELECT * REPLACE (avg(pages) OVER (PARTITION BY reader) AS pages), taken AS t FROM loan""",
    "the next row's value": """
        SELECT * REPLACE (lead(book) OVER (PARTITION BY reader ORDER BY taken) AS book), taken AS t
        FROM loan""",
}


@pytest.mark.parametrize("kind", AHEAD)
def test_sql_that_looks_ahead_is_proven_to(kind: str, tmp_path: Path) -> None:
    sql = f'sql = """{AHEAD[kind]}"""\nreads = {{ loan = "taken" }}'
    text = TEXT.replace('table = "loan"', sql).replace('time = "taken"', 'time = "t"')
    found = checked(many(library(tmp_path, text).root))
    assert not found.holds
    assert found.look_ahead.verdict == "leak"
    proof = found.look_ahead.first[0]
    assert proof.feature in ("loan_book", "pages_week", "loans_ever")
    assert proof.entity.startswith("reader ")
    assert proof.cut.endswith("Z")
    assert proof.made != proof.then


def test_sql_that_adds_up_the_past_is_clean(tmp_path: Path) -> None:
    past = """
        SELECT * REPLACE (sum(pages * 0.1) OVER (
            PARTITION BY reader ORDER BY taken, book, pages, back) AS pages) FROM loan"""
    sql = f'sql = """{past}"""\nreads = {{ loan = "taken" }}'
    found = checked(many(library(tmp_path, TEXT.replace('table = "loan"', sql)).root))
    assert found.look_ahead.verdict == "clean"


def test_what_is_known_late_must_be_said(tmp_path: Path) -> None:
    """Whether a book came back late is known when it is back: the raw table says so."""
    sql = 'sql = "SELECT * FROM loan"\nreads = { loan = "back" }'
    root = many(library(tmp_path, TEXT.replace('table = "loan"', sql)).root)
    assert checked(root).look_ahead.verdict == "leak"
    said = TEXT.replace('table = "loan"', sql)
    said = said.replace('time = "taken"', 'time = "taken"\navailable = "back"')
    (root / "features" / "visits.toml").write_text(said)
    assert checked(root).look_ahead.verdict == "clean"


def test_a_built_file_that_was_changed_is_found(tmp_path: Path) -> None:
    root = many(library(tmp_path).root)
    done = build(root, root / "evidence", read_definition(root, "visits"), tool="test")
    table = pl.read_parquet(done.path)
    table.with_columns(pages_week=pl.col("pages_week") + 1).write_parquet(done.path)
    found = checked(root)
    assert not found.holds
    assert found.built is not None
    assert found.built.different == 200


def test_keys_that_never_match_do_not_hold(tmp_path: Path) -> None:
    root = many(library(tmp_path).root)
    path = root / "data" / "loan.parquet"
    pl.read_parquet(path).with_columns(pl.col("reader").str.to_uppercase()).write_parquet(path)
    found = checked(root)
    assert not found.holds
    assert found.staleness[0].unmatched == found.staleness[0].rows == 200


def test_one_row_is_asked_for_alone(tmp_path: Path) -> None:
    root = library(tmp_path).root
    opened = open_features(root, read_definition(root, "visits"))
    at = DAY0 + datetime.timedelta(hours=200)
    assert opened.at({"reader": "ann"}, at) == {
        "loan_book": "Momo", "pages_week": 300.0, "loans_ever": 3,
    }  # fmt: skip
    assert opened.at({"reader": "nobody"}, at)["loans_ever"] == 0
    assert opened.at({"reader": None}, at)["loans_ever"] is None
    with pytest.raises(BadInput, match="has no 'reader'"):
        opened.at({"readr": "ann"}, at)
    with pytest.raises(BadInput, match="needs an offset"):
        opened.at({"reader": "ann"}, at.replace(tzinfo=None))


def frames(root: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    many(root)
    return tuple(pl.read_parquet(root / "data" / f"{n}.parquet") for n in ("loan", "visit"))  # type: ignore[return-value]


def mean_of_all(events: Any, rows: Any) -> pl.DataFrame:
    means = events.group_by("reader").agg(pl.col("pages").mean())
    return rows.join(means, on="reader", how="left", maintain_order="left").select("pages")


def latest(events: Any, rows: Any) -> pl.DataFrame:
    kept = events.sort("taken").unique(["reader", "taken"], keep="first", maintain_order=True)
    joined = rows.with_row_index().sort("at").join_asof(
        kept, left_on="at", right_on="taken", by="reader", allow_exact_matches=False,
        check_sortedness=False,
    )  # fmt: skip
    return joined.sort("index").select("book", "pages")


def test_a_function_of_one_s_own_is_called_and_not_read(tmp_path: Path) -> None:
    loans, visits = frames(library(tmp_path).root)
    known: dict[str, Any] = {"time": "at", "known": "taken"}
    leak = audit_features(mean_of_all, loans, visits, **known)
    assert leak.verdict == "leak"
    assert leak.features == ["pages"]
    assert audit_features(latest, loans, visits, **known).verdict == "clean"
    # The same function, asked the evening before, knows too much.
    ahead = audit_features(latest, loans, visits, known_by="18:00 the day before", **known)
    assert ahead.verdict == "leak"


def test_a_function_that_draws_lots_proves_nothing(tmp_path: Path) -> None:
    loans, visits = frames(library(tmp_path).root)
    draw = np.random.default_rng()
    found = audit_features(
        lambda events, rows: pl.DataFrame({"x": draw.random(rows.height)}),
        loans, visits, time="at", known="taken",
    )  # fmt: skip
    assert found.verdict == "undecided"
    with pytest.raises(BadInput, match="gave 300 rows for 200"):
        audit_features(lambda e, r: e, loans, visits, time="at", known="taken")
