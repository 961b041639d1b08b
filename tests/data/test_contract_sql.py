"""Rules in SQL: what one row can say, and nothing that opens a file or looks at other rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.contract.sql import row_rule
from trackrecord.errors import DataError

SCHEMA: dict[str, pl.DataType] = {
    "a": pl.Int64(), "b": pl.Float64(), "c": pl.String(), "day": pl.Date(),
    "at": pl.Datetime("us"), "odd name": pl.Int64(), "E": pl.String(),
}  # fmt: skip


def refused(sql: str) -> DataError:
    with pytest.raises(DataError) as caught:
        row_rule(sql, SCHEMA, name="r", where="c.toml:3")
    return caught.value


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("a >= 1 OR b IS NULL", ["a", "b"]),
        ("c LIKE 'x%' AND NOT c IN ('x', 'it''s')", ["c"]),
        ("REGEXP_LIKE(c, '^\\d+$')", ["c"]),
        ("EXTRACT(hour FROM at) < 24", ["at"]),
        ("EXTRACT(year FROM day) >= 2000", ["day"]),
        ("day > DATE '2013-01-01' AND at < TIMESTAMP '2030-01-01 00:00:00'", ["at", "day"]),
        ("CASE WHEN a > 1 THEN b > 0 ELSE TRUE END", ["a", "b"]),
        ('"odd name" % 2 = 0', ["odd name"]),
        ("ABS(a - b) <= 0.5 * GREATEST(a, b)", ["a", "b"]),
        ("LENGTH(TRIM(c)) BETWEEN 1 AND 3", ["c"]),
        ("TRY_CAST(c AS INTEGER) > 1", ["c"]),
    ],
)
def test_a_condition_on_one_row_is_taken(sql: str, read: list[str]) -> None:
    assert row_rule(sql, SCHEMA, name="r", where="")[1] == read


@pytest.mark.parametrize(
    ("sql", "what", "column"),
    [
        ("aa > 1", "'aa', which is no column", 1),
        ("a > 1 AND foo(b) > 1", "calls 'foo'", 11),
        ("a > ", "not SQL", 5),
        ("a BETWEEN 1 AND 2 AND", "not SQL", 22),
        ("a", "not a condition", 1),
        ("1 = 1", "reads no column", 1),
        ("", "is empty", None),
        ("c > 1", "does not fit", 1),
        ("day > '2013-01-01'", "does not fit", 1),
        ("SUM(a) > 3", "calls 'SUM'", 1),
        ("a > AVG(a)", "calls 'AVG'", 5),
        ("LAG(a) OVER (ORDER BY day) < a", "calls 'LAG'", 1),
        ("a; DROP TABLE x", "has ';'", 2),
        ("CAST(c AS INTEGER) > 1", "calls 'CAST'", 1),
    ],
)
def test_what_is_no_such_condition_is_marked(sql: str, what: str, column: int | None) -> None:
    error = refused(sql)
    assert what in error.what
    where = str(error.where)
    assert where.startswith("c.toml:3")
    assert column is None or f"column {column}:" in where


READS_A_FILE = [
    "a IN (SELECT x FROM read_csv('{path}'))",
    "EXISTS (SELECT 1 FROM read_parquet('{path}'))",
    "EXISTS (FROM read_csv('{path}'))",
    "(TABLE x) = a",
    "read_csv('{path}') = a",
    "\"read_csv\"('{path}') = a",
    "a = (WITH x AS (VALUES (1)) SELECT 1 FROM x)",
    # Where an engine and this reader could disagree on what is text and what is a comment.
    "a > 1 -- '\n OR a IN (SELECT x FROM read_csv('{path}')) --'",
    "a > 1 /* ' */ OR a IN (SELECT x FROM read_csv('{path}')) /* ' */",
    "c = '\\' OR a IN (SELECT x FROM read_csv('{path}')) OR c = '\\'",
    "c = E'\\\\' OR a IN (SELECT 1) OR c = E''",
    "c = $$x$$",
    "c = `x`",
    "EXTRACT(hour FROM (SELECT at FROM read_csv('{path}'))) = 1",
    "TRIM(c FROM read_csv('{path}')) = 'x'",
    "COLUMNS('.*') > 1",
]


@pytest.mark.parametrize("sql", READS_A_FILE)
def test_nothing_in_a_rule_opens_a_file(
    sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("swordfish\n1\n")

    def asked(text: str) -> None:
        raise AssertionError(f"the engine was handed {text}")

    # Parsing alone would open the file: the engine may not even see such a text.
    monkeypatch.setattr(pl, "sql_expr", asked)
    error = refused(sql.replace("{path}", secret.as_posix()))
    assert "swordfish" not in str(error)


WORDS = ["a", "c", "(", ")", "'x'", "SELECT", "FROM", "read_csv", ",", "=", "IN", "AND", "--",
         "/*", "*/", "'", '"', "\\'", ";", "E", "EXISTS", "WITH", "EXTRACT", "hour", "\n", "LOWER",
         "VALUES", "1", "OVER", "[", "$$"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_words_are_a_rule_or_a_refusal_and_never_a_query(sql: str) -> None:
    try:
        row_rule(sql, SCHEMA, name="r", where="")
    except DataError:
        return
    outside = "".join(sql.split("'")[::2]).upper().split()
    assert not {"SELECT", "READ_CSV", "WITH", "VALUES", "OVER", "--", "/*", ";"} & set(outside)
