"""Tables and queries of SQLite files, by the library that comes with Python."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.data.ingest.listed import Survey, batches_of
from trackrecord.data.ingest.record import Note, Read
from trackrecord.errors import BadInput, DataError, suggest

if TYPE_CHECKING:
    import pyarrow as pa

ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


def chosen(tables: list[str], read: Read, where: str) -> str:
    """The query that gives the table asked for, or the only one there is."""
    if read.query is not None:
        return read.query
    name = read.table
    if name is None:
        if len(tables) == 1:
            name = tables[0]
        else:
            raise BadInput(
                f"which table of {where}?" if tables else f"{where} has no table",
                why=f"there are {len(tables)}: {', '.join(tables[:20])}" if tables else None,
                next="name one: --table NAME, or ask for rows: --query 'SELECT …'",
            )
    if name not in tables:
        near = suggest(name, tables)
        raise BadInput(
            f"{where} has no table {name!r}",
            where="--table",
            why=f"did you mean {near!r}?" if near else f"tables: {', '.join(tables[:20])}",
        )
    quoted = name.replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


class Sqlite:
    """One table, or the answer to a query, of an SQLite file that is only read."""

    def __init__(self, path: Path, where: str, read: Read) -> None:
        self.path, self.where = path, where
        try:
            with self._opened() as connection:
                found = connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite_%' ORDER BY name"
                )
                tables = [name for (name,) in found]
            self.query = chosen(tables, read, where)
            self.names, self.survey = self._surveyed()
        except sqlite3.Error as error:
            raise self._refused(error) from None
        self.schema = self.survey.schema()
        self.inferred = dict.fromkeys(self.survey.texts(), "times")
        for (name, kind), seen in self.survey.seen.items():
            if kind is bytes:
                raise DataError(
                    f"the column {name!r} of {where} holds bytes, not values",
                    where=f"{where}, row {seen.row:,}: {seen.value}",
                    next="leave it out: --query 'SELECT the, other, columns FROM …'",
                )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Blocks of rows, in the order that the query gives them."""
        try:
            with self._opened() as connection:
                yield from batches_of(self._asked(connection), self.schema)
        except sqlite3.Error as error:
            raise self._refused(error) from None

    def notes(self) -> list[Note]:
        """What the types of the values cost."""
        return self.survey.notes()

    def _surveyed(self) -> tuple[list[str], Survey]:
        with self._opened() as connection:
            rows = self._asked(connection)
            names = [column[0] for column in rows.description]
            survey = Survey(dict.fromkeys(names))
            if len(survey.types) < len(names):
                doubled = next(name for name in names if names.count(name) > 1)
                raise DataError(
                    f"{self.where} gives two columns called {doubled!r}",
                    next="give one of them another name in the query: SELECT x AS y",
                )
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    survey.add(name, value)
                survey.rows += 1
        return names, survey

    def _asked(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        # SQLite itself asks before each thing that a statement would do.
        connection.set_authorizer(_only_read)
        return connection.execute(self.query)

    def _opened(self) -> Any:
        import contextlib

        uri = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
        return contextlib.closing(sqlite3.connect(uri, uri=True))

    def _refused(self, error: sqlite3.Error) -> DataError:
        text = str(error)
        refused = "not authorized" in text or "prohibited" in text
        return DataError(
            f"{self.where} does not answer",
            where="--query" if hasattr(self, "query") else str(self.path),
            why=f"{text}; a query may read the tables of this file, and do nothing else"
            if refused
            else text,
            next="ask with one SELECT" if refused else "correct the query, or copy the file again",
        )


def _only_read(action: int, one: Any, two: Any, database: Any, trigger: Any) -> int:
    if action == sqlite3.SQLITE_FUNCTION and str(two).lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY
