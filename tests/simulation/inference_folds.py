"""Cross-validation and seeds: how often their intervals hold, and how often tests err."""

from __future__ import annotations

import numpy as np
from tests.simulation.inference_tables import Rate

from trackrecord.stats.crossvalidation import NestedLoss, corrected_resampled, nested_loss
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.seeds import SeedsAndSamples, seeds_and_samples


def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.solve(x.T @ x + 1e-9 * np.eye(x.shape[1]), x.T @ y))


def losses(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return np.asarray((y - x @ beta) ** 2)


def nested(x: np.ndarray, y: np.ndarray, folds: int, repeats: int, rng: np.random.Generator):
    """Nested cross-validation of least squares; and the plain one's mean and rows' deviation."""
    n = len(y)
    inner, outer, variance = (np.empty((repeats, folds)) for _ in range(3))
    plain, rows = [], []
    for r in range(repeats):
        fold = rng.permutation(np.arange(n) % folds)
        pair = {}
        for a in range(folds):
            for b in range(a):
                keep = (fold != a) & (fold != b)
                beta = fit(x[keep], y[keep])
                pair[a, b], pair[b, a] = (losses(x[fold == f], y[fold == f], beta) for f in (a, b))
        for k in range(folds):
            out = losses(x[fold == k], y[fold == k], fit(x[fold != k], y[fold != k]))
            ins = np.concatenate([pair[f, k] for f in range(folds) if f != k])
            inner[r, k], outer[r, k], variance[r, k] = (
                ins.mean(),
                out.mean(),
                out.var(ddof=1) / out.size,
            )
            rows.append(ins)
            plain.append(out)
    every = np.concatenate(plain)
    found = nested_loss(
        inner,
        outer,
        variance,
        plain=float(every.mean()),
        row_error=float(np.concatenate(rows).std(ddof=1)),
        rows=n,
        metric="loss",
    )
    assert isinstance(found, NestedLoss)
    naive = every[: len(every) // repeats]
    return found, naive.mean(), naive.std(ddof=1) / np.sqrt(n)


def rates(samples: int, seed: int) -> list[Rate]:
    return [
        *folds(max(10, samples // 2), seed),
        *resamples(samples, seed),
        *components(4 * samples, seed),
    ]


def folds(tried: int, seed: int) -> list[Rate]:
    """Least squares on normal columns; the loss to be held is that of the model fitted to all."""
    found = []
    for n, p in ((50, 10), (100, 20), (200, 20)):
        rng = np.random.default_rng(seed)
        held = plain = 0
        inflation = []
        for _ in range(tried):
            x, noise = rng.standard_normal((n, p)), rng.standard_normal(n)
            one, mean, error = nested(x, noise, 5, 20, rng)
            true = 1 + float((fit(x, noise) ** 2).sum())
            held += one.estimate.lo <= true <= one.estimate.hi
            plain += abs(mean - true) <= 1.96 * error
            inflation.append(one.inflation)
        note = f"plain cross-validation {100 * plain / tried:.1f}; "
        note += f"error {np.mean(inflation):.2f} times as large"
        design = f"{n} rows, {p} columns, 20 times 5 folds, nested"
        found.append(Rate(design, "loss held", held, tried, "95", note))
    return found


def resamples(tried: int, seed: int) -> list[Rate]:
    """Two models as good as each other (each lacks one column that counts as much)."""
    found = []
    for n, repeats in ((100, 15), (300, 15), (300, 100)):
        rng = np.random.default_rng(seed)
        wrong = plain = 0
        test = n // 10
        for _ in range(tried):
            x = rng.standard_normal((n, 5))
            y = x @ np.array([1, 1, 0.5, 0.5, 0]) + rng.standard_normal(n)
            gaps = []
            for _ in range(repeats):
                order = rng.permutation(n)
                train, held = order[test:], order[:test]
                two = [[0, 1, 2, 4], [0, 1, 3, 4]]
                a, b = (
                    losses(x[held][:, c], y[held], fit(x[train][:, c], y[train])).mean()
                    for c in two
                )
                gaps.append(a - b)
            one = corrected_resampled(gaps, train_rows=n - test, test_rows=test, metric="gap")
            assert isinstance(one, Estimate)
            wrong += not one.lo <= 0 <= one.hi
            half = (one.hi - one.value) / (1 + repeats * test / (n - test)) ** 0.5
            plain += abs(one.value) > half
        note = f"uncorrected t {100 * plain / tried:.1f}"
        design = f"{n} rows, {repeats} resamples of 9 : 1"
        found.append(Rate(design, "called different where equal", wrong, tried, "at most 5", note))
    return found


def components(tried: int, seed: int) -> list[Rate]:
    """Variances 0.25 between seeds, 1 between samples, 1 for the rest; and no seed variance."""
    found = []
    for seeds, rows, between in ((5, 20, 0.25), (10, 1000, 0.25), (5, 20, 0.0)):
        rng = np.random.default_rng(seed)
        held = np.zeros(4, dtype=int)
        for _ in range(tried):
            values = (
                rng.normal(0, between**0.5, (seeds, 1))
                + rng.normal(0, 1, (1, rows))
                + rng.normal(0, 1, (seeds, rows))
            )
            one = seeds_and_samples(values, metric="loss")
            assert isinstance(one, SeedsAndSamples)
            parts = ((one.mean, 0), (one.seed, between), (one.sample, 1), (one.rest, 1))
            held += [part.lo <= true <= part.hi for part, true in parts]
        for name, times in zip(("mean", "seed", "sample", "rest"), held, strict=True):
            design = f"{seeds} seeds, {rows:,} samples, seed variance {between:g}"
            found.append(Rate(design, f"{name} held", int(times), tried, "95"))
    return found
