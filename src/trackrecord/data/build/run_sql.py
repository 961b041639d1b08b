"""Runs a step in SQL: its last SELECT streams into a Parquet file.

The database sees the tables that the step reads, and nothing else (``data/sql.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trackrecord.data.build.apart import apart
from trackrecord.data.build.effect import Effect
from trackrecord.data.build.effects import effects_of
from trackrecord.data.build.sql_reads import parse
from trackrecord.data.build.writing import FULL, GROUP_ROWS, Written, is_full, write_table
from trackrecord.data.sql import MEMORY, closed_database
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import duckdb

# Counting what became of rows takes no longer than making them did; or than this, of a quick step.
LEAST_SECONDS = 5.0
_LINE = re.compile(r"^LINE (\d+): ", re.MULTILINE)


class Ran(NamedTuple):
    """What a step gave: the table as written, and what became of its rows on the way."""

    written: Written
    effects: list[Effect]
    printed: str = ""


class _Part(NamedTuple):
    """One statement, and the line of the file that its text begins in, counted from 0."""

    sql: str
    kind: str
    line: int


def engine() -> str:
    """What runs SQL here."""
    return f"DuckDB {version('duckdb')}"


def run_sql(
    sql: str,
    where: str,
    tables: Mapping[str, Path],
    out: Path,
    *,
    spill: Path,
    memory: int | None = None,
    step: Callable[[float], None] = lambda share: None,
) -> Ran:
    """Run the step ``where`` on ``tables`` and write what it selects to ``out``.

    Raises
    ------
    DataError
        For SQL that fails, with DuckDB's words and the line of the file; for a file that does not
        end in its one SELECT; and for columns of no kind.
    """
    import time

    import duckdb

    trees = parse(sql, where)
    began = time.monotonic()
    parts = _parts(sql, where)
    _check_shape(parts, where)
    # One thread: the same rows in the same order, and the same last digits of sums, each time.
    with closed_database(tables, spill=spill, memory=memory or MEMORY, threads=1) as database:

        def work() -> Ran:
            part = parts[0]
            try:
                for part in parts[:-1]:
                    database.execute(part.sql).fetchall()
                part = parts[-1]
                written = _select(database, part, out, where, step)
            except duckdb.Error as error:
                raise failed(_placed(error, database, part), where, part.line, part.sql) from None
            step(0.8)
            seconds = max(LEAST_SECONDS, time.monotonic() - began)
            return Ran(written, effects_of(trees, database, written.rows, seconds))

        return apart(database, work)


def _placed(error: Exception, database: duckdb.DuckDBPyConnection, part: _Part) -> Exception:
    """The same error with its line, which DuckDB tells of a plan and not of a relation."""
    import duckdb

    if _LINE.search(str(error)) is None and part.kind == "SELECT":
        try:
            database.execute(f"EXPLAIN {part.sql}").fetchall()
        except duckdb.Error as better:
            if _LINE.search(str(better)) is not None:
                return better
    return error


def failed(error: Exception, where: str, line: int, sql: str) -> DataError:
    """DuckDB's error, and the line of the file that it means: the statement's, where it says none.

    ``line`` is where ``sql``, the statement, begins, counted from 0.
    """
    import duckdb

    message = str(error).strip()
    found = _LINE.search(message)
    at = line + (int(found[1]) if found else _leading(sql) + 1)
    said = [text for text in message.splitlines() if text.strip()]
    if found:
        said = [text for text in message[: found.start()].splitlines() if text.strip()]
    advice = "mend that line, then: trackrecord data build"
    if isinstance(error, duckdb.PermissionException) or "configuration has been locked" in message:
        advice = "a step reads the tables that it names; add a file first: trackrecord data add"
    elif isinstance(error, duckdb.OutOfMemoryException):
        advice = "give it more: trackrecord data build --memory 8"
    elif is_full(error):
        advice = FULL
    return DataError(
        f"{where} failed", where=f"{where}:{at}", why=" ".join(said)[:500], next=advice
    )


def _parts(sql: str, where: str) -> list[_Part]:
    import duckdb

    try:
        found = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise failed(error, where, 0, sql) from None
    parts, at = [], 0
    for statement in found:
        at = sql.index(statement.query, at)
        kind = str(statement.type).rpartition(".")[2]
        parts.append(_Part(statement.query, kind, sql.count("\n", 0, at)))
        at += len(statement.query)
    return parts


def _check_shape(parts: list[_Part], where: str) -> None:
    """Raise DataError unless the last statement, and no other, is a SELECT."""
    # A PIVOT whose columns come from the data is two statements to DuckDB.
    selects = [part for part in parts if part.kind in ("SELECT", "MULTI")]
    if not parts or parts[-1] not in selects[-1:]:
        last = parts[-1] if parts else None
        at = last.line + 1 + _leading(last.sql) if last else 1
        raise DataError(
            f"{where} does not end in a SELECT",
            where=f"{where}:{at}",
            why=f"its last statement is {'an' if last.kind[0] in 'AEIOU' else 'a'} {last.kind}"
            if last
            else "it has no statement",
            next="end it with the SELECT whose rows are its table",
        )
    if len(selects) > 1:
        raise DataError(
            f"{where} has {len(selects)} SELECTs",
            where=f"{where}:{selects[0].line + 1 + _leading(selects[0].sql)}",
            why="a step makes one table, of the last; the rows of the others would go nowhere",
            next="make a temporary view of it, a step of its own, or remove it",
        )


def _leading(sql: str) -> int:
    """Lines before the statement's first word."""
    rest = re.sub(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/)*", "", sql, flags=re.DOTALL)
    return sql.count("\n", 0, len(sql) - len(rest))


def _select(
    database: duckdb.DuckDBPyConnection,
    part: _Part,
    out: Path,
    where: str,
    step: Callable[[float], None],
) -> Written:
    reader = database.sql(part.sql).to_arrow_reader(GROUP_ROWS)
    return write_table(
        reader,
        reader.schema,
        out,
        where,
        lambda rows: step(0.75 * rows / (rows + 1e6)),
    )
