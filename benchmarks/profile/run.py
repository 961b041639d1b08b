"""Races the profile of a Parquet file against DuckDB's SUMMARIZE and Polars' describe.

Best of three, each in a process of its own, file warm in the page cache. The profile does more than
its peers: histograms, most frequent values, gaps in time, keys, repeated rows, and suspicions.

    python benchmarks/profile/run.py [--rows 5000000]

DuckDB is taken from the environment; without it its rows are left out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

WORK = {
    "trackrecord data profile": (
        "from pathlib import Path\nimport polars, pyarrow.parquet\n"
        "from trackrecord.data.profile.profile import profile_file\n"
        "work = lambda: profile_file(Path(path))"
    ),
    "DuckDB SUMMARIZE": (
        "import duckdb\nwork = lambda: duckdb.sql(f\"SUMMARIZE SELECT * FROM '{path}'\").fetchall()"
    ),
    "Polars describe": "import polars as pl\nwork = lambda: pl.scan_parquet(path).describe()",
}
TIMED = """\
import sys, time
path = sys.argv[1]
{setup}
start = time.perf_counter()
work()
took = time.perf_counter() - start
# Since exec, unlike ru_maxrss, which has what the parent held, too.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, int(peak.split()[1]) / 1e3)
"""


def table(rows: int) -> pl.DataFrame:
    """Twenty columns like those of real tables: measures, counts, codes, ids, times, gaps."""
    draw = np.random.default_rng(5)
    start = np.datetime64("2013-01-01", "us")
    airports = np.array(["JFK", "LGA", "EWR", "ATL", "ORD"])
    made: dict[str, np.ndarray] = {"id": np.arange(rows)}
    made |= {f"measure_{n}": draw.normal(10 * n, 4 + n, rows) for n in range(6)}
    made |= {f"count_{n}": draw.integers(0, 10 ** (n + 1), rows) for n in range(4)}
    made["when"] = start + (draw.integers(0, 31_536_000, rows) * 1_000_000).astype("m8[us]")
    made["day"] = made["when"].astype("M8[D]")
    made["origin"] = airports[draw.integers(0, 5, rows)]
    made["city"] = np.char.add("City ", draw.integers(0, 2000, rows).astype(str))
    made["tail"] = np.char.add("N", draw.integers(10_000, 99_999, rows).astype(str))
    made["user"] = np.char.add("user-", draw.integers(0, 3 * rows, rows).astype(str))
    made["late"] = draw.random(rows) < 0.2
    made["price"] = np.round(draw.gamma(2, 50, rows), 2)
    made["flag"] = airports[(draw.random(rows) < 0.001).astype(int)]
    some = pl.Series(draw.random(rows) < 0.05)
    return pl.DataFrame(made).with_columns(
        pl.when(~some).then(pl.col("measure_1", "tail", "count_2"))
    )


def timed(setup: str, path: Path, repeats: int = 3) -> tuple[float, float]:
    """Least seconds, and the peak memory of that process in MB."""
    runs = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", TIMED.format(setup=setup), str(path)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        took, peak = map(float, done.stdout.split()[-2:])
        runs.append((took, peak))
    return min(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        table(rows).write_parquet(path, row_group_size=250_000)
        versions = [f"polars {pl.__version__}"]
        if importlib.util.find_spec("duckdb"):
            versions.append(f"duckdb {importlib.metadata.version('duckdb')}")
        print(f"{rows:,} rows, 20 columns, {path.stat().st_size / 1e6:,.0f} MB of Parquet; "
              f"{', '.join(versions)}.\n")  # fmt: skip
        print("| what | seconds | against the profile | peak memory, MB |")
        print("|---|---:|---:|---:|")
        there = {name: setup for name, setup in WORK.items()
                 if "DuckDB" not in name or len(versions) > 1}  # fmt: skip
        # In turns, so that a machine that is busy for a while is so for all.
        turns = [{name: timed(setup, path, 1) for name, setup in there.items()} for _ in range(3)]
        best = {name: min(turn[name] for turn in turns) for name in there}
        own = best["trackrecord data profile"][0]
        for name, (took, peak) in best.items():
            print(f"| {name} | {took:.2f} | {took / own:.2f} | {peak:,.0f} |")


if __name__ == "__main__":
    main()
