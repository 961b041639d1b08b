"""Coverage of the intervals for numbers: ``python -m tests.simulation.numbers``.

A row has a signal a and a noise z, both standard normal, and both shared in part within its
cluster. Its truth is 40 + 2 a + T(z), with T(z) normal, heavy-tailed (Student's t with five
degrees) or skewed (exponential), or exp(0.6 a + 0.4 z), as prices and demands are. A model sees
a part of the signal and says that plus a bias, and quantiles around it whose width changes with
the signal. The true value of each metric
is that of the whole population, by sums over a fine grid of (a, z), with scikit-learn's weighted
forms or written out here: none of the code under test.

Of series, each has its own level of scaled errors, and they are dependent within it; the true value
is the mean over a million series.

Prints a Markdown table, and with ``--into`` also puts it into a page.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.special import log_ndtr, ndtr, stdtrit
from sklearn import metrics as reference
from tests.simulation.coverage import Tally
from tests.simulation.inference_tables import pasted

from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.metrics import get_metric, metric_names
from trackrecord.stats.samples import Predicted, Quantiles, Scaled

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
NODES = (-1.6448536269514722, -0.6744897501960817, 0.0, 0.6744897501960817, 1.6448536269514722)
SEED = 20260102
FAR, GRID = 7.5, 601
SERIES_METRICS = ("mase", "rmsse")
Errors = Literal["normal", "heavy", "skewed", "prices"]


@dataclass(frozen=True)
class Numbers:
    """Rows with errors of one kind; ``share`` of signal and noise is common to a cluster."""

    rows: int
    errors: Errors
    clusters: int | None = None
    share: float = 0.2

    def __str__(self) -> str:
        text = f"{self.rows:,} rows, {self.errors}"
        return text + (f", {self.clusters} clusters" if self.clusters else "")


@dataclass(frozen=True)
class Forecasts:
    """``series`` series of four to twelve steps."""

    series: int
    errors: Errors

    def __str__(self) -> str:
        return f"{self.series} series, {self.errors}"


KINDS: tuple[Errors, ...] = ("normal", "heavy", "skewed", "prices")
DESIGNS: list[Numbers | Forecasts] = [
    *(Numbers(n, errors) for errors in KINDS for n in (30, 50, 100, 1_000)),
    Numbers(10_000, "prices"),
    *(Numbers(1_000, errors, 20) for errors in KINDS),
    *(Numbers(2_000, errors, 50) for errors in KINDS),
    *(Forecasts(s, errors) for errors in ("normal", "skewed") for s in (5, 20, 50, 200)),
]


@dataclass(frozen=True)
class Rows:
    truth: np.ndarray
    models: tuple[Predicted, Predicted]
    cluster: np.ndarray | None


def noise(errors: Errors, z: np.ndarray) -> np.ndarray:
    if errors == "heavy":
        return stdtrit(5, ndtr(z))
    return -log_ndtr(-z) - 1 if errors == "skewed" else z


def rows_of(errors: Errors, a: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, list[Predicted]]:
    """Truth and two models' predictions for signals and noises (n,)."""
    prices = errors == "prices"
    truth = np.exp(0.6 * a + 0.4 * z) if prices else 40 + 2 * a + noise(errors, z)
    models = []
    for seen, bias, sign in ((0.9 * a, 0.1, 1), (0.6 * a + 0.4 * np.sin(2 * a), -0.2, -1)):
        spread = (0.7 + 0.6 * ndtr(sign * a))[:, None] * np.array(NODES)
        if prices:
            point = np.exp(0.6 * seen + 0.4 * bias)
            values = point[:, None] * np.exp(0.4 * spread)
        else:
            point = 40 + 2 * seen + bias
            values = point[:, None] + spread
        models.append(Predicted(point, Quantiles(LEVELS, values)))
    return truth, models


def draw(design: Numbers, rng: np.random.Generator) -> Rows:
    n = design.rows
    a, z = rng.normal(size=(2, n))
    cluster = None
    if design.clusters is not None:
        weight = rng.lognormal(sigma=0.7, size=design.clusters)
        cluster = rng.choice(design.clusters, size=n, p=weight / weight.sum())
        common = rng.normal(size=(2, design.clusters))[:, cluster]
        a, z = np.sqrt(design.share) * common + np.sqrt(1 - design.share) * np.array([a, z])
    truth, (first, second) = rows_of(design.errors, a, z)
    return Rows(truth, (first, second), cluster)


@cache
def true_values(errors: Errors) -> tuple[dict[str, float], dict[str, float]]:
    """Each metric of the two models over the whole population."""
    node = np.linspace(-FAR, FAR, GRID)
    mass = np.exp(-0.5 * node**2)
    a, z = (x.ravel() for x in np.meshgrid(node, node))
    weight = np.outer(mass, mass).ravel()
    weight /= weight.sum()
    truth, models = rows_of(errors, a, z)
    found = []
    for model in models:
        point, values = model.point, model.quantiles.values  # type: ignore[union-attr]
        assert point is not None
        known = {"sample_weight": weight}
        low, high = values[:, 0], values[:, -1]
        losses = [
            reference.mean_pinball_loss(truth, values[:, k], alpha=level, **known)
            for k, level in enumerate(LEVELS)
        ]
        below = weight @ (truth[:, None] <= values)
        off = abs(point - truth)
        outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        found.append(
            {
                "mae": reference.mean_absolute_error(truth, point, **known),
                "mse": reference.mean_squared_error(truth, point, **known),
                "rmse": reference.root_mean_squared_error(truth, point, **known),
                "r2": reference.r2_score(truth, point, **known),
                "explained_variance": reference.explained_variance_score(truth, point, **known),
                "median_ae": reference.median_absolute_error(truth, point, **known),
                "mape": reference.mean_absolute_percentage_error(truth, point, **known),
                "smape": float(weight @ (2 * off / (abs(truth) + abs(point)))),
                "wape": float(weight @ off / (weight @ abs(truth))),
                "bias": float(weight @ (point - truth)),
                "quantile_loss": reference.mean_pinball_loss(truth, point, **known),
                "pearson": correlation(point, truth, weight),
                "spearman": correlation(ranks(point, weight), ranks(truth, weight), weight),
                "coverage": float(weight @ ((low <= truth) & (truth <= high))),
                "width": float(weight @ (high - low)),
                "interval_score": float(weight @ (high - low + 20 * outside)),
                "mean_pinball": float(np.mean(losses)),
                "quantile_ece": float(np.mean((below - np.array(LEVELS)) ** 2) ** 0.5),
                "crps": float(2 * np.dot([0.15, 0.225, 0.25, 0.225, 0.15], losses)),
            }
        )
    return found[0], found[1]


def correlation(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    x, y = x - weight @ x, y - weight @ y
    return float(weight @ (x * y) / np.sqrt((weight @ x**2) * (weight @ y**2)))


def ranks(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    _, at = np.unique(x.round(12), return_inverse=True)
    mass = np.bincount(at, weight)
    return (np.cumsum(mass) - mass / 2)[at]


def draw_forecasts(design: Forecasts, rng: np.random.Generator) -> Rows:
    """Series' errors in units of their past, two models'; a series is a cluster."""
    many = design.series
    steps = rng.integers(4, 13, many)
    series = np.repeat(np.arange(many), steps)
    level, common = rng.normal(size=(2, many))
    own = np.sqrt(0.3) * common[series] + np.sqrt(0.7) * rng.normal(size=series.size)
    size = np.exp((0.6 if design.errors == "skewed" else 0.3) * level)[series]
    error = size * (own if design.errors == "normal" else np.exp(0.8 * own) - 1)
    second = error * 1.1 + 0.3 * rng.normal(size=series.size)
    scale = np.ones(series.size)
    first, other = (Predicted(e, None, Scaled(e, scale, 1.5 * scale, series))
                    for e in (error, second))  # fmt: skip
    return Rows(np.zeros(series.size), (first, other), series)


@cache
def true_scaled(errors: Errors) -> tuple[dict[str, float], dict[str, float]]:
    """Over a million series, in parts."""
    sums = np.zeros((2, 2))
    rng, part, parts = np.random.default_rng(7), 50_000, 20
    for _ in range(parts):
        rows = draw_forecasts(Forecasts(part, errors), rng)
        for k, model in enumerate(rows.models):
            count = np.bincount(rows.cluster)  # type: ignore[arg-type]
            sums[k, 0] += (np.bincount(rows.cluster, abs(model.point)) / count).mean()  # type: ignore[arg-type]
            square = np.bincount(rows.cluster, model.point**2 / 1.5) / count  # type: ignore[arg-type,operator]
            sums[k, 1] += np.sqrt(square).mean()
    first, second = (dict(zip(SERIES_METRICS, one / parts, strict=True)) for one in sums)
    return first, second


def cover(
    design: Numbers | Forecasts,
    samples: int,
    seed: int = SEED,
    metrics: list[str] | None = None,
) -> dict[str, Tally]:
    """Tallies by metric (or "metric, paired") of intervals at 95 %."""
    rng, found = np.random.default_rng(seed), {}
    if isinstance(design, Numbers):
        truths = true_values(design.errors)
        names = [name for name in metric_names("regression") if name not in SERIES_METRICS]
    else:
        truths, names = true_scaled(design.errors), list(SERIES_METRICS)
    for _ in range(samples):
        rows = draw(design, rng) if isinstance(design, Numbers) else draw_forecasts(design, rng)
        for name in metrics or names:
            asked = get_metric(name, "regression")
            first, second = (measure(asked, rows.truth, model) for model in rows.models)
            own = estimate_of(asked, first, cluster=rows.cluster)
            gap = difference_of(asked, first, second, cluster=rows.cluster)
            for key, estimate, value in (
                (name, own, truths[0][name]),
                (f"{name}, paired", gap, truths[0][name] - truths[1][name]),
            ):
                tally = found.setdefault(key, Tally())
                tally.tried += 1
                if not isinstance(estimate, Absence):
                    tally.offered += 1
                    tally.below += value < estimate.lo
                    tally.above += value > estimate.hi
    return found


def table(found: dict[str, dict[str, Tally]], samples: int) -> str:
    """The Markdown table: designs as columns, a few at a time, metrics as rows."""
    error = 100 * (0.95 * 0.05 / samples) ** 0.5
    lines = [
        f"{samples:,} samples of each design; the Monte Carlo error of a cell is {error:.1f} "
        "points. Nominal: 95.",
    ]
    kinds: dict[tuple[str, ...], list[str]] = {}
    for design, tallies in found.items():
        kinds.setdefault(tuple(sorted(tallies)), []).append(design)
    for names, designs in kinds.items():
        for start in range(0, len(designs), 6):
            part = designs[start : start + 6]
            lines += ["", "| | " + " | ".join(part) + " |", "| --- |" + " ---: |" * len(part)]
            lines += [
                f"| {name} | " + " | ".join(cell(found[one][name]) for one in part) + " |"
                for name in names
            ]
    return "\n".join(lines)


def cell(tally: Tally) -> str:
    if not tally.offered:
        return "none offered"
    declined = 100 * (1 - tally.offered / tally.tried)
    text = f"{100 * tally.coverage:.1f}"
    return text + (f" ({declined:.1f} declined)" if tally.offered < tally.tried else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000, help="samples of each design")
    parser.add_argument("--only", help="designs whose name holds this")
    parser.add_argument("--metrics", nargs="*", help="these metrics only")
    parser.add_argument("--into", type=Path, help="also put the table into this page")
    chosen = parser.parse_args()
    found = {}
    for design in DESIGNS:
        if chosen.only and chosen.only not in str(design):
            continue
        began = time.process_time()
        found[str(design)] = cover(design, chosen.samples, metrics=chosen.metrics)
        print(f"{design}: {time.process_time() - began:.0f} s", file=sys.stderr, flush=True)
    text = table(found, chosen.samples)
    print(text)
    if chosen.into:
        chosen.into.write_text(pasted(chosen.into.read_text(), "numbers", text))


if __name__ == "__main__":
    main()
