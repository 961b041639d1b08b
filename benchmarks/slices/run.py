"""Races a whole evaluation against reading the same Parquet file and sorting one of its columns.

A million rows: ids, a truth, two models, slices. Measured are twelve metrics of both models, their
paired differences, and fifty slices of each, all with intervals, and bands that hold for all slices
at once. The peer reads the file with polars and sorts the scores of one model with numpy; rounds
take turns, the best of each counts, in seconds of processor time with one BLAS thread.

    python benchmarks/slices/run.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.reading import open_outcomes

METRICS = [
    *("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "bias"),
    *("precision", "recall", "f1", "balanced_accuracy", "mcc", "ks"),
]
SLICES, ROUNDS = 50, 3
PLAN = Plan(
    metrics=METRICS,
    models=["model"],
    baselines=["baseline"],
    candidate="model",
    reference="baseline",
    slices=["region"],
    criteria=[],
    level=0.95,
    clustered=False,
    slice_values=SLICES,
    simultaneous=True,
)


def write_rows(path: Path, rows: int) -> None:
    draw = np.random.default_rng(4)
    truth = (draw.random(rows) < 0.2).astype(np.int8)
    noise = draw.standard_normal((2, rows))
    scores = 1 / (1 + np.exp(1.4 - 0.8 * noise - np.array([[0.8], [1.0]]) * truth))
    region = np.minimum(draw.geometric(0.05, rows) - 1, SLICES - 1)
    frame = pl.DataFrame(
        {
            "id": [f"u{number:07d}" for number in draw.permutation(rows)],
            "truth": truth,
            "score.baseline": scores[0],
            "score.model": scores[1],
            "slice.region": [f"r{number:02d}" for number in region],
        }
    )
    frame.write_parquet(path)


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    wall, worked = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        write_rows(path, chosen.rows)
        table = open_outcomes(path).frame
        found = evaluate_outcomes(table, PLAN)
        if len(found.slices) != SLICES or any(not part.bands for part in found.slices):
            raise SystemExit("not every slice has its bands: that is a bug")

        racers: dict[str, Callable[[], object]] = {
            "read the file, sort one column": lambda: np.sort(
                pl.read_parquet(path)["score.model"].to_numpy()
            ),
            "trackrecord, the table in memory": lambda: evaluate_outcomes(table, PLAN),
            "trackrecord, reading included": lambda: evaluate_outcomes(
                open_outcomes(path).frame, PLAN
            ),
        }
        times: dict[str, list[tuple[float, float]]] = {racer: [] for racer in racers}
        for _ in range(chosen.rounds):
            for racer, action in racers.items():
                times[racer].append(seconds(action))
    best = {racer: tuple(map(min, zip(*runs, strict=True))) for racer, runs in times.items()}
    base = best["read the file, sort one column"]
    print(
        f"{chosen.rows:,} rows, {len(METRICS)} metrics, {SLICES} slices; best of {chosen.rounds}.\n"
    )
    print("| what | seconds | ratio | processor seconds | ratio |")
    print("|---|---:|---:|---:|---:|")
    for racer, (wall, worked) in best.items():
        ratios = wall / base[0], worked / base[1]
        print(f"| {racer} | {wall:.2f} | {ratios[0]:.1f} | {worked:.2f} | {ratios[1]:.1f} |")


if __name__ == "__main__":
    main()
