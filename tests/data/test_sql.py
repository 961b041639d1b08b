"""A query sees the tables it was handed; the rest of the machine is closed to it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from trackrecord.data.sql import closed_database
from trackrecord.errors import DataError

REFUSED = [
    "DELETE FROM t",
    "UPDATE t SET a = 0",
    "INSERT INTO t VALUES (9)",
    "ATTACH '{folder}/other.db'",
    "COPY t TO '{folder}/out.csv'",
    "EXPORT DATABASE '{folder}/out'",
    "SELECT * FROM '{folder}/t.parquet'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '99GB'",
    "SET enable_external_access = true",
    "SELECT * FROM secret_frame",
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    pl.DataFrame({"a": [3, 1, 2]}).write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_a_query_reads_its_tables(table: Path) -> None:
    with closed_database({"t": table}) as database:
        assert database.execute("SELECT sum(a), count(*) FROM t").fetchall() == [(6, 3)]


@pytest.mark.parametrize("query", REFUSED)
def test_the_outside_is_closed(table: Path, query: str) -> None:
    secret_frame = pl.DataFrame({"a": [1]})
    before = table.read_bytes()
    with closed_database({"t": table}) as database, pytest.raises(duckdb.Error):
        database.execute(query.format(folder=table.parent)).fetchall()
    assert secret_frame.height == 1
    assert table.read_bytes() == before
    assert [path.name for path in table.parent.iterdir()] == ["t.parquet"]


def test_what_does_not_fit_is_spilled(tmp_path: Path) -> None:
    rows = pl.int_range(0, 2_000_000, eager=True).alias("a")
    table = tmp_path / "t.parquet"
    pl.DataFrame({"a": rows, "b": rows.hash(1).cast(pl.String)}).write_parquet(table)
    sorted_rows = "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY b) AS n FROM t)"
    with closed_database({"t": table}, memory=64 << 20) as database, pytest.raises(duckdb.Error):
        database.execute(sorted_rows).fetchall()
    with closed_database({"t": table}, spill=tmp_path / "spill", memory=64 << 20) as database:
        assert database.execute(sorted_rows).fetchall() == [(2_000_000,)]


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("a,b\n1,2\n")
    with (
        pytest.raises(DataError, match="the table t cannot be read"),
        closed_database({"t": tmp_path / "t.parquet"}),
    ):
        pass
    with pytest.raises(DataError), closed_database({"t": tmp_path / "nothing.parquet"}):
        pass
