"""Plants leaks into real tables, and counts what the audit finds.

    python -m benchmarks.leakage.run [--seen | --held] [--seeds 5] [--clean 20] [--only KIND]

The tables are those that thresholds were chosen on; with ``--seen`` those that the last mends were
made for (``seen.py``), with ``--held`` those that no detector has seen (``held.py``). The lower two
strengths have half as many seeds. A leak counts as found where the audit has a finding – no note –
that the audit of the same split without the leak has not.

Prints the tables of docs/reference/leaks.md: the share found for each kind and strength with
Wilson's interval, the false alarms on the clean tables, and what was missed. ``--keep FILE`` has a
line of JSON for each audit; a run goes on where the file ends. With ``--write FOLDER`` the tables
of the first seed are kept as Parquet, for the peers.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.leakage.leaks import KINDS, STRENGTHS
from benchmarks.leakage.report import told
from benchmarks.leakage.sets import MORE_CLEAN, SETS, Split
from threadpoolctl import threadpool_limits

from trackrecord.data.leakage.audit import audit_world
from trackrecord.data.leakage.world import world_of

Tables = dict[str, Callable[[np.random.Generator], Split]]


def found_in(split: Split) -> list[str]:
    """``detector column`` for each finding that is no note."""
    world = world_of(split.train, split.test, split.target, **split.roles)
    audit = audit_world(world)
    grave = [one for one in audit.findings if one.verdict != "note"]
    return sorted({" ".join([one.detector, *one.columns[:1]]) for one in grave})


def audits(
    tables: Tables,
    planted: set[str],
    seeds: int,
    clean: int,
    only: str | None,
    kept: Path | None,
    known: dict[tuple[Any, ...], Any],
    levels: tuple[int, ...] = (2, 3, 1, 0),
) -> Iterator[dict[str, Any]]:
    """One line for each audit: the clean ones first, then those with a leak, strength by strength.

    A table is split anew for each seed; a split of seed s is the same with each leak. Audits that
    are ``known`` from an earlier run are not made again.
    """
    honest: dict[tuple[str, int], list[str]] = {}
    for name, made in tables.items():
        for seed in range(max(clean, seeds)):
            before = known.get(("clean", 0, name, seed))
            if before is not None and kept is None:
                honest[name, seed] = before["found"]
                continue
            split = made(np.random.default_rng([1, seed]))
            found = honest[name, seed] = found_in(split)
            if kept is not None and seed == 0:
                write(kept / f"clean--0--{name}", split)
            if seed < clean:
                yield {"kind": "clean", "level": 0, "table": name, "seed": seed, "found": found}
    for level in levels:
        for number, (kind, leak) in enumerate(KINDS.items()):
            if only is not None and only != kind:
                continue
            for name, made in tables.items():
                each = seeds if level >= 2 else max(1, seeds // 2)
                for seed in range(each if name in planted else 0):
                    if (kind, level, name, seed) in known and kept is None:
                        continue
                    split = made(np.random.default_rng([1, seed]))
                    draw = np.random.default_rng([2, seed, number, level])
                    leaked = leak.plant(split, leak.strengths[level], draw)
                    if leaked is None:
                        continue
                    found = [one for one in found_in(leaked) if one not in honest[name, seed]]
                    if kept is not None and seed == 0:
                        write(kept / f"{kind}--{level}--{name}".replace(" ", "_"), leaked)
                    yield {"kind": kind, "level": level, "table": name, "seed": seed,
                           "found": found}  # fmt: skip


def write(folder: Path, split: Split) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    split.train.write_parquet(folder / "train.parquet")
    split.test.write_parquet(folder / "test.parquet")
    (folder / "roles.json").write_text(json.dumps({"target": split.target, **split.roles}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seen", action="store_true")
    which.add_argument("--held", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--clean", type=int, default=20)
    parser.add_argument("--only")
    parser.add_argument("--tables", help="names, with commas between")
    parser.add_argument("--strength", choices=STRENGTHS)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    tables: Tables = SETS | MORE_CLEAN
    planted = set(SETS)
    if chosen.held:
        from benchmarks.leakage.held import HELD

        tables, planted = HELD, set(HELD)
    if chosen.seen:
        from benchmarks.leakage.seen import SEEN

        tables, planted = SEEN, set(SEEN)
    if chosen.tables is not None:
        tables = {name: tables[name] for name in chosen.tables.split(",")}
    levels = (2, 3, 1, 0) if chosen.strength is None else (STRENGTHS.index(chosen.strength),)
    start = time.perf_counter()
    lines = []
    if chosen.keep is not None and chosen.keep.exists():
        lines = [json.loads(line) for line in chosen.keep.read_text().splitlines()]
    known = {(line["kind"], line["level"], line["table"], line["seed"]): line for line in lines}
    with threadpool_limits(1):
        for line in audits(
            tables, planted, chosen.seeds, chosen.clean, chosen.only, chosen.write, known, levels
        ):
            lines.append(line)
            if chosen.keep is not None:
                with chosen.keep.open("a") as out:
                    out.write(json.dumps(line) + "\n")
    told(lines)
    print(f"{time.perf_counter() - start:,.0f} seconds")


if __name__ == "__main__":
    main()
