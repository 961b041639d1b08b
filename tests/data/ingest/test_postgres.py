"""Sources from a real Postgres server, started for these tests where one is installed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Told, trackrecord

from trackrecord.data.ingest.leftovers import examine_sources
from trackrecord.data.ingest.postgres import shown_address
from trackrecord.data.ingest.record import read_source

psycopg = pytest.importorskip("psycopg")

PASSWORD = "s3cret-w0rd"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port/database of a server that asks for a password."""
    binaries = programs()
    if binaries is None or not (binaries / "initdb").exists():
        pytest.skip("Postgres is not installed")
    # The server refuses to run as root, and must be able to reach its folder.
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        more: dict[str, object] = {}
        if os.geteuid() == 0:
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("Postgres does not run as root")
            os.chown(folder, user.pw_uid, user.pw_gid)
            more = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        (folder / "word").write_text(PASSWORD)
        (folder / "word").chmod(0o644)
        data, port = folder / "data", free_port()

        def do(*words: str | Path) -> None:
            subprocess.run([*map(str, words)], check=True, capture_output=True, cwd=folder, **more)  # type: ignore[call-overload]

        do(binaries / "initdb", "-D", data, "-U", "ada", "-A", "scram-sha-256", "--no-sync",
           f"--pwfile={folder / 'word'}", "-E", "UTF8", "--locale=C")  # fmt: skip
        settings = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        )
        do(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start")
        try:
            where = f"127.0.0.1:{port}/postgres"
            with psycopg.connect(f"postgresql://ada:{PASSWORD}@{where}", autocommit=True) as one:
                one.execute(SHOP)
            yield where
        finally:
            do(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")


SHOP = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE orders (id bigint, zip text, price numeric, weight float8, paid boolean, day date,
                     at timestamptz, clock timestamp, tags text[], mood mood, photo bytea);
INSERT INTO orders VALUES
 (1, '01234', 9.5, 0.1, true, '2024-01-31', '2024-01-31 10:00+02', '2024-01-31 10:00', '{a,b}',
  'glad', NULL),
 (2, 'NA', 12345678901234567890.25, 'NaN', false, 'infinity', NULL, NULL, NULL, NULL, NULL),
 (3, E'two\\nlines, "q"', NULL, 1e300, NULL, '0044-03-15 BC', 'infinity', '2024-01-31 10:00:00.5',
  '{}', 'sad', NULL);
CREATE SEQUENCE counter;
CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM orders RETURNING 1';
CREATE TABLE many AS SELECT i AS id, 'word ' || i AS word FROM generate_series(1, 60000) AS i;
"""
ALL = "SELECT id, zip, price, weight, paid, day, at, clock, tags, mood FROM orders ORDER BY id"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trackrecord("init", tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture(autouse=True)
def word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def ask(root: Path, server: str, query: str, *words: str, user: str = "ada") -> Told:
    url = f"postgresql://{user}@{server}"
    return trackrecord("data", "add", url, "--name", "t", "--query", query, *words, at=root)


def everything(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def test_a_query_becomes_a_source_with_the_kinds_of_its_columns(root: Path, server: str) -> None:
    told = ask(root, server, ALL, "--json")
    assert told.code == 0, told.err
    source = read_source(root, "t")
    assert source is not None
    assert {column.name: column.kind for column in source.column} == {
        "id": "number", "zip": "string", "price": "number", "weight": "number", "paid": "boolean",
        "day": "date", "at": "time", "clock": "time", "tags": "string", "mood": "string",
    }  # fmt: skip
    made = pl.read_parquet(root / "data/t.parquet")
    assert made["zip"].to_list() == ["01234", "NA", 'two\nlines, "q"']
    assert made["weight"].to_list() == [0.1, None, 1e300]
    assert made["paid"].to_list() == [True, False, None]
    assert str(made["at"][0]) == "2024-01-31 08:00:00+00:00"
    assert str(made["clock"][2]) == "2024-01-31 10:00:00.500000"
    assert {(note.column, note.code, note.rows, note.lost) for note in source.note} == {
        ("price", "digits", 1, True), ("weight", "nan", 1, False), ("day", "not_declared", 2, True),
        ("at", "not_declared", 1, True), ("tags", "as_written", 2, False),
        ("mood", "as_written", 2, False),
    }  # fmt: skip
    raw = (root / "data/raw" / source.raw).read_text()
    assert raw.startswith("id,zip,price,weight,paid,day,at,clock,tags,mood\n1,01234,9.5,0.1,true,")
    assert source.file == f"postgresql://{server}"
    assert examine_sources(root) == []


def test_the_same_answer_changes_nothing_and_another_needs_replace(root: Path, server: str) -> None:
    ask(root, server, ALL)
    assert "nothing to do" in ask(root, server, ALL).out
    assert ask(root, server, f"{ALL} LIMIT 2").code == 2
    told = ask(root, server, f"{ALL} LIMIT 2;  ", "--replace")
    assert "rows: 3 → 2 (-1)" in told.out


@pytest.mark.parametrize("place", ["url", "environment", "pgpass", "query of the url"])
def test_a_password_is_used_and_never_told(
    root: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    url = f"postgresql://ada@{server}"
    if place != "environment":
        monkeypatch.delenv("PGPASSWORD")
    if place == "pgpass":
        host, _, rest = server.partition(":")
        path = tmp_path / "pass"
        path.write_text(f"{host}:{rest.partition('/')[0]}:*:ada:{PASSWORD}\n")
        path.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(path))
    elif place == "url":
        url = f"postgresql://ada:{PASSWORD}@{server}"
    elif place == "query of the url":
        url = f"postgresql://ada@{server}?password={PASSWORD}"
    told = trackrecord("data", "add", url, "--name", "t", "--query", ALL, at=root)
    assert told.code == 0, told.err
    assert PASSWORD not in "".join(told.printed)
    assert PASSWORD.encode() not in everything(root)
    assert b"ada" not in (root / "data/t.source.toml").read_bytes()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:{word}@{server}", "postgresql://ada:{word}@127.0.0.1:1/postgres",
        "postgresql://ada:{word}@{server}nowhere", "postgresql://ada:{word}@{server}?x=1",
        "postgresql://ada:{word}%@{server}", "postgresql://ada:{word}@[::/x", "postgres://{word}",
        "postgresql://ada@{server}?password={word}&sslmode=verify-full",
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_without_the_password(root: Path, server: str, url: str) -> None:
    word = "wr0ng-w0rd"
    words = [
        "data",
        "add",
        url.format(word=word, server=server),
        "--name",
        "t",
        "--query",
        "SELECT 1",
    ]
    for more in ([], ["--json"]):
        told = trackrecord(*words, *more, at=root)
        assert told.code == 2
        if "postgres://" not in url:  # there it is the host's name
            assert word not in "".join(told.printed)
    assert "itself failed" not in told.out
    assert told.json["error"]["next"]
    assert not (root / "data/raw").exists()


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("DELETE FROM orders", "refuses the query"),
        ("INSERT INTO orders (id) VALUES (9)", "refuses the query"),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", "refuses the query"),
        ("SELECT spoil()", "would change the database"),
        ("SELECT nextval('counter')", "would change the database"),
        ("SELECT 1; DELETE FROM orders", "refuses the query"),
        ("SELECT 1) TO PROGRAM 'touch /tmp/gone' --", "refuses the query"),
        ("SELECT 1 AS a /*", "refuses the query"),
        ("SELECT set_config('transaction_read_only', 'off', false), spoil()",
         "refuses the query"),
        ("COMMIT", "refuses the query"), ("SELECT", "no columns"),
        ("SELECT * FROM gone", "refuses the query"),
        ("SELECT 1 AS a, 2 AS a", "two columns called 'a'"),
        ("SELECT photo FROM orders", "holds bytes"),
        ("SELECT 1 / 0 AS a", "refuses the query"), ("SELECT 1 AS a WHERE false", "no rows"),
        ("  ", "which rows"),
    ],
)  # fmt: skip
def test_a_query_can_only_read(root: Path, server: str, query: str, what: str) -> None:
    told = ask(root, server, query, "--json")
    assert told.code == 2
    assert what in told.json["error"]["what"], told.out
    assert told.json["error"]["next"]
    assert not (root / "data/raw").exists()
    with psycopg.connect(f"postgresql://ada@{server}") as one:
        assert one.execute(
            "SELECT count(*), last_value FROM orders, counter GROUP BY 2"
        ).fetchone() == (3, 1)


def test_a_query_that_takes_too_long_is_stopped_by_the_server(
    root: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=100")
    told = ask(root, server, "SELECT pg_sleep(20)::text AS a", "--json")
    assert told.code == 2
    assert "stopped answering" in told.json["error"]["what"]


def test_a_server_that_says_nothing_is_given_up(root: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        told = ask(
            root, f"127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2", "SELECT 1", "--json"
        )
    assert told.code == 2
    assert "does not answer" in told.json["error"]["what"]


def test_a_server_that_goes_away_while_it_answers_leaves_nothing(root: Path, server: str) -> None:
    """A proxy that closes after some bytes stands for a line that is cut."""
    host, _, rest = server.partition(":")
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()

        def carry(one: socket.socket, other: socket.socket, limit: int) -> None:
            done = 0
            with contextlib.suppress(OSError):
                while done < limit and (data := one.recv(65536)):
                    other.sendall(data)
                    done += len(data)
                for each in (one, other):
                    each.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            client, _ = proxy.accept()
            behind = socket.create_connection((host, int(rest.partition("/")[0])))
            up = threading.Thread(target=carry, args=(client, behind, 1 << 40))
            up.start()
            carry(behind, client, 200_000)
            up.join()
            client.close()
            behind.close()

        thread = threading.Thread(target=serve)
        thread.start()
        told = ask(
            root, f"127.0.0.1:{proxy.getsockname()[1]}/postgres", "SELECT * FROM many", "--json"
        )
        thread.join()
    assert told.code == 2, told.out
    assert "does not answer" in told.json["error"]["what"]
    assert not (root / "data/raw").exists()
    assert not list((root / "data").glob(".*"))


def test_a_large_answer_is_read_as_it_comes(root: Path, server: str) -> None:
    told = ask(root, server, "SELECT * FROM many ORDER BY id", "--json")
    assert told.json["source"]["rows"] == 60_000
    assert pl.read_parquet(root / "data/t.parquet").row(-1) == (60_000, "word 60000")


def test_options_of_files_say_nothing_of_a_server(root: Path, server: str) -> None:
    told = ask(root, server, "SELECT 1", "--delimiter", ";")
    assert "--delimiter says nothing of a database server" in told.err


def test_an_address_is_shown_without_who_and_how() -> None:
    assert shown_address("postgresql://u:p@host:5/db?password=x") == "postgresql://host:5/db"
    assert shown_address("postgres://u:p@[::/x") == "postgresql://[::/x"
    assert shown_address("postgresql://") == "postgresql:///"


def test_the_extra_is_named_where_it_is_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = ask(root, "host/db", "SELECT 1")
    assert told.code == 2
    assert "pip install 'trackrecord[postgres]'" in " ".join(told.err.split())
    extras = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert extras["project"]["optional-dependencies"]["postgres"]


PEAK = """
import resource, sys
from trackrecord.cli.main import main
code = main(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_a_larger_answer_takes_no_more_memory(root: Path, server: str) -> None:
    """300 megabytes of rows, of which neither side holds more than a few blocks."""

    def peak(rows: int) -> int:
        query = f"SELECT i AS id, repeat('word ' || i, 8) AS t FROM generate_series(1, {rows}) i"
        url = f"postgresql://ada@{server}"
        words = ["data", "add", url, "--name", f"t{rows}", "--query", query, "-C", str(root)]
        words = [sys.executable, "-c", PEAK, *words]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        code, megabytes = map(int, done.stdout.split()[-2:])
        assert code == 0, done.stderr
        return megabytes

    few, many = peak(300_000), peak(3_000_000)
    print(f"peak memory: {few} MB, ten times the rows: {many} MB")
    assert many < few + 120
