"""Races the start of the command line against programs that people already find quick.

Each run is a new process, from `exec` to exit, standard output thrown away; the programs take
turns, so that a busy moment hits all of them. `status` runs in a workspace of 50 cases with 400
entries on the chain, once with the index that every command leaves behind and once without.

    python benchmarks/startup/run.py [--rounds 20]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

from trackrecord.ledger import Subject, record
from trackrecord.workspace import Workspace, make_workspace

CASES = 50
GOAL = 1.0  # of falsify's start, for --help; twice that for status
LIFE = ["seal", "run", "evaluation", "look", "evaluation", "contrast", "publication", "run"]
SUBJECT = Subject(name="run", digest={"sha256": "0" * 64})


def workspace_of(root: Path) -> Workspace:
    """A workspace of 50 cases, each with a life in the ledger."""
    workspace = make_workspace(root)
    for number in range(CASES):
        name = f"case-{number:02d}"
        workspace.case_folder(name).mkdir(parents=True)
        workspace.case_file(name).write_text("spec = 1\n", "utf-8")
        for kind in LIFE:
            record(workspace.evidence, kind=kind, predicate={}, subjects=[SUBJECT], case=name)
    return workspace


def timed(words: list[str], before: Callable[[], object] | None) -> float:
    """Seconds from exec to exit."""
    if before:
        before()
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Run the race and print the table; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    folder = Path(sys.executable).parent
    python = sys.executable
    with tempfile.TemporaryDirectory() as temporary:
        workspace = workspace_of(Path(temporary) / "workspace")
        trackrecord, root = str(folder / "trackrecord"), str(workspace.root)
        status = [trackrecord, "status", "-C", root]

        def forget() -> None:
            workspace.index_file.unlink(missing_ok=True)

        race: dict[str, tuple[list[str], Callable[[], object] | None]] = {
            "python -c pass": ([python, "-c", "pass"], None),
            "python -c 'import click'": ([python, "-c", "import click"], None),
            "falsify --help": ([str(folder / "falsify"), "--help"], None),
            "mlflow --version": ([str(folder / "mlflow"), "--version"], None),
            "trackrecord --help": ([trackrecord, "--help"], None),
            "trackrecord status": (status, None),
            "trackrecord status, no index": (status, forget),
        }
        taken: dict[str, list[float]] = {name: [] for name in race}
        for number in range(rounds + 1):
            for name, (words, before) in race.items():
                if name.startswith("mlflow") and number > 4:
                    continue  # seconds each, and far away
                seconds = timed(words, before)
                if number:  # the first round fills the page cache
                    taken[name].append(seconds)
    middle = {name: median(times) for name, times in taken.items()}
    falsify = middle["falsify --help"]
    versions = ", ".join(f"{name} {version(name)}" for name in ("click", "falsify"))
    mlflow = version("mlflow-skinny")
    print(f"Python {sys.version.split()[0]}, {versions}, mlflow-skinny {mlflow}; ", end="")
    print(f"median of {rounds} starts; {CASES} cases, {CASES * len(LIFE)} entries.\n")
    print("| program | ms | against falsify | against the bare interpreter |")
    print("|---|---:|---:|---:|")
    for name, seconds in middle.items():
        bare = seconds / middle["python -c pass"]
        print(f"| `{name}` | {seconds * 1000:.0f} | {seconds / falsify:.2f} | {bare:.1f} |")
    kept = (
        middle["trackrecord --help"] <= GOAL * falsify
        and middle["trackrecord status"] <= 2 * GOAL * falsify
    )
    print(f"\nGoal (--help ≤ falsify, status ≤ 2 × falsify): {'kept' if kept else 'MISSED'}.")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
