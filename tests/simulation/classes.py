"""How often intervals of multi-class and multi-label metrics hold the truth.

``python -m tests.simulation.classes`` prints a Markdown table, as ``coverage`` does for a yes or
no; ``--into`` also puts it into a page, between its markers.

A row's class is drawn by the design's rates; a model sees, for each class, ``sharp`` if it is the
row's and a normal error, and makes probabilities of it that are a little too sure. Labels are drawn
from log odds with a part that is common to a row, so that their rates are the design's. In
clusters, 30 % of the variance of a model's error is common to a cluster, and the rates differ from
cluster to cluster, which no model sees. The true value of a metric is scikit-learn's, on 400,000
rows, each of a cluster of its own.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn import metrics as reference
from tests.simulation.coverage import Tally, _cell
from tests.simulation.inference_tables import pasted

from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.metrics import get_metric, metric_names

SEED = 20260101
POPULATION = 400_000
SURE = 1.2
NOISE = (1.0, 1.5)
TILT = 0.4


@dataclass(frozen=True)
class Design:
    """One way to sample: ``rates`` of the classes, or of the labels (any number of them)."""

    task: str
    rows: int
    rates: tuple[float, ...]
    clusters: int | None = None
    sharp: float = 2.0
    share: float = 0.3

    def __str__(self) -> str:
        kind = "classes" if self.task == "multiclass" else "labels"
        low, high = min(self.rates), max(self.rates)
        rates = f"{100 * low:.2g} to {100 * high:.2g}%" if low < high else f"{100 * low:.2g}% each"
        text = f"{self.rows:,} rows, {len(self.rates)} {kind}, {rates}"
        if self.clusters:
            text += f", {self.clusters} clusters"
        return text + (", nearly perfect" if self.sharp > 3 else "")


def falling(classes: int, least: float) -> tuple[float, ...]:
    """Rates that fall by one factor from class to class, the last being ``least``; sum one."""
    low, high = 0.0, 1.0
    for _ in range(100):
        step = (low + high) / 2
        rate = least * step ** -np.arange(classes, dtype=float)
        low, high = (step, high) if rate.sum() > 1 else (low, step)
    return tuple(float(r) for r in rate[::-1] / rate.sum())


THREE, TEN = (1 / 3,) * 3, (0.1,) * 10
LABELS = (0.5, 0.3, 0.2, 0.1)
MANY = (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.03, 0.02)
CLASSES_FULL = [
    Design("multiclass", 100, THREE),
    Design("multiclass", 100, (0.8, 0.15, 0.05)),
    Design("multiclass", 100, TEN),
    Design("multiclass", 1_000, THREE),
    Design("multiclass", 1_000, (0.88, 0.1, 0.02)),
    Design("multiclass", 1_000, falling(10, 0.02)),
    Design("multiclass", 1_000, falling(10, 0.005)),
    Design("multiclass", 1_000, (0.88, 0.1, 0.02), sharp=3.5),
    Design("multiclass", 2_000, (0.88, 0.1, 0.02), clusters=50),
    Design("multiclass", 4_000, falling(10, 0.01), clusters=100),
]
LABELS_FULL = [
    Design("multilabel", 100, LABELS),
    Design("multilabel", 100, MANY),
    Design("multilabel", 1_000, LABELS),
    Design("multilabel", 1_000, MANY),
    Design("multilabel", 1_000, (0.3, 0.01)),
    Design("multilabel", 2_000, LABELS, clusters=50),
    Design("multilabel", 4_000, MANY, clusters=100),
]


@dataclass(frozen=True)
class Sample:
    """Rows drawn: truth, two models' probabilities, clusters (n,) or None."""

    truth: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]
    cluster: np.ndarray | None


def draw(design: Design, rows: int, groups: int | None, rng: np.random.Generator) -> Sample:
    """``rows`` of them in ``groups`` clusters; as many clusters as rows are one row each."""
    k = len(design.rates)
    cluster, tilt, common = None, np.zeros((1, k)), [np.zeros((1, k))] * 2
    own = 1.0
    if groups is not None:
        if groups == rows:
            cluster = np.arange(rows)
        else:
            size = rng.lognormal(sigma=0.7, size=groups)
            cluster = rng.choice(groups, size=rows, p=size / size.sum())
        own = (1 - design.share) ** 0.5
        tilt = TILT * rng.normal(size=(groups, k))[cluster]
        both = design.share**0.5 * rng.normal(size=(groups, k))[cluster]
        common = [both, both]
    seen = own * rng.normal(size=(rows, k))
    if design.task == "multiclass":
        truth = drawn(np.log(design.rates) + tilt, rows, rng)
        signal = design.sharp * np.eye(k)[truth]
        base = np.log(design.rates)
    else:
        base = middle(design)
        risk = base + design.sharp * (rng.normal(size=(rows, 1)) + rng.normal(size=(rows, k))) / 2
        truth = (rng.random((rows, k)) < expit(risk + tilt)).astype(np.int8)
        signal, base = risk, 0.0
    scores = []
    for noise, shared in zip(NOISE, common, strict=True):
        odds = signal + noise * (shared + 0.7 * seen + 0.7 * own * rng.normal(size=(rows, k)))
        if design.task == "multiclass":
            scores.append(softmax(SURE * odds * design.sharp / 2 + base, axis=1))
        else:
            scores.append(expit(SURE * odds))
    return Sample(truth, (scores[0], scores[1]), cluster)


@cache
def middle(design: Design) -> np.ndarray:
    """The mean log odds (K,) at which the population's rates of labels are the design's."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    spread = np.hypot(design.sharp / 2**0.5, TILT if design.clusters else 0.0)
    low, high = np.full(len(design.rates), -30.0), np.full(len(design.rates), 30.0)
    for _ in range(80):
        at = (low + high) / 2
        under = expit(at[:, None] + spread * node) @ (weight / weight.sum()) < design.rates
        low, high = np.where(under, at, low), np.where(under, high, at)
    return (low + high) / 2


def drawn(odds: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """A class for each row, by log rates (rows or 1, K)."""
    edges = softmax(odds, axis=1).cumsum(axis=1)
    return np.minimum((rng.random((rows, 1)) > edges).sum(axis=1), odds.shape[1] - 1)


def true_values(design: Design, rows: int = POPULATION) -> list[dict[str, float]]:
    """Each metric of both models over the population, by scikit-learn."""
    rng = np.random.default_rng(1)
    whole = draw(design, rows, rows if design.clusters else None, rng)
    of = of_classes if design.task == "multiclass" else of_labels
    return [of(whole.truth, score) for score in whole.scores]


def of_classes(truth: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    label, k = chance.argmax(axis=1), chance.shape[1]
    known: dict[str, Any] = {"labels": list(range(k)), "zero_division": 0}
    area = {"labels": list(range(k))}
    (tn, fp), (fn, tp) = reference.multilabel_confusion_matrix(truth, label).transpose(1, 2, 0)
    return {
        "accuracy": reference.accuracy_score(truth, label),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, label),
        "brier": reference.brier_score_loss(truth, chance, labels=list(range(k))),
        "debiased_ece": off_line(truth, chance),
        "f1_macro": reference.f1_score(truth, label, average="macro", **known),
        "f1_weighted": reference.f1_score(truth, label, average="weighted", **known),
        "f_beta_macro": reference.fbeta_score(truth, label, beta=2, average="macro", **known),
        "g_mean": float(np.prod(tp / (tp + fn)) ** (1 / k)),
        "jaccard_macro": reference.jaccard_score(truth, label, average="macro", **known),
        "kappa": reference.cohen_kappa_score(truth, label),
        "log_loss": reference.log_loss(truth, chance),
        "mcc": reference.matthews_corrcoef(truth, label),
        "npv_macro": float((tn / (tn + fn)).mean()),
        "precision_macro": reference.precision_score(truth, label, average="macro", **known),
        "precision_weighted": reference.precision_score(truth, label, average="weighted", **known),
        "recall_macro": reference.recall_score(truth, label, average="macro", **known),
        "roc_auc_ovo": reference.roc_auc_score(truth, chance, multi_class="ovo", **area),
        "roc_auc_ovr": reference.roc_auc_score(truth, chance, multi_class="ovr", **area),
        "roc_auc_ovr_weighted": reference.roc_auc_score(
            truth, chance, multi_class="ovr", average="weighted", **area
        ),
        "specificity_macro": float((tn / (tn + fp)).mean()),
        "top_accuracy": reference.top_k_accuracy_score(truth, chance, k=2, **area),
    }


def off_line(truth: np.ndarray, chance: np.ndarray, bins: int = 10) -> float:
    """The calibration error of ten bins for each class, less the noise of so many rows."""
    total = 0.0
    for k in range(chance.shape[1]):
        drawer = np.minimum((chance[:, k] * bins).astype(int), bins - 1)
        rows = np.bincount(drawer, minlength=bins)
        gap = np.bincount(drawer, chance[:, k] - (truth == k), bins) / np.maximum(rows, 1)
        rate = np.bincount(drawer, truth == k, bins) / np.maximum(rows, 1)
        noise = rate * (1 - rate) / np.maximum(rows - 1, 1)
        total += float(rows @ (gap**2 - noise)) / truth.size
    return max(0.0, total / chance.shape[1]) ** 0.5


def of_labels(truth: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    label = (chance > 0.5).astype(np.int8)
    found = {
        "subset_accuracy": reference.accuracy_score(truth, label),
        "hamming_loss": reference.hamming_loss(truth, label),
        "brier": float(((truth - chance) ** 2).mean()),
        "log_loss": float(-np.log(np.where(truth == 1, chance, 1 - chance)).mean()),
        "ranking_precision": ranked(truth, chance),
    }
    for name, function in (
        ("f1", reference.f1_score),
        ("jaccard", reference.jaccard_score),
        ("precision", reference.precision_score),
        ("recall", reference.recall_score),
    ):
        for average in ("micro", "macro", "samples", "weighted"):
            if f"{name}_{average}" in metric_names("multilabel"):
                found[f"{name}_{average}"] = function(
                    truth, label, average=average, zero_division=0
                )
    for name, function in (
        ("roc_auc", reference.roc_auc_score),
        ("average_precision", reference.average_precision_score),
    ):
        for average in ("micro", "macro"):
            found[f"{name}_{average}"] = function(truth, chance, average=average)
    return found


def ranked(truth: np.ndarray, chance: np.ndarray) -> float:
    """Label ranking average precision by comparing all pairs; scikit-learn goes row by row."""
    above = chance[:, None, :] >= chance[:, :, None]
    precision = (above & (truth[:, None, :] == 1)).sum(axis=2) / above.sum(axis=2)
    own = truth.sum(axis=1)
    mean = (precision * truth).sum(axis=1) / np.maximum(own, 1)
    return float(np.where((own == 0) | (own == truth.shape[1]), 1.0, mean).mean())


@dataclass
class Covered:
    """One design's tallies by metric, or "metric, paired"."""

    design: Design
    tallies: dict[str, Tally]


def cover(
    design: Design,
    samples: int,
    seed: int = SEED,
    metrics: list[str] | None = None,
    truths: list[dict[str, float]] | None = None,
) -> Covered:
    """Measure ``samples`` samples of a design with every metric and every paired difference."""
    rng = np.random.default_rng(seed)
    tallies: dict[str, Tally] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truths = truths or true_values(design)
    asked = [get_metric(name, design.task) for name in metrics or metric_names(design.task)]  # type: ignore[arg-type]
    for _ in range(samples):
        sample = draw(design, design.rows, design.clusters, rng)
        for metric in asked:
            pair = [measure(metric, sample.truth, score) for score in sample.scores]
            own = estimate_of(metric, pair[0], cluster=sample.cluster)
            gap = difference_of(metric, *pair, cluster=sample.cluster)
            first, second = (true[metric.name] for true in truths)
            for key, estimate, true in (
                (metric.name, own, first),
                (f"{metric.name}, paired", gap, first - second),
            ):
                tally = tallies.setdefault(key, Tally())
                tally.tried += 1
                if not isinstance(estimate, Absence):
                    tally.offered += 1
                    tally.below += true < estimate.lo
                    tally.above += true > estimate.hi
    return Covered(design, tallies)


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
        for name in sorted(part[0].tallies):
            cells = " | ".join(_cell(one.tallies[name]) for one in part)
            lines.append(f"| {name} | {cells} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", choices=("multiclass", "multilabel"))
    parser.add_argument("--samples", type=int, default=1000, help="samples of each design")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="these metrics only")
    parser.add_argument("--design", type=int, nargs="*", help="the numbers of some designs")
    parser.add_argument("--into", type=Path, help="also put the tables into this page")
    chosen = parser.parse_args()
    for task, designs in (("multiclass", CLASSES_FULL), ("multilabel", LABELS_FULL)):
        if chosen.task not in (None, task):
            continue
        if chosen.design:
            designs = [designs[number] for number in chosen.design]
        began, k = time.perf_counter(), len(designs)
        covered = []
        with ProcessPoolExecutor(chosen.processes) as pool:
            for found in pool.map(
                cover, designs, [chosen.samples] * k, [SEED] * k, [chosen.only] * k
            ):
                covered.append(found)
                print(f"{found.design}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        text = table(covered, chosen.samples)
        print(text)
        if chosen.into:
            chosen.into.write_text(pasted(chosen.into.read_text(), task, text))


if __name__ == "__main__":
    main()
