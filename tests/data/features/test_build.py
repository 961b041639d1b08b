"""Features of a small workspace: what is written, what is recorded, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from tests.data.features.worlds import TEXT, hours, library

from trackrecord.data.features.build import Built, build
from trackrecord.data.features.spec import read_definition
from trackrecord.errors import BadInput, DataError, TrackrecordError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.ledger.store import file_sha256

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"


def built(root: Path, name: str = "visits") -> Built:
    return build(root, root / "evidence", read_definition(root, name), tool="test")


def made(root: Path, name: str = "visits") -> pl.DataFrame:
    return pl.read_parquet(built(root, name).path)


def refused(root: Path) -> TrackrecordError:
    with pytest.raises(TrackrecordError) as caught:
        built(root)
    assert not list((root / "data").rglob("*.new"))
    assert not (root / "data" / "built" / "visits.parquet").exists()
    return caught.value


def test_features_stand_beside_their_rows(tmp_path: Path) -> None:
    found = made(library(tmp_path).root)
    assert found.columns == ["id", "reader", "at", "loan_book", "pages_week", "loans_ever"]
    assert found["id"].to_list() == ["v1", "v2", "v3", "v4"]
    # The loan at the very time of v1 does not count: it is not before it.
    assert found["loan_book"].to_list() == ["Emma", "Momo", "Dune", None]
    assert found["pages_week"].to_list() == [400.0, 300.0, 600.0, 0.0]
    assert found["loans_ever"].to_list() == [1, 3, 1, 0]


def test_a_build_is_recorded(tmp_path: Path) -> None:
    root = library(tmp_path).root
    done = built(root)
    entry = read_chain(root / "evidence")[done.entry.seq]
    statement = read_evidence(root / "evidence", entry.evidence or "")
    assert entry.kind == "features"
    digests = {subject.name: subject.digest["sha256"] for subject in statement.subject}
    assert digests == {
        name: file_sha256(root / name)
        for name in ("data/built/visits.parquet", "features/visits.toml", "data/visit.parquet",
                     "data/loan.parquet")
    }  # fmt: skip
    schema = json.loads((SCHEMAS / "features.json").read_text("utf-8"))
    jsonschema.validate(statement.predicate, schema)
    (view,) = done.predicate.views
    assert (view.matched, view.unmatched, view.events) == (3, 1, 4)
    assert view.ages is not None
    assert (view.ages.least, view.ages.greatest) == (1.0, 10.0)
    assert view.lo < 0.25 < view.hi


def test_an_event_counts_when_it_is_available(tmp_path: Path) -> None:
    root = library(tmp_path, TEXT.replace('time = "taken"', 'time = "taken"\navailable = "back"'))
    # Emma came back at 50, Ulysses at 60, Momo not before v2 at 200.
    found = made(root.root)
    assert found["loan_book"].to_list() == [None, "Ulysses", None, None]
    assert found["loans_ever"].to_list() == [0, 2, 0, 0]


def test_a_delay_is_waited_for(tmp_path: Path) -> None:
    text = TEXT.replace('time = "taken"', 'time = "taken"\navailable = "5 hours after"')
    found = made(library(tmp_path, text).root)
    assert found["loans_ever"].to_list() == [0, 3, 0, 0]


def test_an_old_latest_value_is_missing(tmp_path: Path) -> None:
    text = TEXT.replace('time = "taken"', 'time = "taken"\nmax_age = "5 hours"')
    found = made(library(tmp_path, text).root)
    assert found["loan_book"].to_list() == ["Emma", None, "Dune", None]


SQL = '''sql = """
SELECT reader, taken, upper(book) AS book, pages FROM loan
WHERE NOT overdue
"""
reads = { loan = "taken" }'''


def test_a_view_may_be_sql(tmp_path: Path) -> None:
    found = made(library(tmp_path, TEXT.replace('table = "loan"', SQL)).root)
    assert found["loan_book"].to_list() == ["EMMA", "MOMO", None, None]


def test_only_kept_columns_go_along(tmp_path: Path) -> None:
    text = TEXT.replace('key = ["id"]', 'key = ["id"]\nkeep = []')
    found = made(library(tmp_path, text).root)
    assert found.columns == ["id", "loan_book", "pages_week", "loans_ever"]


def test_nothing_is_known_before_it_happened(tmp_path: Path) -> None:
    root = library(tmp_path, TEXT.replace('time = "taken"', 'time = "back"\navailable = "taken"'))
    done = built(root.root)
    assert done.predicate.views[0].early == 4
    assert pl.read_parquet(done.path)["loans_ever"].to_list() == [0, 2, 0, 0]


def test_no_event_and_one_event(tmp_path: Path) -> None:
    root = library(tmp_path).root
    loans = pl.read_parquet(root / "data" / "loan.parquet")
    loans.head(0).write_parquet(root / "data" / "loan.parquet")
    found = made(root)
    assert found["loans_ever"].to_list() == [0, 0, 0, 0]
    assert found["loan_book"].null_count() == 4
    assert found["pages_week"].to_list() == [0.0] * 4
    loans.head(1).write_parquet(root / "data" / "loan.parquet")
    assert made(root)["loans_ever"].to_list() == [1, 1, 0, 0]


def test_missing_keys_and_times_match_nothing(tmp_path: Path) -> None:
    root = library(tmp_path).root
    path = root / "data" / "loan.parquet"
    loans = pl.read_parquet(path)
    lost = loans.with_columns(
        reader=pl.Series(["ann", None, "ann", None]), taken=hours(5, 6, None, 29)
    )
    lost.write_parquet(path)
    visits = pl.read_parquet(root / "data" / "visit.parquet")
    visits.with_columns(
        reader=pl.Series([None, "ann", "bob", "cem"]), at=hours(10, None, 30, 40)
    ).write_parquet(root / "data" / "visit.parquet")
    done = built(root)
    view = done.predicate.views[0]
    assert (view.timeless, view.keyless, view.matched) == (1, 2, 0)
    # Of nobody, and of no time, not even a count is known.
    assert pl.read_parquet(done.path)["loans_ever"].to_list() == [None, None, 0, 0]


# what the tables become, and a word of the answer
Change = dict[str, pl.Series]
TABLES: dict[str, tuple[str, Change, str]] = {
    "keys of another kind": ("loan", {"reader": pl.Series([1, 1, 1, 2])}, "text in the rows and a"),
    "text for times": ("loan", {"taken": pl.Series(["2024-01-01"] * 4)}, "does not hold times"),
    "days for times": ("loan", {"taken": pl.Series(["2024-01-01"] * 4).str.to_date()},
                       "when the day is over"),
    "text for numbers": ("loan", {"pages": pl.Series(list("abcd"))}, "sum is of numbers"),
    "truth for numbers": ("loan", {"pages": pl.Series([True] * 4)}, "take the share"),
    "numbers for the time of the rows": ("visit", {"at": pl.Series([1, 2, 3, 4])}, "rows.time"),
    "doubled rows": ("visit", {"id": pl.Series(["v1", "v2", "v1", "v4"])}, "in rows 1, 3"),
    "a column of a feature's name": ("visit", {"loan_book": pl.Series(list("abcd"))}, "prefix"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_what_cannot_be_joined_is_refused(case: str, tmp_path: Path) -> None:
    table, change, word = TABLES[case]
    root = library(tmp_path).root
    path = root / "data" / f"{table}.parquet"
    pl.read_parquet(path).with_columns(**change).write_parquet(path)
    error = refused(root)
    assert word in str(error) + repr(getattr(error, "key", ""))
    assert (error.where or "").startswith("features/visits.toml:")
    assert error.next


# what the definition says instead, and a word of the answer
SAID = {
    "a table that is not there": ('table = "loan"', 'table = "lean"', "did you mean 'loan'?"),
    "a key that is not there": ('by = ["reader"]', 'by = ["readr"]', "did you mean 'reader'?"),
    "a column that is not there": ('sum = "pages"', 'sum = "page"', "did you mean 'pages'?"),
    "an availability not there": ('prefix = "loan_"', 'available = "bakc"', "6 hours after"),
    "a time that is not there": ('time = "at"', 'time = "att"', "did you mean 'at'?"),
    "a row's column not there": ('key = ["id"]', 'key = ["ids"]', "did you mean 'id'?"),
    "a default of another kind": ("default = 0", 'default = "none"', "of another kind"),
    "sql that is none": ('table = "loan"', SQL.replace("SELECT", "SELCT"), "syntax error"),
    "sql on what it does not name": ('table = "loan"', SQL.replace("FROM loan", "FROM visit"),
                                     "named under reads"),
    "sql that reads the outside": ('table = "loan"',
                                   SQL.replace("FROM loan", "FROM read_csv('/etc/passwd')"),
                                   "disabled"),
    "sql that deletes": ('table = "loan"', SQL.replace("SELECT", "DELETE FROM loan; SELECT"), ""),
    "sql that answers a column twice": ('table = "loan"',
                                        SQL.replace("pages FROM", "pages, pages FROM"), ""),
    "sql that is no question": ('table = "loan"',
                                'sql = "CREATE TABLE x (a int)"\nreads = { loan = "taken" }',
                                "needs a column 'reader'"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_the_tables_have_not_is_refused(case: str, tmp_path: Path) -> None:
    old, new, word = SAID[case]
    assert old in TEXT
    root = library(tmp_path, TEXT.replace(old, new)).root
    error = refused(root)
    assert isinstance(error, DataError)
    assert word in str(error)
    assert (error.where or "").startswith("features/visits.toml:")
    assert error.next
    assert pl.read_parquet(root / "data" / "loan.parquet").height == 4


def test_no_rows_are_no_features(tmp_path: Path) -> None:
    root = library(tmp_path).root
    path = root / "data" / "visit.parquet"
    pl.read_parquet(path).head(0).write_parquet(path)
    assert "has no rows" in refused(root).what


def test_a_broken_table_is_told(tmp_path: Path) -> None:
    root = library(tmp_path).root
    (root / "data" / "loan.parquet").write_bytes(b"PAR1 no")
    assert "cannot be read" in refused(root).what


@pytest.mark.parametrize("other", ["data/visits.parquet", "pipeline/10_visits.sql"])
def test_a_taken_name_is_not_taken_again(other: str, tmp_path: Path) -> None:
    root = library(tmp_path).root
    (root / other).parent.mkdir(exist_ok=True)
    (root / other).write_bytes(b"x")
    with pytest.raises(BadInput, match="the name 'visits' is taken"):
        built(root)


def test_a_view_without_keys_is_of_everything(tmp_path: Path) -> None:
    found = made(library(tmp_path, TEXT.replace('by = ["reader"]', "by = []")).root)
    assert found["loans_ever"].to_list() == [1, 4, 3, 3]
