"""Adding a source: bytes kept, table made, description and evidence written – all or nothing."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.data.ingest.add import Added, add
from trackrecord.data.ingest.record import Read, read_source, source_text
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.workspace import make_workspace

TABLE = "id,x\n1,0.5\n2,\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace").root


def added(root: Path, given: Path, name: str = "trips", **options: Any) -> Added:
    whole = {key: options.pop(key, None) for key in ("origin", "license")}
    replace = options.pop("replace", False)
    return add(
        root, given, name, Read(format="", **options),
        **whole, replace=replace, tool="0", now="2024-01-31T10:00:00Z",
    )  # fmt: skip


def made(root: Path, name: str = "trips") -> pl.DataFrame:
    return pl.read_parquet(root / f"data/{name}.parquet")


def files(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and ".trackrecord" not in path.parts
    }


def written(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_a_source_has_its_bytes_a_table_a_description_and_evidence(
    root: Path, tmp_path: Path
) -> None:
    given = written(tmp_path / "trips.csv", TABLE)
    done = added(root, given, origin="https://example.org/trips", license="CC0-1.0")
    raw = root / "data/raw" / hashlib.sha256(TABLE.encode()).hexdigest()
    assert raw.read_text() == TABLE
    assert stat.S_IMODE(raw.stat().st_mode) == 0o444
    assert made(root).rows() == [(1, 0.5), (2, None)]
    assert read_source(root, "trips") == done.source
    assert (done.source.rows, done.source.bytes, done.source.license) == (2, 14, "CC0-1.0")
    (entry,) = read_chain(root / "evidence")
    assert entry.kind == "ingest"
    statement = read_evidence(root / "evidence", str(entry.evidence))
    assert statement.predicate["raw"] == raw.name
    assert [s.name for s in statement.subject] == [f"data/raw/{raw.name}", "data/trips.parquet"]
    assert statement.subject[1].digest["sha256"] == files(root)["data/trips.parquet"]


def test_evidence_shows_rows_of_what_was_lost_and_no_value(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "trips.csv", "name,x\nada,1\nbob,secret\n")
    done = added(root, given, types={"x": "number"})
    assert done.source.note[0].first[0].value == "secret"
    (path,) = (root / "evidence").glob("*.json")
    assert b"secret" not in path.read_bytes()
    assert b'"first":[2]' in path.read_bytes()


def test_the_same_bytes_again_change_nothing(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "trips.csv", TABLE)
    added(root, given)
    before = files(root)
    assert added(root, written(tmp_path / "other_name.csv", TABLE)).state == "unchanged"
    assert files(root) == before
    assert added(root, given, license="CC0-1.0").state == "described"
    assert read_source(root, "trips").license == "CC0-1.0"  # type: ignore[union-attr]


def test_other_bytes_need_replace_and_what_changed_is_said(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "trips.csv", TABLE)
    added(root, given, license="CC0-1.0")
    before = files(root)
    written(given, "id,y,x\n1,a,fast\n2,b,1\n3,c,2\n")
    with pytest.raises(BadInput, match="taken") as caught:
        added(root, given)
    assert "--replace" in str(caught.value.next)
    assert {**files(root), **before} == files(root)
    done = added(root, given, replace=True)
    assert done.changes[1:] == [
        "rows: 2 → 3 (+1)", "column new: y (string)", "column x: number → string",
    ]  # fmt: skip
    assert done.source.license == "CC0-1.0"
    last = read_chain(root / "evidence")[-1]
    statement = read_evidence(root / "evidence", str(last.evidence))
    assert statement.predicate["replaces"] == hashlib.sha256(TABLE.encode()).hexdigest()


def test_a_table_that_was_damaged_or_lost_is_made_again(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "trips.csv", TABLE)
    added(root, given)
    before = files(root)
    written(root / "data/trips.parquet", b"PAR1 cut off")
    assert added(root, given).state == "added"
    assert files(root)["data/trips.parquet"] == before["data/trips.parquet"]


def test_a_table_of_someone_else_is_not_written_over(root: Path, tmp_path: Path) -> None:
    written(root / "data/trips.parquet", b"mine")
    with pytest.raises(BadInput, match="did not make"):
        added(root, written(tmp_path / "trips.csv", TABLE))
    assert (root / "data/trips.parquet").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["", "Trips", "../x", "a-b", "1a", "a" * 65])
def test_a_name_is_a_plain_word(root: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name"):
        added(root, written(tmp_path / "trips.csv", TABLE), name)


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("t.xlsx", b"PK\x03\x04 sheet", "not data that can be read"),
        ("t.json", b"[1]", "not data that can be read"),
        ("t.parquet", b"hello", "not data that can be read"),
        ("t.parquet", b"PAR1 and no more", "damaged"),
        ("t.arrow", b"ARROW1\0\0 and no more", "damaged"),
        ("t.zip", b"PK\x03\x04 and no more", "damaged"),
        ("t.sqlite", b"SQLite format 3\0 and no more", "does not answer"),
        ("t.csv", b"", "empty"),
        ("t.exe", b"MZ\0\0", "not data that can be read"),
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_no_table(
    root: Path, tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    with pytest.raises(DataError, match=what) as caught:
        added(root, written(tmp_path / name, data))
    assert caught.value.next
    assert not {path for path in files(root) if path.startswith("data/") and "raw" not in path}
    assert read_chain(root / "evidence") == []


def test_options_that_say_nothing_of_a_format_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--query says nothing of a csv file"):
        added(root, written(tmp_path / "trips.csv", TABLE), query="SELECT 1")


def shop(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE orders (id INTEGER, day TEXT, zip TEXT, paid, photo BLOB);"
        "INSERT INTO orders VALUES (1, '2024-01-31', '01234', 1, NULL),"
        " (2, '2024-02-01', '99', 'later', NULL); CREATE TABLE other (x)"
    )
    connection.close()
    return path


def test_a_table_of_sqlite_is_read_with_the_types_of_its_values(root: Path, tmp_path: Path) -> None:
    given = shop(tmp_path / "shop.sqlite")
    with pytest.raises(BadInput, match="which table") as caught:
        added(root, given)
    assert "orders, other" in str(caught.value.why)
    done = added(root, given, table="orders")
    kinds = {column.name: column.kind for column in done.source.column}
    assert kinds == {"id": "number", "day": "date", "zip": "string", "paid": "string",
                     "photo": "missing"}  # fmt: skip
    assert [(note.column, note.code, note.rows) for note in done.source.note] == [
        ("paid", "mixed", 1)
    ]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders", "ATTACH 'other.db' AS o", "PRAGMA writable_schema=1",
        "SELECT load_extension('x')", "DROP TABLE orders", "SELECT 1; DELETE FROM orders",
        "VACUUM INTO 'copy.db'", "WITH", "CREATE TABLE x(y)",
    ],
)  # fmt: skip
def test_a_query_can_only_read(root: Path, tmp_path: Path, query: str) -> None:
    given = shop(tmp_path / "shop.sqlite")
    before = given.read_bytes()
    with pytest.raises(DataError, match="does not answer"):
        added(root, given, query=query)
    assert given.read_bytes() == before
    assert made_nothing(root)


def made_nothing(root: Path) -> bool:
    return not list((root / "data").glob("*.*")) and not list((root / "data").glob(".*"))


def test_bytes_in_a_column_are_refused(root: Path, tmp_path: Path) -> None:
    given = shop(tmp_path / "shop.sqlite")
    with pytest.raises(DataError, match="holds bytes"):
        added(root, given, query="SELECT id, x'00ff' AS photo FROM orders")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress((b"\0" + b"\0" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows)
            + chunk(b"IEND", b""))  # fmt: skip


GIF = b"GIF89a" + struct.pack("<HH", 3, 2) + b"\0\0\0\x3b"
JPEG = (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 5, 7)
        + b"\x01\x01\x11\x00\xff\xda" + b"\0" * 9 + b"\xff\xd9")  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    written(folder / "cat/1.png", png(4, 3))
    written(folder / "cat/2.gif", GIF)
    written(folder / "dog/3.jpg", JPEG)
    return folder


def test_a_folder_of_pictures_is_a_table_of_labels_sizes_and_digests(
    root: Path, photos: Path
) -> None:
    (photos / "loop").symlink_to(photos, target_is_directory=True)
    written(photos / "notes.pdf", b"x")
    done = added(root, photos)
    frame = made(root)
    assert frame.drop("digest", "phash", strict=False).rows() == [
        ("cat/1.png", "cat", 4, 3), ("cat/2.gif", "cat", 3, 2), ("dog/3.jpg", "dog", 7, 5),
    ]  # fmt: skip
    for path, digest in frame.select("path", "digest").iter_rows():
        assert (root / "data/raw" / digest).read_bytes() == (photos / path).read_bytes()
    notes = {note.code: note.rows for note in done.source.note if note.code != "no_phash"}
    assert notes == {"link": 1, "other_file": 1}
    assert added(root, photos).state == "unchanged"


def test_labels_of_a_file_win_over_folders(root: Path, photos: Path) -> None:
    written(photos / "labels.csv", "path,label\ncat/1.png,lynx\ndog/3.jpg,wolf\n")
    added(root, photos)
    assert made(root)["label"].to_list() == ["lynx", None, "wolf"]
    written(photos / "labels.csv", "path,label\ncat/9.png,lynx\n")
    with pytest.raises(DataError, match=r"names .cat/9\.png.") as caught:
        added(root, photos, replace=True)
    assert caught.value.why == "did you mean 'cat/1.png'?"


@pytest.mark.parametrize("data", [b"not a picture", png(4, 3)[:40], JPEG[:8], GIF[:9], b""])
def test_a_picture_that_is_none_stops_or_is_left_out(root: Path, photos: Path, data: bytes) -> None:
    written(photos / "cat/0.png", data)
    with pytest.raises(DataError, match=r"cat/0\.png is not a picture"):
        added(root, photos)
    done = added(root, photos, skip_bad=True)
    assert (done.source.rows, done.source.note[0].code) == (3, "unreadable")


def test_a_folder_of_texts_is_a_table_of_labels_and_texts(root: Path, tmp_path: Path) -> None:
    written(tmp_path / "mail/spam/1.txt", "Win naïve prizes")
    written(tmp_path / "mail/ham/2.txt", "01234")
    added(root, tmp_path / "mail")
    assert made(root).rows() == [
        ("ham/2.txt", "ham", "01234"), ("spam/1.txt", "spam", "Win naïve prizes"),
    ]  # fmt: skip
    written(tmp_path / "mail/ham/3.txt", b"ok\ncaf\xe9")
    with pytest.raises(DataError, match=r"ham/3\.txt is not a text") as caught:
        added(root, tmp_path / "mail", "mail")
    assert caught.value.why == "line 2 is not UTF-8"


def zipped(path: Path, members: dict[str, bytes], **more: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = more.get("mode", 0o100644) << 16
            archive.writestr(info, data)
    return path


def test_a_zip_of_one_table_is_that_table(root: Path, tmp_path: Path) -> None:
    added(root, zipped(tmp_path / "t.zip", {"deep/trips.csv": TABLE.encode()}))
    assert made(root).rows() == [(1, 0.5), (2, None)]
    assert [*(root / "data").glob(".*")] == []


def test_a_zip_of_pictures_is_a_folder_of_them(root: Path, tmp_path: Path) -> None:
    given = zipped(tmp_path / "t.zip", {"cat/1.png": png(4, 3), "dog/2.gif": GIF})
    done = added(root, given)
    assert made(root)["label"].to_list() == ["cat", "dog"]
    assert done.source.raw == hashlib.sha256(given.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["../x.csv", "a/../../x.csv", "/etc/x.csv", "..\\x.csv",
                                  "C:/x.csv"])  # fmt: skip
def test_a_name_that_leads_out_of_a_zip_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="is not unpacked"):
        added(root, zipped(tmp_path / "t.zip", {name: TABLE.encode()}))
    assert made_nothing(root)
    assert not (tmp_path / "x.csv").exists()


def test_a_link_in_a_zip_is_refused(root: Path, tmp_path: Path) -> None:
    given = zipped(tmp_path / "t.zip", {"x.csv": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    with pytest.raises(DataError, match="is not unpacked") as caught:
        added(root, given)
    assert caught.value.why == "it is a symbolic link"


def test_a_bomb_in_a_zip_is_refused_whatever_its_header_says(root: Path, tmp_path: Path) -> None:
    given = zipped(tmp_path / "t.zip", {"x.csv": b"a,b\n" + b"0" * (1 << 24)})
    with pytest.raises(DataError, match="more than 1,000 times its size"):
        added(root, given)
    assert made_nothing(root)


ADDING = """
import sys
from pathlib import Path
from trackrecord.data.ingest.add import add
from trackrecord.data.ingest.record import Read
print("go", flush=True)
add(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Read(format=""), origin=None, license=None,
    replace=True, tool="0", now="2024-01-31T10:00:00Z")
"""


def start(root: Path, given: Path, name: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", ADDING, str(root), str(given), name]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


@pytest.mark.slow
def test_two_at_once_are_both_whole(root: Path, tmp_path: Path) -> None:
    one = written(tmp_path / "one.csv", TABLE)
    two = written(tmp_path / "two.csv", TABLE + "3,1\n")
    both = [start(root, given, "trips") for given in (one, two)]
    assert [process.wait(60) for process in both] == [0, 0]
    source = read_source(root, "trips")
    assert source is not None
    assert files(root)["data/trips.parquet"] == source.parquet
    assert len(made(root)) == source.rows
    assert len(read_chain(root / "evidence")) == 2


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(root: Path, tmp_path: Path) -> None:
    old = written(tmp_path / "old.csv", TABLE)
    rows = "".join(f"{n},{n / 7}\n" for n in range(300_000))
    new = written(tmp_path / "new.csv", f"id,x\n{rows}")
    added(root, old)
    for delay in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8):
        process = start(root, new, "trips")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        source = read_source(root, "trips")
        assert source is not None
        assert len(made(root)) == source.rows
        assert files(root)["data/trips.parquet"] == source.parquet
    added(root, new, replace=True)
    assert made_only(root, "trips")
    assert len(made(root)) == 300_000


def made_only(root: Path, name: str) -> bool:
    left = {path.name for path in (root / "data").iterdir()}
    return left == {"raw", f"{name}.parquet", f"{name}.source.toml"}


def test_a_full_disk_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    given = written(
        tmp_path / "big.csv", "id,x\n" + "".join(f"{n},{n / 7}\n" for n in range(90_000))
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
        with pytest.raises(OSError, match=r"."):
            added(root, given)
        assert made_nothing(root)
        assert not (root / "data/raw").exists()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert added(root, given).source.rows == 90_000


def test_a_file_that_grows_while_it_is_read_is_refused(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "log.csv", "id,x\n" + "1,2\n" * 5_000_000)
    done = threading.Event()

    def write() -> None:
        with given.open("a") as file:
            while not done.wait(0.0005):
                file.write("3,4\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(DataError, match="changed while it was read"):
            added(root, given)
    finally:
        done.set()
        writer.join()
    assert made_nothing(root)
    assert not (root / "data/raw").exists()


def test_a_file_that_may_not_be_read_is_refused(root: Path, tmp_path: Path) -> None:
    given = written(tmp_path / "trips.csv", TABLE)
    given.chmod(0o000)
    if os.access(given, os.R_OK):
        pytest.skip("the superuser may read everything")
    with pytest.raises(PermissionError):
        added(root, given)


def test_a_description_reads_back_whatever_its_names_are(root: Path, tmp_path: Path) -> None:
    header = '"a ""quoted"" \\ name","tab\there","\U0001f600","\x7f","=1+1","[x]"'
    done = added(root, written(tmp_path / "odd.csv", f"{header}\n1,2,3,4,5,\n"))
    assert read_source(root, "trips") == done.source
    assert source_text(done.source) == (root / "data/trips.source.toml").read_text("utf-8")
