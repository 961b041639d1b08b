"""Races a contract of twenty rules against pandera (polars) and pointblank on the same table.

Best of three, each in a process of its own, reading the Parquet file included. All rules hold but
three, so each program has broken rows to count. pandera checks lazily: all failures, not the first.

    python benchmarks/contract/run.py [--rows 5000000]

Peers are taken from the environment; one that is not installed is left out.
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

CONTRACT = """\
contract = 1
name = "trips"
version = "1.0.0"
other_columns = "allow"
[columns.id]
type = "integer"
required = true
unique = true
[columns.a]
type = "number"
required = true
min = -100
max = 100
[columns.b]
type = "number"
min = -100
max = 100
max_missing = 0.2
[columns.c]
type = "number"
min = 0
[columns.n]
type = "integer"
required = true
min = 0
max = 1000
[columns.m]
type = "integer"
min = 0
max = 9998
[columns.origin]
type = "string"
required = true
allowed = ["JFK", "LGA", "EWR", "ATL"]
[columns.tail]
type = "string"
required = true
pattern = "N[0-9]{5}"
[columns.late]
type = "boolean"
required = true
[columns.start]
type = "time"
required = true
[columns.end]
type = "time"
[[rule]]
name = "in_order"
sql = '"end" >= start'
[[rule]]
name = "sum"
sql = "a + c > -200"
[[rule]]
name = "ratio"
sql = "m <= 10000 AND n <= m + 100000"
[[rule]]
name = "late_ones"
sql = "NOT late OR n >= 1"
"""
# The same twenty in each: id not null, unique; a not null, min, max; b min, max, nulls; c min;
# n not null, min, max; m min, max; origin not null, allowed; tail not null, pattern; in_order, sum.
SETUPS = {
    "trackrecord data contract": """
from pathlib import Path
import polars, pyarrow.parquet, scipy.special
from trackrecord.data.contract.check import check_file
from trackrecord.data.contract.spec import decode_contract
contract, line_of = decode_contract(Path(sys.argv[2]).read_text(), "t")
def work():
    found = check_file(contract, Path(path), line_of=line_of)
    return {one.name: one.failed for one in found.outcomes if one.failed}
""",
    "pandera (polars)": """
import pandera.polars as pa, polars as pl
def together(test):
    return pa.Check(lambda data: data.lazyframe.select(test))
schema = pa.DataFrameSchema({
    "id": pa.Column(pl.Int64, nullable=False, unique=True),
    "a": pa.Column(pl.Float64, [pa.Check.ge(-100), pa.Check.le(100)], nullable=False),
    "b": pa.Column(pl.Float64, [pa.Check.ge(-100), pa.Check.le(100),
                   pa.Check(lambda d: d.lazyframe.select(
                       pl.col(d.key).null_count() < 0.2 * pl.len()))], nullable=True),
    "c": pa.Column(pl.Float64, pa.Check.ge(0), nullable=True),
    "n": pa.Column(pl.Int64, [pa.Check.ge(0), pa.Check.le(1000)], nullable=False),
    "m": pa.Column(pl.Int64, [pa.Check.ge(0), pa.Check.le(9998)], nullable=True),
    "origin": pa.Column(pl.String, pa.Check.isin(["JFK", "LGA", "EWR", "ATL"]), nullable=False),
    "tail": pa.Column(pl.String, pa.Check.str_matches("^N[0-9]{5}$"), nullable=False),
    "late": pa.Column(pl.Boolean, nullable=False),
    "start": pa.Column(nullable=False),
}, checks=[together(pl.col("end") >= pl.col("start")), together(pl.col("a") + pl.col("c") > -200),
           together((pl.col("m") <= 10000) & (pl.col("n") <= pl.col("m") + 100000)),
           together(~pl.col("late") | (pl.col("n") >= 1))])
def work():
    try:
        schema.validate(pl.read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as error:
        return len(error.failure_cases)
""",
    "pointblank": """
import pointblank as pb, polars as pl
def work():
    v = pb.Validate(pl.read_parquet(path))
    v = v.col_vals_not_null(["id", "a", "n", "origin", "tail", "late", "start"])
    v = v.rows_distinct("id").col_vals_ge("a", -100).col_vals_le("a", 100)
    v = v.col_vals_ge("b", -100, na_pass=True).col_vals_le("b", 100, na_pass=True)
    v = v.col_vals_ge("c", 0, na_pass=True).col_vals_ge("n", 0).col_vals_le("n", 1000)
    v = v.col_vals_ge("m", 0, na_pass=True).col_vals_le("m", 9998, na_pass=True)
    v = v.col_vals_in_set("origin", ["JFK", "LGA", "EWR", "ATL"])
    v = v.col_vals_regex("tail", "^N[0-9]{5}$")
    v = v.col_vals_expr(pl.col("end") >= pl.col("start"))
    v = v.col_vals_expr(pl.col("a") + pl.col("c") > -200)
    v = v.col_vals_expr((pl.col("m") <= 10000) & (pl.col("n") <= pl.col("m") + 100000))
    v = v.col_vals_expr(~pl.col("late") | (pl.col("n") >= 1))
    return v.interrogate(collect_extracts=False).n_failed()
""",
}
TIMED = """\
import sys, time
path = sys.argv[1]
{setup}
start = time.perf_counter()
found = work()
took = time.perf_counter() - start
print(found, file=sys.stderr)
# Since exec, unlike ru_maxrss, which has what the parent held, too.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, int(peak.split()[1]) / 1e3)
"""
PEERS = {"pandera (polars)": "pandera", "pointblank": "pointblank"}


def table(rows: int) -> pl.DataFrame:
    """Eleven columns; one airport, one m and some c break a rule."""
    draw = np.random.default_rng(7)
    start = np.datetime64("2013-01-01", "us")
    begin = start + (draw.integers(0, 31_536_000, rows) * 1_000_000).astype("m8[us]")
    airports = np.array(["JFK", "LGA", "EWR", "ATL", "ORD"])
    code = (draw.random(rows) * 4).astype(int)
    code[: max(1, rows // 1000)] = 4
    amount = draw.gamma(2, 5, rows)
    amount[:50] = -1
    made = pl.DataFrame(
        {
            "id": np.arange(rows),
            "a": np.clip(draw.normal(0, 10, rows), -99, 99),
            "b": np.clip(draw.normal(0, 10, rows), -99, 99),
            "c": amount,
            "n": draw.integers(1, 1000, rows),
            "m": draw.integers(0, 10_000, rows),
            "origin": airports[code],
            "tail": np.char.add("N", draw.integers(10_000, 99_999, rows).astype(str)),
            "late": draw.random(rows) < 0.2,
            "start": begin,
            "end": begin + (draw.integers(0, 9_000, rows) * 1_000_000).astype("m8[us]"),
        }
    )
    some = pl.Series(draw.random(rows) < 0.05)
    zone = pl.col("start", "end").dt.replace_time_zone("UTC")
    return made.with_columns(pl.when(~some).then(pl.col("b")), zone)


def timed(setup: str, path: Path, contract: Path, repeats: int = 3) -> tuple[float, float, str]:
    """Least seconds, the peak memory of that process in MB, and what was found."""
    runs = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", TIMED.format(setup=setup), str(path), str(contract)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        took, peak = map(float, done.stdout.split()[-2:])
        runs.append((took, peak, done.stderr.strip().splitlines()[-1]))
    return min(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path, contract = Path(folder) / "t.parquet", Path(folder) / "t.contract.toml"
        contract.write_text(CONTRACT)
        table(rows).write_parquet(path, row_group_size=250_000)
        print(f"{rows:,} rows, 11 columns; polars {pl.__version__}.\n")
        print("| what | seconds | against the contract | peak memory, MB |")
        print("|---|---:|---:|---:|")
        there = {
            name: setup
            for name, setup in SETUPS.items()
            if name not in PEERS or importlib.util.find_spec(PEERS[name])
        }
        # In turns, so that a machine that is busy for a while is so for all.
        turns = [
            {name: timed(setup, path, contract, 1) for name, setup in there.items()}
            for _ in range(3)
        ]
        best = {name: min(turn[name] for turn in turns) for name in there}
        own, told = best["trackrecord data contract"][0], []
        for name, (took, peak, found) in best.items():
            peer = PEERS.get(name)
            version = f" {importlib.metadata.version(peer)}" if peer else ""
            told.append(f"{name}: {found}")
            print(f"| {name}{version} | {took:.2f} | {took / own:.1f} | {peak:,.0f} |")
        print("\nWhat each found broken. " + "; ".join(told) + ".")


if __name__ == "__main__":
    main()
