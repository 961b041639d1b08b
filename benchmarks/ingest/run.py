"""Races CSV to Parquet against DuckDB's COPY, each in a process of its own.

DuckDB reads a sample to settle the types; trackrecord settles them on all rows, and checks for
NUL bytes, encodings and quotes that do not close. ``add`` is the whole command: bytes copied and
digested, too. Files are warm in the page cache; best of N.

    pip install duckdb
    python benchmarks/ingest/run.py [--megabytes 2000] [--repeats 3] [--python PYTHON_WITH_DUCKDB]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

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
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.perf_counter() - before, peak)
"""
ROWS = 1_000_000


def block(first: int, draw: np.random.Generator) -> pl.DataFrame:
    """A million rows of ten columns: numbers, text, days, times, codes with zeros in front."""
    days = pl.Series(draw.integers(15_000, 19_000, ROWS)).cast(pl.Int32).cast(pl.Date)
    times = pl.Series(draw.integers(1_500_000_000, 1_700_000_000, ROWS) * 1_000_000)
    return pl.DataFrame(
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


def write_csv(path: Path, size: int) -> None:
    """Blocks until the file has ``size`` bytes."""
    draw = np.random.default_rng(1)
    with path.open("wb") as file:
        first = 0
        while file.tell() < size:
            block(first, draw).write_csv(file, include_header=first == 0)
            first += ROWS


def race(python: str, script: str, source: Path, folder: Path) -> tuple[float, float]:
    """Seconds and megabytes at the peak."""
    (folder / "script.py").write_text(script)
    words = [python, "-c", MEASURE, str(folder / "script.py"), str(source), str(folder / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    (folder / "out").unlink(missing_ok=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main() -> None:
    """Write the file, race, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="an interpreter with duckdb")
    parser.add_argument("--file", type=Path, help="a CSV file to use instead")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        source = options.file or folder / "table.csv"
        if options.file is None:
            write_csv(source, options.megabytes * 1_000_000)
        runners = {
            "DuckDB COPY": (options.python, DUCKDB),
            "trackrecord, conversion": (sys.executable, CONVERT),
            "trackrecord data add": (sys.executable, ADD),
        }
        found: dict[str, tuple[float, float]] = {}
        for _ in range(options.repeats):  # in turn: what else the machine does hits all alike
            for runner, (python, script) in runners.items():
                seconds, peak = race(python, script, source, folder)
                best = found.get(runner, (float("inf"), 0.0))
                found[runner] = (min(best[0], seconds), max(best[1], peak))
        base = found["DuckDB COPY"]
        print(f"{source.stat().st_size / 1e6:,.0f} MB of CSV\n")
        print("| | seconds | against DuckDB | peak MB |\n|---|---:|---:|---:|")
        for runner, (seconds, peak) in found.items():
            print(f"| {runner} | {seconds:.1f} | {seconds / base[0]:.2f} × | {peak:,.0f} |")


if __name__ == "__main__":
    main()
