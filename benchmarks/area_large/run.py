"""Races the area under the ROC curve of a hundred million rows, with its 95 % interval.

The peer is one ``numpy.sort`` of the same 32-bit scores. Trackrecord runs twice: on columns in
memory, as the peer does, and from fifty Parquet parts, reading included. Each runs in a process of
its own, in turns, and the best round of each counts; the greatest memory is that of the process,
columns and imports included.

    python benchmarks/area_large/run.py [--rows 100000000] [--parts 50]
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

ROUNDS = 3


def write_rows(folder: Path, rows: int, parts: int) -> None:
    """The same rows as two arrays, and as Parquet parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "parts").mkdir()
    starts = np.linspace(0, rows, parts + 1).astype(int)
    truths = np.lib.format.open_memmap(folder / "truth.npy", "w+", np.int8, (rows,))
    scores = np.lib.format.open_memmap(folder / "score.npy", "w+", np.float32, (rows,))
    for number, (start, end) in enumerate(pairwise(starts)):
        draw = np.random.default_rng([3, number])
        truth = draw.random(end - start, dtype=np.float32) < 0.2
        noise = draw.standard_normal(end - start, dtype=np.float32)
        truths[start:end] = truth
        scores[start:end] = 1 / (1 + np.exp(1 - noise - truth.astype(np.float32)))
        table = pa.table({"truth": truths[start:end], "score": scores[start:end]})
        pq.write_table(table, folder / "parts" / f"part-{number:03d}.parquet", compression="zstd")


def sort(folder: Path) -> object:
    score = np.load(folder / "score.npy")
    return timed(lambda: float(np.sort(score)[0]))


def columns(folder: Path) -> object:
    from trackrecord.stats.counting import keys_of, ranked
    from trackrecord.stats.merged import around_mean
    from trackrecord.stats.metrics import get_metric

    truth, score = np.load(folder / "truth.npy"), np.load(folder / "score.npy")

    def action() -> object:
        below, above = keys_of(truth, score)
        below.sort()
        above.sort()
        found = ranked(below, above, int(np.count_nonzero(truth)), precision=False)
        rows = (found.negatives, found.positives)
        return around_mean(get_metric("roc_auc"), *found.roc_auc, rows, 0.95).value

    return timed(action)


def parts(folder: Path) -> object:
    from trackrecord.evaluation.partitioned import evaluate_parts

    return timed(lambda: evaluate_parts(folder / "parts", metrics=["roc_auc"])["roc_auc"].value)


def timed(action: Callable[[], object]) -> dict[str, object]:
    wall, worked = time.perf_counter(), time.process_time()
    found = action()
    wall, worked = time.perf_counter() - wall, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"wall": wall, "worked": worked, "peak": peak, "found": found}


RACERS = {
    "numpy.sort of the scores": sort,
    "trackrecord, columns in memory": columns,
    "trackrecord, from Parquet parts": parts,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--parts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--alone", nargs=2, metavar=("RACER", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone is not None:
        print(json.dumps(RACERS[chosen.alone[0]](Path(chosen.alone[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder), chosen.rows, chosen.parts)
        found: dict[str, list[dict[str, float]]] = {racer: [] for racer in RACERS}
        for _ in range(chosen.rounds):
            for racer in RACERS:
                command = [sys.executable, __file__, "--alone", racer, folder]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found[racer].append(json.loads(said))
    areas = {run["found"] for racer, runs in found.items() if "track" in racer for run in runs}
    if len(areas) > 1:
        raise SystemExit("the areas differ: that is a bug")
    base = {
        key: min(run[key] for run in found["numpy.sort of the scores"])
        for key in ("wall", "worked")
    }
    print(f"{chosen.rows:,} rows; best of {chosen.rounds}; numpy {np.__version__}.\n")
    print("| what | seconds | ratio | processor seconds | ratio | peak memory |")
    print("|---|---:|---:|---:|---:|---:|")
    for racer, runs in found.items():
        wall, worked = (min(run[key] for run in runs) for key in ("wall", "worked"))
        peak = max(run["peak"] for run in runs)
        print(
            f"| {racer} | {wall:.2f} | {wall / base['wall']:.2f} "
            f"| {worked:.2f} | {worked / base['worked']:.2f} | {peak / 1e9:.2f} GB |"
        )


if __name__ == "__main__":
    main()
