"""Races a contract of twenty rules against pandera (polars) and pointblank on the same table.

Once with all rules holding, once with several broken, by 50 to 240,000 rows. Best of five, each in
a process of its own, in turns, reading the Parquet file included: by the clock, and by the
processor, which counts where a machine has other work. pandera checks lazily: all failures, not the
first.

    python benchmarks/contract/run.py [--rows 5000000] [--turns 5]

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
from typing import NamedTuple

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
start, spent = time.perf_counter(), time.process_time()
found = work()
took, spent = time.perf_counter() - start, time.process_time() - spent
print(found, file=sys.stderr)
# Since exec, unlike ru_maxrss, which has what the parent held, too.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, spent, int(peak.split()[1]) / 1e3)
"""
PEERS = {"pandera (polars)": "pandera", "pointblank": "pointblank"}


class Run(NamedTuple):
    """Seconds by the clock and of the processor, peak memory in MB, and what was found broken."""

    took: float
    spent: float
    peak: float
    found: str


def table(rows: int, broken: bool) -> pl.DataFrame:
    """Eleven columns; where broken, one airport, one m, some c, early ends and tails that are none
    break a rule."""
    draw = np.random.default_rng(7)
    start = np.datetime64("2013-01-01", "us")
    begin = start + (draw.integers(0, 31_536_000, rows) * 1_000_000).astype("m8[us]")
    airports = np.array(["JFK", "LGA", "EWR", "ATL", "ORD"])
    code = (draw.random(rows) * 4).astype(int)
    amount = draw.gamma(2, 5, rows)
    earliest, tails, most = 0, 10_000, 9_999
    if broken:
        code[: max(1, rows // 1000)] = 4
        amount[:50] = -1
        earliest, tails, most = -450, 9_900, 10_000
    made = pl.DataFrame(
        {
            "id": np.arange(rows),
            "a": np.clip(draw.normal(0, 10, rows), -99, 99),
            "b": np.clip(draw.normal(0, 10, rows), -99, 99),
            "c": amount,
            "n": draw.integers(1, 1000, rows),
            "m": draw.integers(0, most, rows),
            "origin": airports[code],
            "tail": np.char.add("N", draw.integers(tails, 99_999, rows).astype(str)),
            "late": draw.random(rows) < 0.2,
            "start": begin,
            "end": begin + (draw.integers(earliest, 9_000, rows) * 1_000_000).astype("m8[us]"),
        }
    )
    some = pl.Series(draw.random(rows) < 0.05)
    zone = pl.col("start", "end").dt.replace_time_zone("UTC")
    return made.with_columns(pl.when(~some).then(pl.col("b")), zone)


def timed(setup: str, path: Path, contract: Path) -> Run:
    """One run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(setup=setup), str(path), str(contract)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return Run(*map(float, done.stdout.split()[-3:]), done.stderr.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    there = {
        name: setup
        for name, setup in SETUPS.items()
        if name not in PEERS or importlib.util.find_spec(PEERS[name])
    }
    print(f"{options.rows:,} rows, 11 columns; polars {pl.__version__}.")
    with tempfile.TemporaryDirectory() as folder:
        path, contract = Path(folder) / "t.parquet", Path(folder) / "t.contract.toml"
        contract.write_text(CONTRACT)
        for broken in (False, True):
            table(options.rows, broken).write_parquet(path, row_group_size=250_000)
            # In turns, so that a machine that is busy for a while is so for all.
            turns = [
                {name: timed(setup, path, contract) for name, setup in there.items()}
                for _ in range(options.turns)
            ]
            print(f"\n{'Several rules are broken' if broken else 'All rules hold'}.\n")
            show({name: [turn[name] for turn in turns] for name in there})


def show(runs: dict[str, list[Run]]) -> None:
    """A table of the best of each, and what each found."""
    best = {
        name: Run(*(min(run[k] for run in some) for k in range(3)), some[0].found)
        for name, some in runs.items()
    }
    own = best["trackrecord data contract"]
    print("| what | seconds | ratio | processor seconds | ratio | peak memory, MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (took, spent, peak, _) in best.items():
        peer = PEERS.get(name)
        version = f" {importlib.metadata.version(peer)}" if peer else ""
        print(
            f"| {name}{version} | {took:.2f} | {took / own.took:.1f} "
            f"| {spent:.2f} | {spent / own.spent:.1f} | {peak:,.0f} |"
        )
    found = "; ".join(f"{name}: {run.found}" for name, run in best.items())
    print(f"\nWhat each found broken. {found}.")


if __name__ == "__main__":
    main()
