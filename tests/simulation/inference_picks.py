"""How often picking the worse slices, or screening them, picks wrong ones.

Fifty slices of exponential losses against a mean of 1, on the log scale. In the first design none
is worse; in the others every second one truly loses a quarter more.
"""

from __future__ import annotations

import numpy as np
from tests.simulation.inference_joint import Slices, members
from tests.simulation.inference_tables import Rate

from trackrecord.stats.screening import benjamini_hochberg, benjamini_yekutieli
from trackrecord.stats.simultaneous import unit_sums
from trackrecord.stats.spread import spread_of
from trackrecord.stats.stepdown import step_down

K = 50


def tested(design: Slices, worse: np.ndarray, rng: np.random.Generator) -> tuple:
    """The step-down result on one sample, and p-values for screening."""
    n = design.rows
    cluster = rng.integers(0, max(design.clusters, 1), n)
    loss = rng.exponential(size=n)
    if design.clusters:
        loss += rng.normal(0, 0.3, design.clusters)[cluster]
    units = cluster if design.clusters else None
    columns, gaps, errors, degrees = [], [], [], []
    for j, rows in enumerate(members(design, cluster, rng)):
        mean = loss[rows].mean()
        columns.append((rows, loss[rows] - mean))
        own = None if units is None else units[rows]
        spread = spread_of(loss[rows] - mean, np.zeros(rows.size, np.int8), own)
        gaps.append(np.log(mean) + worse[j])
        errors.append(spread.se / mean)
        degrees.append(spread.degrees)
    sums = unit_sums(columns, n, units)
    return step_down(gaps, errors, degrees, sums, side="above")


def rates(samples: int, seed: int) -> list[Rate]:
    found = []
    half = np.where(np.arange(K) % 2, np.log(1.25), 0.0)
    for design, worse, name in (
        (Slices(4000, K, "overlapping"), np.zeros(K), "none worse"),
        (Slices(4000, K, "overlapping"), half, "half worse"),
        (Slices(4000, K, "overlapping", 20), half, "half worse"),
        (Slices(4000, K, "nested", 20), half, "half worse"),
    ):
        rng = np.random.default_rng(seed)
        true, wrong, shares_bh, shares_by, power = worse > 0, 0, [], [], []
        for _ in range(samples):
            result = tested(design, worse, rng)
            wrong += bool(result.picked[~true].any())
            for adjust, shares in (
                (benjamini_hochberg, shares_bh),
                (benjamini_yekutieli, shares_by),
            ):
                picked = adjust(result.alone) <= 0.05
                shares.append(picked[~true].sum() / max(picked.sum(), 1))
            power.append(result.picked[true].mean() if true.any() else 0.0)
        note = f"finds {100 * np.mean(power):.0f} % of the worse" if true.any() else ""
        note += f"{'; ' if note else ''}false share of picks: Benjamini–Hochberg "
        note += f"{100 * np.mean(shares_bh):.1f} %, "
        note += f"Benjamini–Yekutieli {100 * np.mean(shares_by):.1f} %"
        goal = "at most 5"
        found.append(Rate(f"{design}, {name}", "any false pick", wrong, samples, goal, note))
    return found
