"""Races the area under the ROC curve, with its 95 % interval, against peers in the same run.

Peers: one bare ``sklearn.metrics.roc_auc_score`` call, which has no interval; that call on 1,000
bootstrap replicates (20 are measured and the time is multiplied by 50); DeLong's interval from the
package ``confidenceinterval`` where it is installed, else from scipy's mid-ranks (Sun & Xu 2014).
Rounds take turns and the best of each counts; seconds are of one thread's
processor time, so that other work on the machine does not decide the race.

    python benchmarks/auc/run.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate, estimate_of, measure

REPLICATES, MEASURED, ROUNDS = 1_000, 20, 5


def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(1)
    truth = (draw.random(n) < 0.2).astype(np.int8)
    return truth, expit(draw.normal(size=n) + truth - 1)


def bootstrap(truth: np.ndarray, score: np.ndarray) -> None:
    draw = np.random.default_rng(2)
    for _ in range(MEASURED):
        chosen = draw.integers(0, truth.size, truth.size)
        roc_auc_score(truth[chosen], score[chosen])


def scipy_delong(truth: np.ndarray, score: np.ndarray) -> tuple[float, float, float]:
    """Area and interval from mid-ranks, on the identity scale."""
    high, low = score[truth == 1], score[truth == 0]
    placed = rankdata(np.concatenate([high, low]))
    v10 = (placed[: high.size] - rankdata(high)) / low.size
    v01 = 1 - (placed[high.size :] - rankdata(low)) / high.size
    area = float(v10.mean())
    half = ndtri(0.975) * float(v10.var(ddof=1) / high.size + v01.var(ddof=1) / low.size) ** 0.5
    return area, area - half, area + half


def delong() -> tuple[str, Callable[[np.ndarray, np.ndarray], object]]:
    try:
        from confidenceinterval import roc_auc_score as peer
    except ImportError:
        return "DeLong by scipy's mid-ranks", scipy_delong
    return f"confidenceinterval {version('confidenceinterval')}", peer


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    truth, score = rows(chosen.rows)
    quick = estimate("roc_auc", truth, score)
    bare, (area, lo, hi) = roc_auc_score(truth, score), scipy_delong(truth, score)
    if not isinstance(quick, Estimate) or max(abs(quick.value - bare), abs(area - bare)) > 1e-12:
        raise SystemExit("the areas differ: that is a bug")
    if max(abs(quick.lo - lo), abs(quick.hi - hi)) > 0.01 * (hi - lo) + 3 * (hi - lo) ** 2:
        raise SystemExit("the intervals differ: that is a bug")
    name, peer = delong()
    threadpool_limits(1)
    racers: dict[str, Callable[[], object]] = {
        "scikit-learn, bare call (no interval)": lambda: roc_auc_score(truth, score),
        "trackrecord, with interval": lambda: estimate("roc_auc", truth, score),
        "trackrecord, with every row's influence": lambda: estimate_of(
            "roc_auc", measure("roc_auc", truth, score)
        ),
        name: lambda: peer(truth, score),
    }
    times: dict[str, list[float]] = {racer: [] for racer in racers}
    for _ in range(chosen.rounds):
        for racer, action in racers.items():
            times[racer].append(seconds(action))
    best = {racer: min(found) for racer, found in times.items()}
    resampled = f"scikit-learn, {REPLICATES:,} bootstrap replicates ({MEASURED} measured)"
    best[resampled] = seconds(lambda: bootstrap(truth, score)) * REPLICATES / MEASURED
    base, ours = best["scikit-learn, bare call (no interval)"], best["trackrecord, with interval"]
    print(
        f"{chosen.rows:,} rows; best of {chosen.rounds}; scikit-learn {version('scikit-learn')}, ",
        end="",
    )
    print(f"numpy {np.__version__}, scipy {version('scipy')}.\n")
    print("| what | seconds | time against a bare call | trackrecord is faster by |")
    print("|---|---:|---:|---:|")
    for racer, took in best.items():
        print(f"| {racer} | {took:,.3f} | {took / base:,.2f} | {took / ours:,.1f} |")


if __name__ == "__main__":
    main()
