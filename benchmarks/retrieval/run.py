"""Races NDCG@10, MAP and MRR of many queries against ranx and pytrec_eval in the same run.

Trackrecord's time has the 95 % intervals in it, which the peers do not make. Each starts from what
it keeps in memory: arrays, ranx's ``Qrels`` and ``Run`` (warm: compiled, and measured before),
pytrec_eval's dictionaries. Then all start from the same two TREC files. Rounds take turns and the
best of each counts, by processor time (ranx computes in threads) and by the clock.

    python benchmarks/retrieval/run.py [--queries 10000] [--install | --ranx PYTHON]

Ranx has an environment of its own: ``--install`` makes one that is thrown away afterwards, with
``benchmarks/retrieval/requirements.txt``; ``--ranx`` names the Python of one that is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytrec_eval
from rankings import DOCUMENT, QUERY, rankings

from trackrecord.evaluation.queries import read_trec
from trackrecord.evaluation.tasks.ranking import arrays
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.samples import Lists

HERE = Path(__file__).parent
METRICS = ("ndcg@10", "map", "mrr")
TREC = ("ndcg_cut_10", "map", "recip_rank")
Round = tuple[float, float, list[float]]


def trackrecord(truth: Lists, score: Lists) -> list[float]:
    """The three values; their intervals are made, too."""
    values = []
    for name in METRICS:
        metric = get_metric(name, "ranking")
        found = estimate_of(metric, measure(metric, truth, score))
        if not isinstance(found, Estimate):
            raise SystemExit(found.reason)
        values.append(found.value)
    return values


def trackrecord_from_files(qrels: Path, run: Path) -> list[float]:
    outcomes, _ = read_trec(qrels, {"run": run})
    truth, scores = arrays(outcomes, ["run"])
    return trackrecord(truth, scores["run"])


Named = dict[str, dict[str, float]]


def pytrec(qrels: Named, run: Named) -> list[float]:
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "map", "recip_rank"})
    found = list(evaluator.evaluate(run).values())
    return [float(np.mean([query[name] for query in found])) for name in TREC]


def pytrec_from_files(qrels: Path, run: Path) -> list[float]:
    with qrels.open() as judged, run.open() as ranked:
        return pytrec(pytrec_eval.parse_qrel(judged), pytrec_eval.parse_run(ranked))


def timed(action: Callable[[], list[float]]) -> Round:
    clock, processor = time.perf_counter(), time.process_time()
    values = action()
    return time.process_time() - processor, time.perf_counter() - clock, values


def write(folder: Path, relevance: np.ndarray, score: np.ndarray) -> tuple[Path, Path]:
    """The same as TREC files."""
    qrels, run = folder / "qrels.txt", folder / "run.txt"
    with qrels.open("w") as judged, run.open("w") as ranked:
        for q, (relevant, scores) in enumerate(zip(relevance, score, strict=True)):
            query = QUERY.format(q)
            for d in np.flatnonzero(relevant):
                judged.write(f"{query} 0 {DOCUMENT.format(d)} {relevant[d]}\n")
            for place, d in enumerate(np.argsort(-scores), 1):
                ranked.write(f"{query} Q0 {DOCUMENT.format(d)} {place} {scores[d]} race\n")
    return qrels, run


def installed(folder: Path) -> str:
    """The Python of a new environment that has ranx."""
    subprocess.run([sys.executable, "-m", "venv", folder / "ranx"], check=True)
    python = str(folder / "ranx" / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True
    )
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--install", action="store_true", help="ranx, for this run")
    parser.add_argument("--ranx", metavar="PYTHON", help="a Python that has ranx")
    chosen = parser.parse_args()
    relevance, score = rankings(chosen.queries, chosen.documents)
    starts = np.arange(chosen.queries + 1) * chosen.documents
    ids = [QUERY.format(q) for q in range(chosen.queries)]
    names = [DOCUMENT.format(d) for d in range(chosen.documents)]
    judged = {
        q: {d: int(r) for d, r in zip(names, row, strict=True) if r}
        for q, row in zip(ids, relevance, strict=True)
    }
    ranked = {
        q: dict(zip(names, map(float, row), strict=True)) for q, row in zip(ids, score, strict=True)
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        qrels, run = write(folder, relevance, score)
        truth = relevance.astype(np.float64).ravel()
        # new Lists each time: they keep the order of their scores
        racers: dict[str, dict[str, Callable[[], Round]]] = {
            "memory": {
                "trackrecord, with intervals": lambda: timed(
                    lambda: trackrecord(Lists(truth, starts), Lists(score.ravel(), starts))
                ),
                f"pytrec_eval {version('pytrec-eval-terrier')}": lambda: timed(
                    lambda: pytrec(judged, ranked)
                ),
            },
            "files": {
                "trackrecord, with intervals": lambda: timed(
                    lambda: trackrecord_from_files(qrels, run)
                ),
                f"pytrec_eval {version('pytrec-eval-terrier')}": lambda: timed(
                    lambda: pytrec_from_files(qrels, run)
                ),
            },
        }
        python = chosen.ranx or (installed(folder) if chosen.install else None)
        python = python or (sys.executable if find_spec("ranx") else None)
        peer = None
        if python is not None:
            peer = subprocess.Popen(
                [
                    *(python, HERE / "ranx_peer.py", str(chosen.queries), str(chosen.documents)),
                    *(qrels, run),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

            def ask(what: str | None) -> dict[str, object]:
                if what is not None:
                    print(what, file=peer.stdin, flush=True)
                answer: dict[str, object] = json.loads(peer.stdout.readline())
                return answer

            def ranx(what: str) -> Round:
                answer = ask(what)
                return answer["processor"], answer["clock"], answer["values"]  # type: ignore[return-value]

            called = f"ranx {ask(None)['version']}, warm"
            racers["memory"][called] = lambda: ranx("memory")
            racers["files"][called] = lambda: ranx("files")
        print(
            f"{chosen.queries:,} queries of {chosen.documents} documents; NDCG@10, MAP and MRR; "
            f"numpy {np.__version__}, polars {version('polars')}.\n"
        )
        print(
            "| from | who | processor s | clock s | trackrecord is faster by (processor, clock) |"
        )
        print("|---|---|---:|---:|---:|")
        for start, those in racers.items():
            race(start, those, chosen.rounds if start == "memory" else 2)
        if peer is not None:
            peer.communicate()
        else:
            print("\nranx is not installed here: --install puts it into an environment of its own.")


def race(start: str, racers: dict[str, Callable[[], Round]], rounds: int) -> None:
    """A table's rows: the best of each racer. Ends the program where values differ."""
    found: dict[str, list[Round]] = {racer: [] for racer in racers}
    for _ in range(rounds):
        for racer, action in racers.items():
            found[racer].append(action())
    ours = next(iter(found))
    for racer, each in found.items():
        if not np.allclose(each[0][2], found[ours][0][2], rtol=1e-12, atol=0):
            raise SystemExit(f"{racer} has other values: {each[0][2]} and {found[ours][0][2]}")
    best = {racer: np.min([one[:2] for one in each], axis=0) for racer, each in found.items()}
    for racer, (processor, clock) in best.items():
        by = best[racer] / best[ours]
        print(f"| {start} | {racer} | {processor:.3f} | {clock:.3f} | {by[0]:.1f}, {by[1]:.1f} |")


if __name__ == "__main__":
    main()
