"""How often intervals of ranking metrics hold the truth.

``python -m tests.simulation.rankings`` prints a Markdown table, as ``coverage`` does for a yes or
no; ``--into`` also puts it into a page, between its markers.

A query has 30 documents, of which one, or one and a Poisson number more, are relevant, by 1 to 3.
A model's score is ``sharp`` times the query's ease for what is relevant, and a normal error; eases
differ from query to query, and in clusters half of that is common to a cluster. Two models share
half of their errors. The true value of a metric is written out here, and taken over a population of
queries that are each in a cluster of their own.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.simulation.coverage import Tally, _cell
from tests.simulation.inference_tables import pasted

from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.samples import Lists

SEED = 20260101
POPULATION = 300_000
DOCUMENTS = 30
METRICS = (
    *("ndcg@10", "ndcg", "ndcg_exp@10", "map", "mrr", "recall@10", "precision@10"),
    *("hit_rate@1", "r_precision", "f1@10"),
)


@dataclass(frozen=True)
class Design:
    """``queries`` of ``relevant`` documents in the mean, whose ease is lognormal by ``spread``."""

    queries: int
    relevant: float = 4.0
    sharp: float = 1.0
    spread: float = 0.7
    clusters: int | None = None

    def __str__(self) -> str:
        which = "one relevant" if self.relevant == 1 else f"{self.relevant:g} relevant"
        text = f"{self.queries:,} queries, {which}"
        if self.clusters:
            text += f", {self.clusters} clusters"
        return text + {-1.0: ", hopeless", 5.0: ", nearly perfect"}.get(self.sharp, "")


FULL = [
    Design(30),
    Design(100),
    Design(1_000),
    Design(30, relevant=1),
    Design(100, relevant=1),
    Design(1_000, relevant=1),
    Design(30, relevant=1, sharp=-1.0),
    Design(100, relevant=1, sharp=-1.0),
    Design(1_000, relevant=1, sharp=-1.0),
    Design(30, relevant=1, sharp=5.0, spread=0.2),
    Design(100, relevant=1, sharp=5.0, spread=0.2),
    Design(1_000, relevant=1, sharp=5.0, spread=0.2),
    Design(30, sharp=5.0, spread=0.2),
    Design(100, sharp=5.0, spread=0.2),
    Design(1_000, sharp=5.0, spread=0.2),
    Design(200, clusters=20),
    Design(1_000, clusters=50),
    Design(1_000, clusters=100),
    Design(1_000, relevant=1, clusters=50),
    Design(1_000, relevant=1, sharp=5.0, spread=0.2, clusters=50),
]


def draw(
    design: Design, queries: int, groups: int | None, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """Relevance and two models' scores (queries, DOCUMENTS), and clusters (queries,) or None."""
    truth = np.zeros((queries, DOCUMENTS))
    many = 1 + rng.poisson(design.relevant - 1, queries)
    here = np.argsort(rng.random(truth.shape), axis=1) < many[:, None]
    truth[here] = rng.integers(1, 4, int(here.sum()))
    cluster, ease = None, rng.normal(size=queries)
    if groups is not None:
        if groups == queries:
            cluster, common = np.arange(queries), rng.normal(size=queries)
        else:
            size = rng.lognormal(sigma=0.7, size=groups)
            cluster = rng.choice(groups, size=queries, p=size / size.sum())
            common = rng.normal(size=groups)[cluster]
        ease = (ease + common) / 2**0.5
    signal = design.sharp * np.exp(design.spread * ease)[:, None] * (truth > 0)
    shared = rng.normal(size=truth.shape)
    scores = [
        signal * pull + (shared + rng.normal(size=truth.shape)) / 2**0.5 for pull in (1.0, 0.85)
    ]
    return truth, scores, cluster


def true_values(truth: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Each of METRICS, written out over queries of equally many documents."""
    listed = np.take_along_axis(truth, np.argsort(-score, axis=1), axis=1)
    best = -np.sort(-truth, axis=1)
    hit, place = listed > 0, np.arange(1, DOCUMENTS + 1)
    many, found = hit.sum(axis=1), hit[:, :10].sum(axis=1)
    reached = hit.cumsum(axis=1)

    def gained(gain: np.ndarray, most: np.ndarray, k: int) -> float:
        by = 1 / np.log2(place + 1.0) * (place <= k)
        return float((gain @ by / (most @ by)).mean())

    return {
        "ndcg@10": gained(listed, best, 10),
        "ndcg": gained(listed, best, DOCUMENTS),
        "ndcg_exp@10": gained(2**listed - 1, 2**best - 1, 10),
        "map": float(((hit * reached / place).sum(axis=1) / many).mean()),
        "mrr": float((1 / (hit.argmax(axis=1) + 1)).mean()),
        "recall@10": float((found / many).mean()),
        "precision@10": float(found.mean() / 10),
        "hit_rate@1": float(hit[:, 0].mean()),
        "r_precision": float(((hit & (place <= many[:, None])).sum(axis=1) / many).mean()),
        "f1@10": float((2 * found / (10 + many)).mean()),
    }


@dataclass
class Covered:
    """One design's tallies by metric, or "metric, paired", and the first model's true values."""

    design: Design
    true: dict[str, float]
    tallies: dict[str, Tally]


def cover(design: Design, samples: int, seed: int = SEED) -> Covered:
    """Measure ``samples`` samples of a design with every metric and every paired difference."""
    groups = POPULATION if design.clusters else None
    truth, scores, _ = draw(design, POPULATION, groups, np.random.default_rng(1))
    truths = [true_values(truth, score) for score in scores]
    found = Covered(design, truths[0], {})
    rng = np.random.default_rng(seed)
    starts = np.arange(design.queries + 1) * DOCUMENTS
    for _ in range(samples):
        truth, scores, cluster = draw(design, design.queries, design.clusters, rng)
        labels, lists = Lists(truth.ravel(), starts), [Lists(s.ravel(), starts) for s in scores]
        for name in METRICS:
            metric = get_metric(name, "ranking")
            pair = [measure(metric, labels, score) for score in lists]
            own = estimate_of(metric, pair[0], cluster=cluster)
            gap = difference_of(metric, *pair, cluster=cluster)
            first, second = (true[name] for true in truths)
            for key, estimate, value in (
                (name, own, first),
                (f"{name}, paired", gap, first - second),
            ):
                tally = found.tallies.setdefault(key, Tally())
                tally.tried += 1
                if not isinstance(estimate, Absence):
                    tally.offered += 1
                    tally.below += value < estimate.lo
                    tally.above += value > estimate.hi
    return found


def table(covered: list[Covered], samples: int) -> str:
    """The Markdown table: a row for each metric, five designs across."""
    error = 100 * (0.95 * 0.05 / samples) ** 0.5
    lines = [
        f"{samples:,} samples of each design; the Monte Carlo error of a cell is {error:.1f} "
        "points. Nominal: 95.",
        "",
    ]
    for start in range(0, len(covered), 5):
        part = covered[start : start + 5]
        lines.append("| | " + " | ".join(str(one.design) for one in part) + " |")
        lines.append("| --- |" + " ---: |" * len(part))
        lines.append("| true MRR | " + " | ".join(f"{one.true['mrr']:.3f}" for one in part) + " |")
        for name in part[0].tallies:
            cells = " | ".join(_cell(one.tallies[name]) for one in part)
            lines.append(f"| {name} | {cells} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000, help="samples of each design")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--design", type=int, nargs="*", help="the numbers of some designs")
    parser.add_argument("--into", type=Path, help="also put the table into this page")
    chosen = parser.parse_args()
    designs = [FULL[number] for number in chosen.design] if chosen.design else FULL
    began, covered = time.perf_counter(), []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for found in pool.map(cover, designs, [chosen.samples] * len(designs)):
            covered.append(found)
            print(f"{found.design}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    text = table(covered, chosen.samples)
    print(text)
    if chosen.into:
        chosen.into.write_text(pasted(chosen.into.read_text(), "rankings", text))


if __name__ == "__main__":
    main()
