"""The tables of docs/reference/leaks.md, from a line for each audit.

python -m benchmarks.leakage.report FILE
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.leakage.leaks import KINDS, STRENGTHS

from trackrecord.stats.proportions import proportion

Lines = list[dict[str, Any]]


def told(lines: Lines) -> None:
    """All that is to be said of them, as Markdown."""
    clean = [line for line in lines if line["kind"] == "clean"]
    leaks = [line for line in lines if line["kind"] != "clean"]
    by_kind(leaks)
    print()
    for level in (2, 3):
        said(
            f"{STRENGTHS[level]} strength, all kinds",
            [one for one in leaks if one["level"] == level],
        )
    print()
    by_table(leaks, clean)
    print()
    said("false alarms", clean)
    alarms(clean)
    missed(leaks)


def by_kind(leaks: Lines) -> None:
    print("| leak | strengths | " + " | ".join(STRENGTHS) + " | tables, audits |")
    print("|---|---|" + "---:|" * 5)
    for kind, leak in KINDS.items():
        own = [line for line in leaks if line["kind"] == kind]
        if not own:
            continue
        cells = [share([one for one in own if one["level"] == level]) for level in range(4)]
        tables = len({line["table"] for line in own})
        each = max(sum(line["level"] == level for line in own) for level in range(4))
        print(f"| {kind} | {leak.said} | {' | '.join(cells)} | {tables}, {each} |")


def by_table(leaks: Lines, clean: Lines) -> None:
    print("| table | found, medium | found, strong | false alarms |")
    print("|---|---:|---:|---:|")
    for table in dict.fromkeys(line["table"] for line in [*clean, *leaks]):
        cells = [
            share([one for one in leaks if one["table"] == table and one["level"] == level])
            for level in (2, 3)
        ]
        cells.append(share([one for one in clean if one["table"] == table]))
        print(f"| {table} | {' | '.join(cells)} |")


def alarms(clean: Lines) -> None:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for line in clean:
        counted[line["table"]].update(line["found"])
    for table, found in counted.items():
        if found:
            print(f"alarm: {table}: {', '.join(f'{one} ({n})' for one, n in found.most_common(6))}")


def missed(leaks: Lines) -> None:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for line in leaks:
        if line["level"] >= 2 and not line["found"]:
            counted[f"{line['kind']}, {STRENGTHS[line['level']]}"][line["table"]] += 1
    for what, tables in counted.items():
        print(f"missed: {what}: {', '.join(f'{name} ({n})' for name, n in tables.items())}")


def share(lines: Lines) -> str:
    """``97 % [92, 99]``, Wilson's interval at 95 %; seeds of a table are taken as independent."""
    if not lines:
        return "–"
    count = sum(bool(line["found"]) for line in lines)
    lo, hi = proportion(count, len(lines))
    return f"{100 * count / len(lines):.0f} % [{100 * lo:.0f}, {100 * hi:.0f}]"


def said(what: str, lines: Lines) -> None:
    count = sum(bool(line["found"]) for line in lines)
    lo, hi = proportion(count, len(lines))
    share = count / max(1, len(lines))
    print(f"{what}: {count} of {len(lines)} = {share:.1%} [{lo:.1%}, {hi:.1%}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    lines = parser.parse_args().file.read_text().splitlines()
    told([json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
