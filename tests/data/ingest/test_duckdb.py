"""Sources from DuckDB files, which can say and do nothing but answer one SELECT."""

from __future__ import annotations

import signal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from tests.cli.conftest import Told, digests, trackrecord

from trackrecord.data.ingest import ducks

SHOP = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE orders (id INTEGER, zip VARCHAR, price DECIMAL(9, 2), paid BOOLEAN, day DATE,
                     moment TIMESTAMPTZ, clock TIMESTAMP, mood mood, key UUID, many HUGEINT);
INSERT INTO orders VALUES
 (1, '01234', 9.50, true, '2024-01-31', '2024-01-31 10:00:00+02', '2024-01-31 10:00', 'glad',
  '00000000-0000-0000-0000-000000000001', 7), (2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 8);
CREATE VIEW paid AS SELECT id, zip FROM orders WHERE paid;
CREATE VIEW stolen AS SELECT * FROM read_csv('PASSWD', sep = '|', header = false);
CREATE TABLE lists AS SELECT [1, 2] AS a;
CREATE TABLE long AS SELECT i AS id, i / 7 AS x FROM range(300000) AS r(i);
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("duck") / "shop.duckdb"
    words = path.with_name("words.txt")
    words.write_text("stolen words")
    with duckdb.connect(str(path)) as connection:
        connection.execute(SHOP.replace("PASSWD", str(words)))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trackrecord("init", tmp_path / "w")
    return tmp_path / "w"


def add(root: Path, shop: Path, *words: str) -> Told:
    return trackrecord("data", "add", shop, "--name", "t", *words, "--json", at=root)


def made(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / "data/t.parquet")


def test_a_table_has_the_kinds_of_its_columns(root: Path, shop: Path) -> None:
    told = add(root, shop, "--table", "orders")
    assert {c["name"]: c["kind"] for c in told.json["source"]["column"]} == {
        "id": "number", "zip": "string", "price": "number", "paid": "boolean", "day": "date",
        "moment": "time", "clock": "time", "mood": "string", "key": "string", "many": "number",
    }  # fmt: skip
    assert made(root)["zip"].to_list() == ["01234", None]
    assert made(root)["many"].to_list() == [7, 8]
    assert str(made(root)["moment"][0]) == "2024-01-31 08:00:00+00:00"


@pytest.mark.slow
def test_a_view_and_a_query_are_tables(root: Path, shop: Path) -> None:
    assert add(root, shop, "--table", "paid").code == 0
    assert made(root).rows() == [(1, "01234")]
    told = add(root, shop, "--replace", "--query", "SELECT sum(id) AS n FROM orders")
    assert told.code == 0, told.out
    assert made(root).rows() == [(3,)]
    assert add(root, shop, "--replace", "--table", "long").json["source"]["rows"] == 300_000


def test_a_table_has_to_be_said_where_there_are_several(root: Path, shop: Path) -> None:
    error = add(root, shop).json["error"]
    assert "lists, long, orders, paid, stolen" in error["why"]
    assert add(root, shop, "--table", "order").json["error"]["why"] == "did you mean 'orders'?"


QUERIES = [
    "SELECT * FROM stolen", "SELECT 1; DROP TABLE orders", "SELECT * FROM read_text('{words}')",
    "SELECT * FROM '{words}'", "SELECT * FROM read_csv('{words}')", "SELECT * FROM glob('/etc/*')",
    "ATTACH '{words}' AS other", "COPY orders TO '{words}'", "INSTALL httpfs", "LOAD httpfs",
    "SET enable_external_access = true", "DELETE FROM orders", "CREATE TABLE x AS SELECT 1",
    "EXPORT DATABASE '{words}'", "PRAGMA database_list", "", "SELECT", "SELECT gone FROM orders",
    "SELECT * FROM sqlite_scan('{words}', 't')", "SELECT getenv('HOME')", "EXPLAIN SELECT 1",
    "USE other",
]  # fmt: skip


@pytest.mark.parametrize(
    "query", [*QUERIES[:2], *(pytest.param(one, marks=pytest.mark.slow) for one in QUERIES[2:])]
)
def test_a_query_reads_this_file_and_does_nothing_else(root: Path, shop: Path, query: str) -> None:
    before, words = shop.read_bytes(), shop.with_name("words.txt")
    state = digests(root)
    told = add(root, shop, "--query", query.format(words=words))
    assert told.code == 2
    assert "does not answer" in told.json["error"]["what"] or not query
    assert told.json["error"]["next"]
    assert shop.read_bytes() == before
    assert words.read_text() == "stolen words"
    assert digests(root) == state


def test_a_column_of_lists_is_refused(root: Path, shop: Path) -> None:
    assert "which a case cannot use" in add(root, shop, "--table", "lists").json["error"]["what"]


def test_a_file_that_is_being_written_is_refused(root: Path, shop: Path, tmp_path: Path) -> None:
    copy = tmp_path / "shop.duckdb"
    copy.write_bytes(shop.read_bytes())
    copy.with_name("shop.duckdb.wal").write_bytes(b"x")
    assert "shop.duckdb.wal" in add(root, copy).json["error"]["what"]


def test_a_file_that_ends_the_process_which_reads_it_is_refused(
    root: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that kills itself stands for a file that DuckDB does not survive."""
    child = tmp_path / "child.py"
    child.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    monkeypatch.setattr(ducks, "CHILD", child)
    error = add(root, shop, "--query", "SELECT 1").json["error"]
    assert error["what"] == "shop.duckdb is damaged"
    assert error["why"] == "the process that read it was ended by SIGSEGV"
    assert not (root / "data/raw").exists()
