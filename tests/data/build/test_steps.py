"""The graph is in the steps' own words: what they read is what they wait for."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackrecord.data.build.sql_reads import digest_of_sql, parse, reads_of
from trackrecord.data.build.steps import Pipeline, made_later, read_pipeline
from trackrecord.errors import DataError


def pipeline(tmp_path: Path, sources: str = "", **files: str) -> Pipeline:
    """A workspace with these files in pipeline/ (``_sql`` and ``_py`` at the end of a name)."""
    (tmp_path / "pipeline").mkdir(exist_ok=True)
    (tmp_path / "data").mkdir(exist_ok=True)
    for source in sources.split():
        (tmp_path / f"data/{source}.parquet").touch()
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (tmp_path / f"pipeline/{stem.removeprefix('n')}.{ending}").write_text(text, "utf-8")
    return read_pipeline(tmp_path)


def reads(sql: str) -> list[str]:
    return reads_of(parse(sql, "pipeline/1_a.sql"))


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT * FROM a JOIN b USING (x) ASOF JOIN c ON a.t >= c.t", ["a", "b", "c"]),
        ("FROM a", ["a"]),
        ("TABLE a", ["a"]),
        ("SUMMARIZE a", ["a"]),
        ("PIVOT a ON x USING sum(y)", ["a"]),
        ("SELECT * FROM A, main.\"B\"", ["a", "b"]),
        ("SELECT (SELECT max(x) FROM b) FROM a WHERE x IN (SELECT x FROM c)", ["b", "a", "c"]),
        ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x)", ["a", "b"]),
        ("SELECT * FROM range(10) r, unnest([1, 2]) u, (VALUES (1)) v, glob('*')", []),
        ("SELECT * FROM information_schema.tables", []),
        ("WITH c AS (SELECT * FROM a) SELECT * FROM c", ["a"]),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", ["a"]),
        ("WITH c AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM c", ["b"]),
        ("WITH b AS (SELECT 1), c AS (SELECT * FROM b) SELECT * FROM c", []),
        ("WITH RECURSIVE r AS (SELECT 1 x UNION ALL SELECT x + 1 FROM r) SELECT * FROM r", []),
        ("SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c), c", ["c"]),
        ("CREATE TEMP VIEW v AS SELECT * FROM a; SELECT * FROM v", ["a"]),
        ("CREATE TABLE t (x INT); INSERT INTO t SELECT x FROM a; SELECT * FROM t", ["a"]),
        ("CREATE MACRO m(y) AS TABLE SELECT * FROM a WHERE x = y; SELECT * FROM m(1)", ["a"]),
        ("SELECT 'FROM b' -- FROM c\nFROM a /* , d */", ["a"]),
        ("SELECT a.a FROM a AS b", ["a"]),
    ],
)  # fmt: skip
def test_sql_reads_the_tables_that_it_does_not_make(sql: str, tables: list[str]) -> None:
    assert reads(sql) == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM a JOIN b ON a.x = b.x",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a",
        "WITH c AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM c",
        "WITH b AS (SELECT 1 AS x), c AS (SELECT * FROM b) SELECT * FROM c",
        "SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a), b",
        "SELECT x FROM a WHERE x IN (SELECT x FROM b)",
        "SELECT * FROM a UNION ALL BY NAME SELECT * FROM b",
    ],
)
def test_duckdb_itself_names_the_same_tables(sql: str) -> None:
    import duckdb

    database = duckdb.connect()
    database.execute("CREATE TABLE a (x INT); CREATE TABLE b (x INT)")
    assert set(reads(sql)) == database.get_table_names(sql)


def test_a_comment_or_a_line_break_is_not_another_step_and_a_letter_is() -> None:
    def digest(sql: str) -> str:
        return digest_of_sql(sql)

    plain = digest("SELECT x FROM a WHERE y = 'z'")
    assert digest("-- cleaned\nSELECT x\n  FROM a /* all */ WHERE y = 'z'") == plain
    assert digest("SELECT x FROM a WHERE y = ' z'") != plain
    assert digest('SELECT x FROM a WHERE y = "z"') != plain
    assert digest("SELECT x FROM a WHERE y = 'Z'") != plain


def test_steps_run_in_the_order_of_what_they_read_and_numbers_break_ties(tmp_path: Path) -> None:
    found = pipeline(
        tmp_path,
        "flights weather",
        n10_late_sql="SELECT * FROM clean",
        n20_clean_sql="SELECT * FROM flights",
        n30_daily_py="def daily(clean, weather):\n    return clean\n",
        n5_alone_sql="SELECT 1 AS one",
    )
    assert [step.name for step in found.steps] == ["alone", "clean", "late", "daily"]
    assert [(a.name, b.name) for a, b in made_later(found)] == [("late", "clean")]
    assert [step.name for step in found.readers("clean")] == ["late", "daily"]
    assert [step.name for step in found.before(["daily"])] == ["clean", "daily"]
    maker = found.maker("clean")
    assert maker is not None
    assert maker.file == "pipeline/20_clean.sql"
    assert found.maker("flights") is None
    assert found.steps[3].kind == "python"
    assert found.steps[3].reads == ["clean", "weather"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"n1_a_sql": "FROM b", "n2_b_sql": "FROM a"}, "a → b → a"),
        ({"n1_a_sql": "FROM a"}, "a → a"),
        ({"n1_a_sql": "FROM c", "n2_b_sql": "FROM a", "n3_c_sql": "FROM b"}, "a → b → c → a"),
        ({"n1_a_sql": "FROM weathr"}, "did you mean 'weather'?"),
        ({"n1_a_sql": "FROM 'x.csv'"}, "a step reads tables by their names"),
        ({"n1_a_sql": "FROM weather", "n2_a_py": "def f(): pass"}, "two steps are called 'a'"),
        ({"n1_weather_sql": "SELECT 1"}, "is called like a source"),
        ({"n1_A_sql": "SELECT 1"}, "is no step's name"),
        ({"clean_sql": "SELECT 1"}, "is no step's name"),
        ({"n1_a_sql": " \n"}, "is empty"),
        ({"n1_a_sql": "-- soon"}, "has comments, and no SQL"),
        ({"n1_a_sql": "SELECT 'x"}, "not closed"),
        ({"n1_a_sql": "SELECT 1\nFROM weather\nWHERE (("}, "pipeline/1_a.sql:3"),
        ({"n1_a_sql": "SELECT \0"}, "NUL"),
        ({"n1_a_py": "x = 1"}, "has no public function"),
        ({"n1_a_py": "def f(): pass\ndef g(): pass"}, "which of them is the step?"),
        ({"n1_a_py": "def f(\n"}, "pipeline/1_a.py:1"),
        ({"n1_a_py": "def f(*tables): pass"}, "any number of arguments"),
        ({"n1_a_py": "def f(weather, n=3): pass"}, "a parameter has a default"),
        ({"n1_a_py": "async def f(weather): pass"}, "async"),
    ],
)  # fmt: skip
def test_a_pipeline_that_cannot_run_says_why(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with pytest.raises(DataError) as caught:
        pipeline(tmp_path, "weather", **files)
    assert said in str(caught.value)


def test_a_step_is_not_called_like_features_either(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features/evening.toml").touch()
    with pytest.raises(DataError, match="is called like features"):
        pipeline(tmp_path, "weather", n1_evening_sql="FROM weather")


def test_a_workspace_without_steps_has_an_empty_pipeline(tmp_path: Path) -> None:
    assert read_pipeline(tmp_path).steps == []
