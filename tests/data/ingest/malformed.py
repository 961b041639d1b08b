"""Tables of text that are wrong in some way, each made of a sound one.

Everything is drawn from fixed seeds: the same files each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

Make = Callable[[Path], Path]


class Malformed(NamedTuple):
    """``wanted`` is "read" or "refused" where only one is right; ``words`` are options."""

    what: str
    make: Make
    wanted: str | None = None
    words: tuple[str, ...] = ()


SOUND = b"id,day,x,late\n" + b"".join(
    b"%d,2024-01-%02d,%d.5,%s\n" % (n, n % 28 + 1, n, b"true" if n % 2 else b"false")
    for n in range(60)
)
QUOTED = b'id,text\n1,"a, b"\n2,"say ""hi"""\n3,"two\nlines"\n4,plain\n'
LINES = (
    b'{"id": 1, "x": 0.5}\n{"id": 2, "x": null, "tags": ["a"]}\n{"id": 3, "day": "2024-01-31"}\n'
)


def every_text() -> list[Malformed]:
    """All of this file."""
    return [*texts(), *encodings(), *values(), *shapes(), *random_bytes()]


def file(name: str, data: bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return make


def texts() -> Iterator[Malformed]:
    """Quotes, lines and bytes."""
    for sound, base in (("plain", SOUND), ("quoted", QUOTED)):
        for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
            cut = base[: int(len(base) * share)]
            yield Malformed(f"{sound} cut off at {share:.0%}", file("t.csv", cut))
            at = int(len(base) * share)
            for mark in (b"\0", b'"', b"\r", b"\n", b"\xff", b"\x1a", b"\x0c", b"\xc2\x85"):
                data = base[:at] + mark + base[at:]
                wanted = "refused" if mark in (b"\0", b"\xff") else None
                yield Malformed(f"{mark!r} in {sound} at {share:.0%}", file("t.csv", data), wanted)
    for name, data in {
        "never closed": b'a,b\n1,"x\n2,y\n3,z\n',
        "closed in the middle": b'a,b\n1,"x"y\n2,z\n',
        "opened in the header": b'"a,b\n1,2\n',
        "closed by an odd one": b'a,b\n"1"",2\n3,4\n',
        "quote alone": b'a,b\n",2\n',
        "many quotes": b"a,b\n" + b'"' * 9999 + b",2\n",
    }.items():
        yield Malformed(f"a quote {name}", file("t.csv", data))
    for end in ("\r", "\r\n", "\n\r", "\n\n", "\x0b", "\u2028"):
        yield Malformed(f"lines end in {end!r}", file("t.csv", SOUND.replace(b"\n", end.encode())))
    yield Malformed("all line ends in one", file("t.csv", b"a,b\r1,2\n3,4\r\n5,6"), "read")


def encodings() -> Iterator[Malformed]:
    """Bytes that are not UTF-8, or only some of them."""
    text = "id,name\n1,café\n2,naïve\n3,∀\n"
    for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "utf-8-sig"):
        wanted = "read" if code in ("utf-8-sig", "utf-7") else "refused"
        yield Malformed(f"in {code}", file("t.csv", text.encode(code)), wanted)
    western = text.replace("∀", "ß")
    for code in ("latin-1", "cp1252", "cp437", "mac-roman", "iso8859-15"):
        data = western.encode(code)
        yield Malformed(f"in {code}", file("t.csv", data), "refused")
        yield Malformed(f"in {code}, as is said", file("t.csv", data), "read", ("--encoding", code))
    for code, other in (
        ("latin-1", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-8", "cp1252"),
        ("utf-8", "x"),
    ):
        data = western.encode(code)
        wanted = "refused" if other in ("utf-8", "x") else None
        yield Malformed(
            f"{code}, said to be {other}", file("t.csv", data), wanted, ("--encoding", other)
        )
    for at in (1, 30, 59):
        rows = SOUND.split(b"\n")
        rows[at] = rows[at].replace(b",", b",\xe9", 1)
        yield Malformed(
            f"another encoding in line {at + 1}", file("t.csv", b"\n".join(rows)), "refused"
        )
    for bad in (b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\x80"):
        yield Malformed(
            f"the bytes {bad.hex()}", file("t.csv", b"a,b\n1," + bad + b"\n"), "refused"
        )
    for bom in (b"\xef\xbb\xbf\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"):
        yield Malformed(f"begins {bom.hex()}", file("t.csv", bom + SOUND))


def values() -> Iterator[Malformed]:
    """Values that are nearly something."""
    columns = {
        "31.02.2024": ["31.02.2024", "01.03.2024"], "two-digit years": ["01.03.24", "31/12/99"],
        "February 31": ["2024-01-31", "2024-02-31"], "month 13": ["2024-13-01", "2024-12-01"],
        "year 0": ["0000-01-01", "2024-01-01"], "year 10000": ["10000-01-01", "2024-01-01"],
        "American dates": ["12/31/2024", "1/2/2024"], "spaces": [" 1", "2 ", "\u00a03"],
        "hour 24": ["2024-01-31T24:00", "2024-01-31T10:00"],
        "leap second": ["2016-12-31T23:59:60Z"],
        "nanoseconds": ["2024-01-31T10:00:00.123456789Z"], "odd offset": ["2024-01-31T10:00+25:99"],
        "some with an offset": ["2024-01-31T10:00Z", "2024-01-31T10:00"], "hex": ["0x1F", "0xFF"],
        "zeros in front": ["007", "08", "9"], "beyond 64 bits": ["18446744073709551616", "1"],
        "unsigned": ["18446744073709551615", "-1"], "too large": ["1e999", "1"],
        "too many digits": ["0.1234567890123456789", "1.5"], "infinite": ["inf", "-inf", "NaN"],
        "decimal commas": ['"1,5"', '"2,5"'], "thousands": ['"1,000"', '"2,000"'],
        "per cent": ["5%", "6%"], "currency": ["$5", "€6"], "other digits": ["١٢", "३"],
        "words among numbers": ["1", "oops", "3"], "words for nothing": ["1", "-", "null", "NA"],
        "both": ["true", "maybe"], "yes and no": ["yes", "no"], "all missing": ["", "NA", ""],
        "formulas": ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0"], "signs": ["+5", "-0", "--1"],
        "exponents": ["1e5", "1E-5", "1e"], "letters in disguise": ["1l", "O0"], "a tab": ["a\tb"],
        "control characters": ["\x01\x02", "\x1b[31m"], "right to left": ["\u202eabc", "\u200f"],
        "faces": ["👩‍👩‍👧", "🏳️"], "a line of zeros": ["0" * 5000, "1"], "huge": ["x" * (1 << 21)],
    }  # fmt: skip
    for what, cells in columns.items():
        body = "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
        yield Malformed(what, file("t.csv", f"id,v\n{body}".encode()), "read")
        if what in ("31.02.2024", "two-digit years", "words among numbers", "both", "huge"):
            for kind in ("number", "date", "time", "boolean", "date:%d.%m.%Y"):
                words = ("--type", f"v={kind}")
                yield Malformed(
                    f"{what}, said to be a {kind}",
                    file("t.csv", f"id,v\n{body}".encode()),
                    "read",
                    words,
                )
    for late in ("oops", "007", "1.5", "", "99999999999999999999", "2024-01-31"):
        body = "".join(f"{n}\n" for n in range(30_000))
        yield Malformed(
            f"{late!r} after 30,000 numbers", file("t.csv", f"v\n{body}{late}\n".encode()), "read"
        )


def shapes() -> Iterator[Malformed]:
    """Headers and rows that do not fit each other."""
    for what, data, wanted in (
        ("zero bytes", b"", "refused"), ("one byte", b"a", "refused"),
        ("a line break", b"\n", "refused"),
        ("blank lines", b"\n\r\n\n", "refused"), ("spaces", b"   \n  \n", "refused"),
        ("a BOM alone", b"\xef\xbb\xbf", "refused"), ("a header alone", b"a,b\n", "refused"),
        ("a header and blank lines", b"a,b\n\n\n", "refused"),
        ("double names", b"a,a\n1,2\n", "refused"),
        ("names of another case", b"a,A\n1,2\n", "read"),
        ("an empty name", b"a,\n1,2\n", "refused"),
        ("a name of spaces", b"a, \n1,2\n", None), ("only empty names", b",\n1,2\n", "refused"),
        ("a comma behind each row", b"a,b\n1,2,\n3,4,\n", "refused"),
        ("a short row", b"a,b\n1\n", "refused"),
        ("a long row", b"a,b\n1,2,3\n", "refused"), ("semicolons", b"a;b\n1;2\n", "refused"),
        ("tabs", b"a\tb\n1\t2\n", "refused"), ("bars", b"a|b\n1|2\n", "refused"),
        ("a title above", b"Table 1\n\na,b\n1,2\n", "refused"),
        ("a sum below", b"a,b\n1,2\nsum\n", "refused"),
        ("comments", b"# made by hand\na,b\n1,2\n", "refused"),
        ("HTML", b"<!doctype html>\n<p>a, b, c</p>\n<i>", None),
        ("JSON", b'{"a": [1, 2],\n"b": 3}\n', None), ("one row, no line end", b"a,b\n1,2", "read"),
        ("a name of a megabyte", b"a" * (1 << 20) + b",b\n1,2\n", None),
        ("names with breaks", b'"a\nb",c\n1,2\n', "read"),
        ("a name like a pattern", b"^a.*$,*\n1,2\n", "read"),
        ("an odd name", "\"a'b\";--,\u202e\n1,2\n".encode(), "read"),
        ("a NUL name", b"a\0,b\n1,2\n", "refused"),
    ):  # fmt: skip
        yield Malformed(what, file("t.csv", data), wanted)
        if what in ("a short row", "a long row", "a sum below", "a title above", "comments"):
            yield Malformed(f"{what}, left out", file("t.csv", data), None, ("--skip-bad",))
    for count in (2000, 5000):
        names = ",".join(f"c{n}" for n in range(count)).encode()
        row = ",".join("1" for _ in range(count)).encode()
        yield Malformed(f"{count:,} columns", file("t.csv", names + b"\n" + row + b"\n"), "read")
    yield Malformed(
        "a ragged row far down", file("t.csv", b"a,b\n" + b"1,2\n" * 40_000 + b"3\n"), "refused"
    )


def random_bytes() -> Iterator[Malformed]:
    """No sense at all, or one letter of a sound file changed."""
    draw = random.Random(11)
    for number in range(20):
        size = draw.choice([1, 10, 1000, 5000])
        yield Malformed(
            f"random bytes {number}",
            file(draw.choice(["t.csv", "t.jsonl", "t.tsv", "t.txt"]), draw.randbytes(size)),
        )
    marks = ',"\n\r\t;|0123456789abc.-:TZ \\'
    for number in range(30):
        text = "".join(draw.choice(marks) for _ in range(draw.choice([5, 50, 500])))
        yield Malformed(f"random text {number}", file("t.csv", text.encode()))
    for number in range(30):
        data = bytearray(draw.choice([SOUND, QUOTED]))
        data[draw.randrange(len(data))] = draw.randrange(256)
        yield Malformed(f"one letter changed {number}", file("t.csv", bytes(data)))
