"""Packed and binary files, archives, folders and odd places that are wrong in some way."""

from __future__ import annotations

import gzip
import io
import os
import random
import sqlite3
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
from tests.data.ingest.malformed import LINES, QUOTED, SOUND, Make, Malformed, file


def every_other() -> list[Malformed]:
    """All of this file."""
    return [*packed(), *binary(), *lines(), *zips(), *folders(), *places()]


def damaged(data: bytes, seed: int, cuts: int, flips: int) -> Iterator[tuple[str, bytes]]:
    """Cut off at some places, and with single bytes changed at others."""
    draw = random.Random(seed)
    for number in range(cuts):
        yield f"cut off {number}", data[: draw.randrange(4, len(data))]
    for number in range(flips):
        copy = bytearray(data)
        at = draw.randrange(4, len(copy))
        copy[at] ^= 1 << draw.randrange(8)
        yield f"with a bit changed {number}", bytes(copy)


def packed() -> Iterator[Malformed]:
    """Gzip."""
    whole = gzip.compress(SOUND, mtime=0)
    for what, data in damaged(whole, 1, 10, 12):
        yield Malformed(f"gzip {what}", file("t.csv.gz", data))
    for what, data, wanted in (
        ("of nothing", gzip.compress(b""), "refused"), ("twice", gzip.compress(whole), "refused"),
        ("in two parts", gzip.compress(SOUND[:100]) + gzip.compress(SOUND[100:]), "read"),
        ("with more behind", whole + b"more", "refused"), ("magic alone", b"\x1f\x8b", "refused"),
        ("a bomb", gzip.compress(b"a,b\n" + b"0" * (1 << 25)), "refused"),
        ("by name alone", SOUND, "read"),
    ):  # fmt: skip
        yield Malformed(f"gzip {what}", file("t.csv.gz", data), wanted)


def binary() -> Iterator[Malformed]:
    """Parquet, Arrow, SQLite, DuckDB."""
    frame = pl.DataFrame({"id": range(500), "x": [n / 7 for n in range(500)], "t": ["word"] * 500})
    for name, write in (("t.parquet", frame.write_parquet), ("t.arrow", frame.write_ipc)):
        buffer = io.BytesIO()
        write(buffer)
        for what, data in damaged(buffer.getvalue(), 2, 10, 15):
            yield Malformed(
                f"{name} {what}", file(name, data), "refused" if "cut" in what else None
            )
    for kind in (pl.List(pl.Int64), pl.Struct({"a": pl.Int64}), pl.Binary, pl.Duration, pl.Time):
        buffer = io.BytesIO()
        pl.DataFrame({"a": pl.Series([None], dtype=kind)}).write_parquet(buffer)
        yield Malformed(f"Parquet of {kind}", file("t.parquet", buffer.getvalue()), "refused")
    buffer = io.BytesIO()
    pl.DataFrame({"^a.*$": [1.5, None], "*": ["x", ""]}).write_parquet(buffer)
    yield Malformed("Parquet of names like patterns", file("t.parquet", buffer.getvalue()), "read")
    buffer = io.BytesIO()
    frame.clear().write_parquet(buffer)
    yield Malformed("Parquet without rows", file("t.parquet", buffer.getvalue()), "refused")
    for engine in (sqlite, duck):
        name = f"t.{engine.__name__}"
        for number in range(12):
            yield Malformed(f"{name} cut off {number}", broken(engine, name, number, cut=True))
            yield Malformed(
                f"{name} with bytes changed {number}", broken(engine, name, number, cut=False)
            )


def sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (id INTEGER, x REAL, word TEXT)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", [(n, n / 7, "w") for n in range(500)]
        )
    connection.close()


def duck(path: Path) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS id, i / 7 AS x, 'w' AS w FROM range(500) r(i)"
        )


def broken(engine: Callable[[Path], None], name: str, seed: int, *, cut: bool) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        engine(path)
        data, draw = bytearray(path.read_bytes()), random.Random(seed)
        if cut:
            data = data[: draw.randrange(16, len(data))]
        else:
            for _ in range(draw.choice([1, 10, 300])):
                data[draw.randrange(16, len(data))] = draw.randrange(256)
        path.write_bytes(bytes(data))
        return path

    return make


def lines() -> Iterator[Malformed]:
    """JSON lines."""
    for what, data in damaged(LINES, 3, 8, 12):
        yield Malformed(f"JSON lines {what}", file("t.jsonl", data))
    for what, data, wanted in (
        ("a list", b"[1]\n", "refused"), ("a number", b"1\n", "refused"),
        ("nothing", b"\n\n", "refused"),
        ("empty objects", b"{}\n{}\n", "refused"),
        ("deep", b"[" * 5000 + b"]" * 5000 + b"\n", "refused"),
        ("a deep value", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}\n", None),
        ("a key twice", b'{"a": 1, "a": 2}\n', None), ("an empty key", b'{"": 1}\n', "refused"),
        ("NaN", b'{"a": NaN}\n', "refused"), ("a document", b'{"a":\n 1}\n', "refused"),
        ("a lone surrogate", b'{"a": "\\ud800"}\n', None),
        ("large numbers", b'{"a": 1e999}\n', None),
        ("whole numbers of 100 digits", b'{"a": ' + b"9" * 100 + b"}\n", None),
        ("a NUL", b'{"a": "\\u0000"}\n', None),
        ("mixed types", b'{"a": 1}\n{"a": "x"}\n{"a": [1]}\n{"a": true}\n', "read"),
        ("5,000 keys", b"{" + b",".join(b'"k%d": 1' % n for n in range(5000)) + b"}\n", "read"),
    ):  # fmt: skip
        yield Malformed(f"JSON lines: {what}", file("t.jsonl", data), wanted)
        yield Malformed(
            f"JSON lines: {what}, left out", file("t.jsonl", data), None, ("--skip-bad",)
        )


def zipped(members: dict[str, bytes], mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def zips() -> Iterator[Malformed]:
    """Archives."""
    for name in (
        "../t.csv",
        "a/../../t.csv",
        "/etc/t.csv",
        "..\\t.csv",
        "C:/t.csv",
        "..",
        "a/..",
        "\\\\host\\t.csv",
    ):
        yield Malformed(f"a zip of {name!r}", file("t.zip", zipped({name: SOUND})), "refused")
    inner = zipped({"t.csv": SOUND})
    for what, data, wanted in (
        ("a link", zipped({"t.csv": b"/etc/passwd"}, stat.S_IFLNK | 0o777), "refused"),
        ("a zip", zipped({"t.zip": inner}), "refused"), ("nothing", zipped({}), "refused"),
        ("a bomb", zipped({"t.csv": b"a,b\n" + b"0" * (1 << 25)}), "refused"),
        ("two tables", zipped({"a.csv": SOUND, "b.csv": SOUND}), "refused"),
        ("an empty table", zipped({"a.csv": b""}), "refused"),
        ("a hidden file", zipped({".t.csv": SOUND}), None),
        ("pictures and texts", zipped({"a.png": b"", "b.txt": b"x"}), "refused"),
        ("a table by another name", zipped({"t.parquet": SOUND}), None),
        ("a file inside a file", zipped({"a.txt": b"x", "a.txt/b.txt": b"y"}), None),
    ):  # fmt: skip
        yield Malformed(f"a zip of {what}", file("t.zip", data), wanted)
    for what, data in damaged(inner, 4, 8, 15):
        yield Malformed(f"a zip {what}", file("t.zip", data))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("t.csv", SOUND)
        archive.NameToInfo.clear()
        archive.writestr("t.csv", QUOTED)
    yield Malformed("a zip of one name twice", file("t.zip", twice.getvalue()), "refused")


def png(width: int = 4, height: int = 3) -> bytes:
    """A picture of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress((b"\0" + b"\0" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def folders() -> Iterator[Malformed]:
    """Folders of pictures or texts."""

    def folder_of(
        members: dict[str, bytes], after: Callable[[Path], None] = lambda top: None
    ) -> Make:
        def make(folder: Path) -> Path:
            top = folder / "photos"
            top.mkdir()
            for name, data in members.items():
                (top / name).parent.mkdir(parents=True, exist_ok=True)
                (top / name).write_bytes(data)
            after(top)
            return top

        return make

    def loop(top: Path) -> None:
        (top / "loop").symlink_to(top, target_is_directory=True)
        (top / "self").symlink_to(top / "self")

    good = {"a/1.png": png(), "b/2.png": png(5, 5)}
    yield Malformed("a loop of links", folder_of(good, loop), "read")
    yield Malformed(
        "a pipe among pictures", folder_of(good, lambda top: os.mkfifo(top / "a/3.png"))
    )
    yield Malformed("an empty folder", folder_of({}), "refused")
    yield Malformed(
        "a link to nowhere", folder_of(good, lambda top: (top / "3.png").symlink_to("gone")), "read"
    )
    for what, data in (*damaged(png(), 5, 8, 10), ("of text", b"hello"), ("of nothing", b""),
                       ("without pixels", png(0, 0)), ("of a page", b"<html>")):  # fmt: skip
        yield Malformed(f"a picture {what}", folder_of({**good, "a/0.png": data}))
        yield Malformed(
            f"a picture {what}, left out",
            folder_of({**good, "a/0.png": data}),
            "read",
            ("--skip-bad",),
        )
    for what, labels in (("no header", b"1.png,cat\n"), ("other bytes", b"path,label\n\xff,x\n"),
    ("a name that is not there", b"path,label\nx.png,a\n"),
                         ("two labels", b"path,label\na/1.png,x\na/1.png,y\n"),
                         ("nothing in it", b""),
                         ("a quote that never closes", b'path,label\na/1.png,"x\n')):  # fmt: skip
        yield Malformed(f"labels with {what}", folder_of({**good, "labels.csv": labels}))
    for what, data in (
        ("of other bytes", b"caf\xe9"),
        ("with a NUL", b"a\0b"),
        ("that is empty", b""),
    ):
        yield Malformed(f"a text {what}", folder_of({"a/1.txt": b"fine", "b/2.txt": data}))
    yield Malformed("a folder of tables", folder_of({"a.csv": SOUND}), "refused")
    yield Malformed("a name with a line break", folder_of({"a/1\n.png": png()}))
    odd = os.fsdecode(b"a/\xff.png")
    yield Malformed("a name that is not UTF-8", folder_of({odd: png()}), "refused")


def places() -> Iterator[Malformed]:
    """What is no plain file, or not the kind that it is called."""

    def special(make: Callable[[Path], object]) -> Make:
        def inner(folder: Path) -> Path:
            path = folder / "t.csv"
            make(path)
            return path

        return inner

    yield Malformed("a pipe", special(os.mkfifo), "refused")
    yield Malformed("a device", lambda folder: Path("/dev/zero"), "refused")
    yield Malformed("nothing there", lambda folder: folder / "gone.csv", "refused")
    yield Malformed("a link to nowhere", special(lambda path: path.symlink_to("gone")), "refused")
    yield Malformed("a link to itself", special(lambda path: path.symlink_to(path)), "refused")
    yield Malformed("a folder called .csv", special(lambda path: path.mkdir()), "refused")
    yield Malformed(
        "a name of 300 letters", lambda folder: folder / ("x" * 300 + ".csv"), "refused"
    )
    for name in (
        "t",
        "t.xlsx",
        "t.json",
        "t.pickle",
        "t.csv.bz2",
        "t.csv.xz",
        "t.zip",
        "t.parquet",
        "t.arrow",
    ):
        yield Malformed(f"text called {name}", file(name, SOUND), "refused")
    for name, start in (("t.csv", b"PK\x03\x04"), ("t.csv", b"PAR1"), ("t.csv", b"ARROW1\0\0"),
                        ("t.csv", b"SQLite format 3\0"), ("t.csv", b"\0" * 8 + b"DUCK"),
                        ("t.csv", b"%PDF-1.7\n"),
                        ("t.csv", b"\x89PNG\r\n\x1a\n"),
                        ("t.csv", b"\xff\xff\xff\xff")):  # fmt: skip
        yield Malformed(f"{start!r} called {name}", file(name, start + SOUND))
