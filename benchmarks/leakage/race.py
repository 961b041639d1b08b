"""A full audit of the flights against Deepchecks and skore, in turns, in one run.

    python -m benchmarks.leakage.race --deepchecks PEER/bin/python [--skore PEER/bin/python]

All 327,346 flights with an arrival, seven in ten to train, by time, eight features. Each turn is a
process of its own, from its start to its answer: the command ``trackrecord audit``, Deepchecks'
``train_test_validation``, skore's checks of a model. Wall and processor time (of all threads) are
told, the quickest of the turns. Each peer needs an environment of its own: see ``peers.py`` and
``skore_peer.py``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.leakage.sets import by_time, flights_table

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--deepchecks", type=Path)
    parser.add_argument("--skore", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept) / "clean--0--flights"
        folder.mkdir()
        split = by_time(flights_table(), "late", "when", None)  # type: ignore[arg-type]
        split.train.write_parquet(folder / "train.parquet")
        split.test.write_parquet(folder / "test.parquet")
        (folder / "roles.json").write_text(json.dumps({"target": "late", "time": "when"}))
        print(f"{split.train.height:,} rows to train, {split.test.height:,} to test")
        command = Path(sys.executable).with_name("trackrecord")
        tables = ["--train", "train.parquet", "--test", "test.parquet"]
        roles = ["--target", "late", "--time", "when", "-C", str(folder)]
        ours = [str(command), "audit", *tables, *roles]
        racers = {"trackrecord": ours}
        for name, python, script in (
            ("deepchecks", chosen.deepchecks, "peers.py"),
            ("skore", chosen.skore, "skore_peer.py"),
        ):
            if python is not None:
                racers[name] = [str(python), str(HERE / script), kept]
        best: dict[str, tuple[float, float]] = {}
        for _ in range(chosen.turns):
            for name, words in racers.items():
                wall, cpu, said = timed(words)
                known = best.get(name, (float("inf"), float("inf")))
                best[name] = min(known[0], wall), min(known[1], cpu)
                print(f"{name}: {wall:.1f} s, processor {cpu:.1f} s; {said}", flush=True)
    print("| racer | wall | processor | of trackrecord's |")
    print("|---|---:|---:|---:|")
    for name, (wall, cpu) in best.items():
        ratio = f"{wall / best['trackrecord'][0]:.1f} ×, {cpu / best['trackrecord'][1]:.1f} ×"
        print(f"| {name} | {wall:.1f} s | {cpu:.1f} s | {ratio} |")


def timed(words: list[str]) -> tuple[float, float, str]:
    """Seconds of wall and of processor, and the last line it said."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words[0]}: {done.stderr[-400:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = [line for line in done.stdout.splitlines() if line[:1] in "✓✗" or ": " in line]
    return wall, cpu, lines[0][:120] if lines else ""


if __name__ == "__main__":
    main()
