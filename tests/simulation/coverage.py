"""How often nominal 95 % intervals hold the truth: ``python -m tests.simulation.coverage``.

Prints a Markdown table: a row for each metric and each paired difference, a column for each design
(``--full``: all of them).
A cell is the observed coverage in percent of the intervals that were offered; in brackets, the
percentage of samples for which none was, where that is not 0.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.simulation.population import Design, centre, draw, named, true_values

from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.metrics import metric_names

FULL = [
    Design(100, 0.5),
    Design(100, 0.1),
    Design(300, 0.1),
    Design(1_000, 0.5),
    Design(1_000, 0.1),
    Design(1_000, 0.02),
    Design(1_000, 0.01),
    Design(10_000, 0.1),
    Design(10_000, 0.01),
    Design(1_000, 0.1, ties=1.0),
    Design(1_000, 0.1, tau=8.0),
    Design(1_000, 0.02, tau=8.0),
    Design(1_000, 0.3, clusters=20),
    Design(4_000, 0.1, clusters=20),
    Design(2_000, 0.3, clusters=50),
    Design(2_000, 0.02, clusters=50),
    Design(4_000, 0.3, clusters=100),
    Design(2_000, 0.3, clusters=50, tau=8.0),
]
QUICK = [Design(100, 0.1), Design(1_000, 0.02), Design(1_000, 0.3, clusters=20)]
SEED = 20260101
OPENS, CLOSES = "<!-- coverage:", "<!-- /coverage -->"


@dataclass
class Tally:
    """Of ``tried`` samples ``offered`` gave an interval; the truth lay ``below`` or ``above``."""

    tried: int = 0
    offered: int = 0
    below: int = 0
    above: int = 0

    @property
    def coverage(self) -> float:
        return 1 - (self.below + self.above) / self.offered if self.offered else float("nan")


@dataclass
class Covered:
    """One design's tallies by metric (or "metric, paired"), with its mean rare rows and ICC."""

    design: Design
    tallies: dict[str, Tally] = field(default_factory=dict)
    rare: float = 0.0
    icc: float = 0.0
    area: float = 0.0


def cover(
    design: Design, samples: int, seed: int = SEED, metrics: list[str] | None = None
) -> Covered:
    """Measure ``samples`` samples of a design with every metric and every paired difference."""
    from trackrecord.stats.power import icc

    truths = [true_values(design, model) for model in (0, 1)]
    mu, rng = centre(design), np.random.default_rng(seed)
    found = Covered(design, area=truths[0]["roc_auc"])
    for _ in range(samples):
        sample = draw(design, mu, rng)
        positives = int(sample.truth.sum())
        found.rare += min(positives, design.rows - positives) / samples
        if sample.cluster is not None:
            found.icc += icc(sample.truth, sample.cluster) / samples
        for name in metrics or metric_names():
            asked = named(name, design)
            first, second = (measure(asked, sample.truth, score) for score in sample.scores)
            own = estimate_of(asked, first, cluster=sample.cluster, level=0.95)
            gap = difference_of(asked, first, second, cluster=sample.cluster, level=0.95)
            true = truths[0][name]
            for key, estimate, value in (
                (name, own, true),
                (f"{name}, paired", gap, true - truths[1][name]),
            ):
                tally = found.tallies.setdefault(key, Tally())
                tally.tried += 1
                if not isinstance(estimate, Absence):
                    tally.offered += 1
                    tally.below += value < estimate.lo
                    tally.above += value > estimate.hi
    return found


def table(covered: list[Covered], samples: int) -> str:
    """The Markdown table, with what a reader needs to judge it."""
    error = 100 * (0.95 * 0.05 / samples) ** 0.5
    lines = [
        f"{samples:,} samples of each design; the Monte Carlo error of a cell is {error:.1f} "
        "points. Nominal: 95.",
        "",
    ]
    for start in range(0, len(covered), 6):
        part = covered[start : start + 6]
        lines.append("| | " + " | ".join(str(one.design) for one in part) + " |")
        lines.append("| --- |" + " ---: |" * len(part))
        lines.append("| rows of the rarer class | " + _row(f"{one.rare:.0f}" for one in part))
        lines.append("| true ROC AUC | " + _row(f"{one.area:.3f}" for one in part))
        if any(one.design.clusters for one in part):
            lines.append(
                "| intra-cluster correlation | "
                + _row(f"{one.icc:.2f}" if one.design.clusters else "–" for one in part)
            )
        for name in sorted(part[0].tallies):
            lines.append(f"| {name} | " + _row(_cell(one.tallies[name]) for one in part))
        lines.append("")
    return "\n".join(lines).rstrip()


def _row(cells: object) -> str:
    return " | ".join(cells) + " |"  # type: ignore[call-overload,no-any-return]


def _cell(tally: Tally) -> str:
    if not tally.offered:
        return "none offered"
    declined = 100 * (1 - tally.offered / tally.tried)
    text = f"{100 * tally.coverage:.1f}"
    return text + (f" ({declined:.1f} declined)" if tally.offered < tally.tried else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="every design: an hour of one core")
    parser.add_argument("--samples", type=int, help="samples of each design")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--into", type=Path, help="also put the table into this page")
    chosen = parser.parse_args()
    designs = FULL if chosen.full else QUICK
    samples = chosen.samples or (2_000 if chosen.full else 500)
    began = time.perf_counter()
    covered = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for found in pool.map(cover, designs, [samples] * len(designs)):
            covered.append(found)
            print(f"{found.design}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    text = table(covered, samples)
    print(text)
    if chosen.into:
        chosen.into.write_text(pasted(chosen.into.read_text(), text))


def pasted(page: str, text: str) -> str:
    """The page with ``text`` between its two markers, in place of what was there."""
    head, rest = page.split(OPENS, 1)
    marker, rest = rest.split("-->", 1)
    return f"{head}{OPENS}{marker}-->\n{text}\n{CLOSES}{rest.split(CLOSES, 1)[1]}"


if __name__ == "__main__":
    main()
