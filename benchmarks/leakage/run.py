"""Plants leaks of many kinds and strengths into real tables, and counts what the audit finds.

    python -m benchmarks.leakage.run [--seeds 3] [--clean 20] [--only KIND] [--write FOLDER]

Prints the table of docs/reference/leaks.md: for each kind and strength the share of audits that
found it, by any detector; the false alarms on the clean tables; what was missed. With ``--write``
the tables of the first seed are kept as Parquet, for ``peers.py``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from benchmarks.leakage.leaks import KINDS, STRENGTHS
from benchmarks.leakage.sets import MORE_CLEAN, SETS, Split
from threadpoolctl import threadpool_limits

from trackrecord.data.leakage.audit import Audit, audit_world
from trackrecord.data.leakage.world import world_of
from trackrecord.stats.proportions import proportion


def audit(split: Split) -> Audit:
    return audit_world(world_of(split.train, split.test, split.target, **split.roles))


def planted(seeds: int, only: str | None) -> Iterator[tuple[str, int, str, int, Split]]:
    for number, (kind, leak) in enumerate(KINDS.items()):
        if only is not None and only != kind:
            continue
        for name, made in SETS.items():
            for seed in range(seeds):
                for level in range(4):
                    split = made(np.random.default_rng([1, seed]))
                    draw = np.random.default_rng([2, seed, number, level])
                    leaked = leak.plant(split, leak.strengths[level], draw)
                    if leaked is not None:
                        yield kind, level, name, seed, leaked


def detected(seeds: int, only: str | None, folder: Path | None) -> None:
    found: dict[tuple[str, int], list[bool]] = defaultdict(list)
    missed: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, level, name, seed, split in planted(seeds, only):
        there = audit(split).verdict != "clean"
        found[kind, level].append(there)
        if not there and level >= 2:
            missed[kind][f"{name}, {STRENGTHS[level]}"] += 1
        if folder is not None and seed == 0:
            write(folder / f"{kind}--{level}--{name}".replace(" ", "_"), split)
    print("| leak | strengths | " + " | ".join(STRENGTHS) + " | tables × seeds |")
    print("|---|---|" + "---:|" * 5)
    for kind, leak in KINDS.items():
        if (kind, 0) in found:
            shares = [f"{100 * np.mean(found[kind, level]):.0f} %" for level in range(4)]
            print(f"| {kind} | {leak.said} | {' | '.join(shares)} | {len(found[kind, 0])} |")
    medium = [one for (_, level), ones in found.items() for one in ones if level == 2]
    told("medium strength, all kinds", sum(medium), len(medium))
    strong = [one for (_, level), ones in found.items() for one in ones if level == 3]
    told("strong, all kinds", sum(strong), len(strong))
    for kind, ones in missed.items():
        print(f"missed: {kind}: {', '.join(f'{name} ({n})' for name, n in ones.items())}")


def clean(seeds: int, folder: Path | None) -> None:
    alarms = {}
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for name, made in (SETS | MORE_CLEAN).items():
        alarms[name] = 0
        for seed in range(seeds):
            split = made(np.random.default_rng([3, seed]))
            result = audit(split)
            alarms[name] += result.verdict != "clean"
            for finding in result.findings:
                if finding.verdict != "note":
                    said[name][f"{finding.detector} {' '.join(finding.columns[:1])}".strip()] += 1
            if folder is not None and seed == 0:
                write(folder / f"clean--0--{name}", split)
    for name, count in alarms.items():
        what = ", ".join(f"{words} ({n})" for words, n in said[name].most_common(4))
        print(f"clean {name}: {count} of {seeds} audits with a finding {what}")
    told("false alarms, tables with planted leaks", sum(alarms[name] for name in SETS),
         seeds * len(SETS))  # fmt: skip
    told("false alarms, all tables", sum(alarms.values()), seeds * len(alarms))


def told(what: str, count: int, n: int) -> None:
    lo, hi = proportion(count, n)
    share = count / max(1, n)
    print(f"{what}: {count} of {n} = {share:.1%} [{lo:.1%}, {hi:.1%}]")


def write(folder: Path, split: Split) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    split.train.write_parquet(folder / "train.parquet")
    split.test.write_parquet(folder / "test.parquet")
    (folder / "roles.json").write_text(json.dumps({"target": split.target, **split.roles}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clean", type=int, default=20)
    parser.add_argument("--only")
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    start = time.perf_counter()
    with threadpool_limits(1):
        clean(chosen.clean, chosen.write)
        detected(chosen.seeds, chosen.only, chosen.write)
    print(f"{time.perf_counter() - start:,.0f} seconds")


if __name__ == "__main__":
    main()
