"""A step that fails leaves what there was, names its line, and says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.data.build.conftest import Bench

from trackrecord.data.build.build import plan
from trackrecord.errors import DataError

OUTSIDE = [
    "ATTACH '{root}/other.db'; FROM orders",
    "COPY orders TO '{root}/out.csv'; FROM orders",
    "INSTALL httpfs; FROM orders",
    "LOAD httpfs; FROM orders",
    "SET enable_external_access = true; FROM orders",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_parquet('{root}/data/shops.parquet')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM query_table('shops')",
    "DELETE FROM orders; FROM orders",
    "UPDATE orders SET price = 0; FROM orders",
    "INSERT INTO orders FROM orders; FROM orders",
    "DROP TABLE orders; FROM orders",
]


@pytest.mark.parametrize("sql", OUTSIDE)
def test_what_reaches_outside_is_refused_by_the_database(bench: Bench, sql: str) -> None:
    before = {p: p.read_bytes() for p in bench.root.rglob("*.parquet")}
    bench.step("1_a.sql", sql.format(root=bench.root))
    with pytest.raises(DataError, match=r"pipeline/1_a\.sql failed"):
        bench.build()
    assert {p: p.read_bytes() for p in bench.root.rglob("*.parquet")} == before
    assert bench.files() == []
    assert not (bench.root / "out.csv").exists()


@pytest.mark.parametrize(
    ("sql", "what", "where"),
    [
        ("SELECT 1;\n\nSELECT 2", "has 2 SELECTs", "pipeline/1_a.sql:1"),
        ("CREATE VIEW v AS FROM orders", "does not end in a SELECT", "pipeline/1_a.sql:1"),
        ("FROM orders;\n\n-- last\nCREATE VIEW v AS SELECT 1", "does not end", "1_a.sql:4"),
        ("SELECT *\nFROM orders\nWHERE prise > 3", "failed", "pipeline/1_a.sql:3"),
        ("CREATE VIEW v AS FROM orders;\n\nSELECT shop,\n  upper(id + 1)\nFROM v\nGROUP BY",
         "failed", "1_a.sql:6"),
        ("CREATE VIEW v AS FROM orders;\n\nSELECT\n  nofunction(shop)\nFROM v", "failed",
         "1_a.sql:4"),
        ("SELECT error('no') FROM orders", "failed", "pipeline/1_a.sql:1"),
        ("SELECT CAST(shop AS INT) FROM orders", "failed", "pipeline/1_a.sql"),
        ("SELECT id, shop AS id FROM orders", "two columns called 'id'", "column 2"),
        ("SELECT [1, 2] AS l", "the column 'l' has the type", "1_a.sql"),
        ("SELECT INTERVAL 1 DAY AS d", "the column 'd' has the type", "1_a.sql"),
        ("SELECT sum(9223372036854775807) AS s FROM orders", "'s' has values", "1_a.sql"),
        ("SELECT 'infinity'::DATE AS d", "'d' has values", "1_a.sql"),
        ("SELECT TIMESTAMP_NS '2024-01-01 00:00:00.000000001' AS t", "'t' has values", "1_a.sql"),
        ("SELECT * FROM orders WHERE price > 1000", "gave no rows", "1_a.sql"),
    ],
)  # fmt: skip
def test_sql_that_makes_no_table_says_where(bench: Bench, sql: str, what: str, where: str) -> None:
    bench.step("1_a.sql", sql)
    with pytest.raises(DataError, match=re.escape(what)) as caught:
        bench.build()
    assert where in str(caught.value.where)
    assert caught.value.next
    assert bench.files() == []


def test_a_condition_that_leaves_no_row_is_named(bench: Bench) -> None:
    bench.step("1_a.sql", "SELECT * FROM orders WHERE shop = 'a' AND price > 1000")
    with pytest.raises(DataError) as caught:
        bench.build()
    assert caught.value.why == "WHERE shop = 'a' lost 3 of 6 rows"


def test_a_step_that_fails_midway_leaves_those_before_and_its_own_earlier_table(
    bench: Bench,
) -> None:
    bench.step("1_a.sql", "FROM orders")
    second = bench.step("2_b.sql", "SELECT id FROM a")
    bench.step("3_c.sql", "SELECT count(*) AS n FROM b")
    bench.build()
    before = (bench.root / "data/built/b.parquet").read_bytes()
    bench.step("1_a.sql", "SELECT * FROM orders WHERE id < 5")
    second.write_text("SELECT error('at row ' || id) AS e FROM a")
    with pytest.raises(DataError, match=r"2_b\.sql failed"):
        bench.build()
    assert [said.outcome.step for said in bench.said] == ["a"]
    assert bench.built("a").height == 4
    assert (bench.root / "data/built/b.parquet").read_bytes() == before
    assert not [name for name in bench.files() if name.endswith(".new")]
    second.write_text("SELECT id FROM a")
    assert bench.states() == {"a": "fresh", "b": "built", "c": "built"}
    assert bench.built("c")["n"].item() == 4


def test_a_source_that_is_damaged_is_named(bench: Bench) -> None:
    bench.step("1_a.sql", "FROM orders")
    (bench.root / "data/orders.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match="damaged"):
        bench.build()
    with pytest.raises(DataError, match="damaged"):
        plan(bench.root, [], tool="1")


def test_a_circle_is_told_before_anything_runs(bench: Bench) -> None:
    bench.step("1_first.sql", "FROM orders")
    bench.step("2_a.sql", "FROM c")
    bench.step("3_b.sql", "FROM a")
    bench.step("4_c.sql", "FROM b")
    with pytest.raises(DataError) as caught:
        bench.build("first")
    assert caught.value.why == "a → b → c → a"
    assert bench.files() == []


@pytest.mark.parametrize(
    ("sql", "doubt"),
    [
        ("SELECT *, random() AS r FROM orders", "random()"),
        ("SELECT *, uuid() AS r FROM orders", "uuid()"),
        ("SELECT *, now() AS r FROM orders", "now()"),
        ("SELECT *, current_date AS r FROM orders", "current_date"),
        ("SELECT * FROM orders USING SAMPLE 3", "a sample without REPEATABLE"),
        ("SELECT * FROM orders LIMIT 2", "LIMIT without ORDER BY"),
        ("SELECT * FROM (FROM orders LIMIT 2) ORDER BY id", "LIMIT without ORDER BY"),
    ],
)
def test_what_is_not_settled_is_warned_of(bench: Bench, sql: str, doubt: str) -> None:
    bench.step("1_a.sql", sql)
    (outcome,) = bench.build().values()
    assert any(one.startswith(doubt) for one in outcome.unsettled)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM orders ORDER BY id LIMIT 2",
        "SELECT * FROM orders TABLESAMPLE reservoir(3 ROWS) REPEATABLE (7)",
        "SELECT id AS now, price AS random FROM orders",
        "SELECT row_number() OVER (ORDER BY id) AS r FROM orders",
    ],
)
def test_what_is_settled_is_not(bench: Bench, sql: str) -> None:
    bench.step("1_a.sql", sql)
    (outcome,) = bench.build().values()
    assert outcome.unsettled == []


def test_a_link_out_of_the_workspace_is_not_followed_to_write(bench: Bench, tmp_path: Path) -> None:
    victim = tmp_path / "victim.parquet"
    victim.write_bytes(b"mine")
    (bench.root / "data/built").mkdir()
    (bench.root / "data/built/a.parquet").symlink_to(victim)
    bench.step("1_a.sql", "FROM orders")
    bench.build()
    assert victim.read_bytes() == b"mine"
    assert bench.built("a").height == 6
