"""Columns through one query: expressions, origins, what decides the rows, and what is not told."""

from __future__ import annotations

import pytest

from trackrecord.data.lineage.query import Origin, Query, read_query

TABLES = {
    "flights": ["carrier", "Dep_Delay", "origin", "<script>alert(1)</script>", "a.b", 'we"ird'],
    "airlines": ["carrier", "name"],
    "unknown": None,
}


def read(sql: str) -> Query:
    return read_query(sql, "pipeline/10_x.sql", TABLES)


def origins(query: Query, column: str) -> list[str]:
    term = query.term(column)
    assert term is not None
    return [f"{one.table}.{one.column}" for one in term.made_of]


def test_an_expression_is_told_in_the_columns_of_tables_through_ctes_and_aliases() -> None:
    query = read(
        "WITH a AS (SELECT *, dep_delay > 15 AS late FROM flights f WHERE origin = 'JFK') "
        "SELECT a.carrier, avg(late::INT) AS share, count(*) AS n "
        "FROM a JOIN airlines USING (carrier) GROUP BY 1"
    )
    share = query.term("share")
    assert share is not None
    assert share.expression == "AVG(CAST((flights.dep_delay > 15) AS INT))"
    assert share.made_of == [Origin("flights", "Dep_Delay")]
    assert query.term("carrier").copied  # type: ignore[union-attr]
    assert not share.copied
    assert origins(query, "n") == []
    assert {(c.how, c.origin.table, c.origin.column) for c in query.choices} == {
        ("FILTER", "flights", "origin"),
        ("GROUP_BY", "flights", "carrier"),
        ("JOIN", "flights", "carrier"),
        ("JOIN", "airlines", "carrier"),
    }


@pytest.mark.parametrize(
    ("sql", "column", "wanted"),
    [
        ("SELECT * FROM airlines", "name", ["airlines.name"]),
        ("FROM airlines", "name", ["airlines.name"]),
        ("SELECT flights.* EXCLUDE (origin), origin || 'x' AS origin FROM flights", "origin",
         ["flights.origin"]),
        ("SELECT carrier AS c FROM flights UNION SELECT name FROM airlines", "c",
         ["airlines.name", "flights.carrier"]),
        ("SELECT (SELECT max(name) FROM airlines) AS m FROM flights", "m", ["airlines.name"]),
        ("CREATE VIEW v AS SELECT dep_delay * 2 AS d FROM flights; SELECT d + 1 AS e FROM v", "e",
         ["flights.Dep_Delay"]),
        ("SELECT a.*, b.name FROM flights a ASOF LEFT JOIN airlines b "
         "ON a.carrier = b.carrier AND a.dep_delay >= b.name", "name", ["airlines.name"]),
        ("SELECT row_number() OVER (PARTITION BY carrier ORDER BY dep_delay) AS r FROM flights",
         "r", ["flights.Dep_Delay", "flights.carrier"]),
        ('SELECT "<script>alert(1)</script>" AS "<b>" FROM flights', "<b>",
         ["flights.<script>alert(1)</script>"]),
        ('SELECT "a.b" AS x FROM flights', "x", ["flights.a.b"]),
        ('SELECT f."we""ird" AS x FROM flights f', "x", ['flights.we"ird']),
        ("SELECT x + 1 AS y FROM unknown", "y", ["unknown.x"]),
        ("SELECT 1 AS one FROM flights", "one", []),
    ],
)  # fmt: skip
def test_a_column_is_followed_to_the_tables(sql: str, column: str, wanted: list[str]) -> None:
    query = read(sql)
    assert origins(query, column) == wanted
    assert query.term(column).untold == ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM unknown", "a star stands for columns that nobody knows yet: unknown"),
        ("SELECT COLUMNS('dep.*') FROM flights", "COLUMNS chooses columns when it runs"),
        ("SELECT nope FROM flights", "flights has no column nope"),
        ("SELECT range AS g FROM range(5)", "cannot be followed"),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
         "cannot be followed"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_of_a_column_is_said(sql: str, said: str) -> None:
    assert any(said in term.untold for term in read(sql).terms)


@pytest.mark.parametrize(
    "sql",
    ["SELEC nothing", "SELECT FROM WHERE (", "INSERT INTO flights VALUES (1)", "", "-- nothing",
     "PIVOT flights ON origin USING sum(dep_delay)", "SUMMARIZE flights", "'"],
)  # fmt: skip
def test_what_cannot_be_followed_at_all_is_said_and_raises_nothing(sql: str) -> None:
    query = read(sql)
    assert query.terms == []
    assert query.untold


def test_a_very_deep_query_ends_in_words() -> None:
    sql = "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " AS x FROM flights"
    query = read(sql)
    assert query.untold or query.terms
