"""The answer to a query of a Postgres server, as bytes that can be kept.

The server itself writes the rows as CSV (``COPY … TO STDOUT``), which streams: neither side holds
the answer in memory. All of it is one read-only transaction. That the query is a single one, and
does nothing but read, is for the server to say: it is first declared as a cursor, which takes one
SELECT and nothing else, and only then put between the parentheses of a COPY.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from trackrecord.data.sources import check_columns
from trackrecord.errors import BadInput, DataError, MissingExtra

SCHEMES = ("postgres://", "postgresql://")
CONNECT_SECONDS = 10
# Types by their numbers, which no server changes (pg_type.dat). What is in none of them is text as
# the server writes it.
KINDS = {
    **dict.fromkeys((20, 21, 23, 26, 700, 701, 1700), "number"),
    16: "boolean",
    1082: "date",
    1114: "time",
    1184: "time",
}
TEXTS = {18, 19, 25, 1042, 1043, 2950}
BYTES = 17
SETTINGS = {"DateStyle": "ISO", "TimeZone": "UTC", "extra_float_digits": "1",
            "client_encoding": "UTF8"}  # fmt: skip


class Asked(NamedTuple):
    """A query that is being answered.

    ``kinds`` are those of all columns, as ``--type`` says them; ``as_written`` are columns of types
    that only the server knows.
    """

    kinds: dict[str, str]
    as_written: list[str]
    rows: io.RawIOBase


def is_server(given: object) -> bool:
    """Whether what was typed is the address of a Postgres server."""
    return isinstance(given, str) and given.startswith(SCHEMES)


def shown_address(url: str) -> str:
    """The address without user, password and options, whatever else is wrong with it."""
    found = re.match(r"(?:postgres|postgresql)://(?:[^/?#]*@)?([^/?#]*)(?:/([^?#]*))?", url)
    host, name = (found.group(1), found.group(2)) if found else ("", "")
    return f"postgresql://{host}/{name or ''}"


@contextlib.contextmanager
def asked(url: str, query: str) -> Iterator[Asked]:
    """Ask; while this is open, the rows can be read once.

    A password comes from the URL, ``PGPASSWORD`` or ``~/.pgpass``, and goes to the server alone.

    Raises
    ------
    BadInput, DataError
        Where there is no server, no way in, or the query does more than read.
    """
    psycopg = _psycopg()
    shown = shown_address(url)
    try:
        # Only what is wrong is told, never with the exception that knows the address.
        with _connected(psycopg, url) as connection, connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            for setting, value in SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, true)", (setting, value))
            columns = _declared(connection, query)
            names = [column.name for column in columns]
            check_columns(names, {}, shown)
            _refuse_bytes(columns, shown)
            kinds = {c.name: KINDS.get(c.type_code, "string") for c in columns}
            odd = [c.name for c in columns if c.type_code not in {*KINDS, *TEXTS}]
            with connection.cursor().copy(_copying(columns, query)) as copy:
                yield Asked(kinds, odd, Stream(copy))
    except psycopg.Error as error:
        raise _refused(psycopg, error, shown, url) from None


class Stream(io.RawIOBase):
    """What the server sends, as a file that is read once."""

    def __init__(self, copy: Any) -> None:
        self.copy, self.held = iter(copy), bytearray()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; as many as were asked for, up to the end."""
        while size < 0 or len(self.held) < size:
            data = next(self.copy, None)
            if data is None:
                break
            self.held += data
        end = len(self.held) if size < 0 else size
        data = bytes(self.held[:end])
        del self.held[:end]
        return data


def _connected(psycopg: Any, url: str) -> Any:
    try:
        said = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # whose words would repeat the address
        raise BadInput(
            "the address of the server cannot be read",
            where=shown_address(url),
            next="write postgresql://USER@HOST:5432/DATABASE, with %-signs for odd letters",
        ) from None
    # What the address itself says wins.
    usual = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_count": 3,
        "application_name": "trackrecord data add",
    }
    return psycopg.connect(**{**usual, **said}, autocommit=True)


def _declared(connection: Any, query: str) -> list[Any]:
    """The columns of the answer. Only one SELECT can be declared."""
    bare = _bare(query)
    # Prepared on the server, a statement is one statement.
    connection.execute(f"DECLARE asked NO SCROLL CURSOR FOR\n{bare}", prepare=True)
    found = connection.execute("FETCH 0 FROM asked").description
    connection.execute("CLOSE asked")
    if not found:
        raise DataError(
            "the query gives no columns", where="--query", next="name some: SELECT a, b FROM …"
        )
    return list(found)


def _copying(columns: list[Any], query: str) -> str:
    """The COPY: truth values as words, for t and f are none elsewhere."""
    listed = ", ".join(
        f"{_quoted(c.name)}::text AS {_quoted(c.name)}" if c.type_code == 16 else _quoted(c.name)
        for c in columns
    )
    return (
        f"COPY (SELECT {listed} FROM (\n{_bare(query)}\n) AS asked) "
        "TO STDOUT (FORMAT csv, HEADER true)"
    )


def _bare(query: str) -> str:
    return query.strip().rstrip(";").rstrip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refuse_bytes(columns: list[Any], shown: str) -> None:
    for column in columns:
        if column.type_code == BYTES:
            raise DataError(
                f"the column {column.name!r} of {shown} holds bytes, not values",
                where="--query",
                next="leave it out: --query 'SELECT the, other, columns FROM …'",
            )


def _refused(psycopg: Any, error: Exception, shown: str, url: str) -> DataError:
    """What the server said, in words, and what to do; without what is secret in the address."""
    state = getattr(error, "sqlstate", None) or ""
    text = _clean(str(error), url)
    if state == "25006":
        return DataError(
            "the query would change the database",
            where="--query",
            why=f"{text}; the transaction is read-only",
            next="ask with one SELECT",
        )
    if state in ("28P01", "28000") or "no password supplied" in text:
        return DataError(
            f"{shown} does not let you in",
            where=shown,
            why=text,
            next="give the password in PGPASSWORD or ~/.pgpass; it is not written down",
        )
    if state == "57014":
        return DataError(
            f"{shown} stopped answering",
            where="--query",
            why=text,
            next="ask for less, or give it more time: "
            "PGOPTIONS='-c statement_timeout=10min' trackrecord data add …",
        )
    if not state:
        return DataError(
            f"{shown} does not answer",
            where=shown,
            why=text,
            next="look whether the server runs and can be reached from here: psql URL",
        )
    return DataError(
        f"{shown} refuses the query",
        where="--query",
        why=text,
        next="ask with one SELECT, and try it with psql first",
    )


def _clean(text: str, url: str) -> str:
    """The first line of what was said, without anything secret that the address has."""
    from urllib.parse import parse_qs, unquote, urlsplit

    line = " ".join(part.strip() for part in text.splitlines()[:2])[:400]
    secrets = {url}
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        secrets.add(parts.netloc.rpartition("@")[0].partition(":")[2])
        for key, values in parse_qs(parts.query).items():
            secrets.update(values if "pass" in key else ())
    secrets |= {unquote(secret) for secret in secrets}
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        line = line.replace(secret, "…")
    return line


def _psycopg() -> Any:
    try:
        from importlib import import_module

        return import_module("psycopg")
    except ImportError:
        raise MissingExtra(
            "a Postgres server is asked with psycopg, which is not installed",
            next="pip install 'trackrecord[postgres]', or export the rows: "
            r"psql URL -c "
            r'"\copy (SELECT …) to rows.csv csv header"',
        ) from None


def checked_query(query: str | None) -> str:
    """The query. Raises BadInput where none was given."""
    if not query or not query.strip():
        raise BadInput(
            "which rows of the server?",
            where="--query",
            why="a source is made of the answer to one question",
            next="ask: --query 'SELECT … FROM …'",
        )
    return query
