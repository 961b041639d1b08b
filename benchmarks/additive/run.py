"""Races additive metrics over Parquet parts against polars' streaming mean of the same columns.

A hundred million rows in fifty parts: a 32-bit score, a truth, an id that neither reads. Measured
are log loss, Brier score, accuracy and bias, each with its interval; the peer takes two means.
Each runs in a process of its own, in turns, once on one part to load what it needs and then on all;
the best round of each counts: by the clock, and by what the processors worked. The greatest memory
is that of the process, imports included.

    python benchmarks/additive/run.py [--rows 100000000] [--parts 50]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

METRICS = ["log_loss", "brier", "accuracy", "bias"]
ROUNDS = 3


def write_parts(folder: Path, rows: int, parts: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    starts = np.linspace(0, rows, parts + 1).astype(int)
    for number, (start, end) in enumerate(pairwise(starts)):
        draw = np.random.default_rng([2, number])
        truth = draw.random(end - start, dtype=np.float32) < 0.2
        noise = draw.standard_normal(end - start, dtype=np.float32)
        score = 1 / (1 + np.exp(1 - noise - truth.astype(np.float32)))
        table = pa.table(
            {"id": np.arange(start, end), "truth": truth.astype(np.int8), "score": score}
        )
        pq.write_table(table, folder / f"part-{number:03d}.parquet", compression="zstd")


def ours(folder: str) -> object:
    from trackrecord.evaluation.partitioned import evaluate_parts

    def action(parts: str) -> object:
        found = evaluate_parts(parts, metrics=METRICS)
        return [found["log_loss"].value, found["bias"].value]

    return timed(action, folder)


def polars(folder: str) -> object:
    import polars as pl

    def action(parts: str) -> object:
        means = [pl.col(name).mean() for name in ("truth", "score")]
        return pl.scan_parquet(parts).select(means).collect(engine="streaming").row(0)

    return timed(action, folder)


def timed(action: Callable[[str], object], folder: str) -> dict[str, object]:
    action(f"{folder}/part-000.parquet")
    wall, worked = time.perf_counter(), time.process_time()
    found = action(f"{folder}/*.parquet")
    wall, worked = time.perf_counter() - wall, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"wall": wall, "worked": worked, "peak": peak, "found": found}


RACERS = {"polars, streaming mean of two columns": polars, "trackrecord, four metrics": ours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--parts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--alone", nargs=2, metavar=("RACER", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone is not None:
        print(json.dumps(RACERS[chosen.alone[0]](chosen.alone[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_parts(Path(folder), chosen.rows, chosen.parts)
        found: dict[str, list[dict[str, float]]] = {racer: [] for racer in RACERS}
        for _ in range(chosen.rounds):
            for racer in RACERS:
                command = [sys.executable, __file__, "--alone", racer, folder]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found[racer].append(json.loads(said))
    best = {
        racer: {key: min(run[key] for run in runs) for key in ("wall", "worked")}
        | {"peak": max(run["peak"] for run in runs)}
        for racer, runs in found.items()
    }
    base = best["polars, streaming mean of two columns"]
    print(f"{chosen.rows:,} rows in {chosen.parts} parts; best of {chosen.rounds}.\n")
    print("| what | seconds | ratio | processor seconds | ratio | peak memory |")
    print("|---|---:|---:|---:|---:|---:|")
    for racer, took in best.items():
        print(
            f"| {racer} | {took['wall']:.2f} | {took['wall'] / base['wall']:.2f} "
            f"| {took['worked']:.2f} | {took['worked'] / base['worked']:.2f} "
            f"| {took['peak'] / 1e9:.2f} GB |"
        )


if __name__ == "__main__":
    main()
