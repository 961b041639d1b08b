"""Ranx's side of the race, in an environment of its own: a round for each line that it is sent.

    python ranx_peer.py QUERIES DOCUMENTS QRELS RUN

Makes the same rankings as ``run.py`` from the same seed, warms up, and then answers ``memory`` and
``files`` with a line of JSON: values, and seconds of processor time and of the clock.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

from rankings import DOCUMENT, QUERY, rankings

warnings.filterwarnings("ignore")
METRICS = ["ndcg@10", "map", "mrr"]


def timed(action: Callable[[], dict[str, float]]) -> dict[str, object]:
    clock, processor = time.perf_counter(), time.process_time()
    found = action()
    return {
        "processor": time.process_time() - processor,
        "clock": time.perf_counter() - clock,
        "values": [float(found[name]) for name in METRICS],
    }


def main() -> None:
    from ranx import Qrels, Run, evaluate

    queries, documents = int(sys.argv[1]), int(sys.argv[2])
    relevance, score = rankings(queries, documents)
    names = [DOCUMENT.format(d) for d in range(documents)]
    ids = [QUERY.format(q) for q in range(queries)]
    qrels = Qrels(
        {
            q: {d: int(r) for d, r in zip(names, row, strict=True) if r}
            for q, row in zip(ids, relevance, strict=True)
        }
    )
    run = Run(
        {
            q: dict(zip(names, map(float, row), strict=True))
            for q, row in zip(ids, score, strict=True)
        }
    )

    def from_files() -> dict[str, float]:
        found: dict[str, float] = evaluate(
            Qrels.from_file(sys.argv[3], kind="trec"),
            Run.from_file(sys.argv[4], kind="trec"),
            METRICS,
        )
        return found

    evaluate(qrels, run, METRICS)
    evaluate(qrels, run, METRICS)
    print(json.dumps({"version": version("ranx")}), flush=True)
    for line in sys.stdin:
        action = from_files if line.strip() == "files" else lambda: evaluate(qrels, run, METRICS)
        print(json.dumps(timed(action)), flush=True)


if __name__ == "__main__":
    main()
