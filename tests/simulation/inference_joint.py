"""Do the intervals of many slices all hold together as often as asked?

Losses are exponential, so skewed, with a mean of 1 in every slice; in clusters a further normal
effect is common to a cluster's rows. Slices: nested (a threshold rises), overlapping (each row is
in each slice with that slice's probability, 3 to 50 %), or sets of whole clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.simulation.inference_tables import Rate

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.proportions import t_quantile
from trackrecord.stats.simultaneous import joint_level, unit_sums
from trackrecord.stats.spread import spread_of

LEVEL = 0.95


@dataclass(frozen=True)
class Slices:
    rows: int
    slices: int
    kind: str
    clusters: int = 0

    def __str__(self) -> str:
        where = f"{self.clusters} clusters" if self.clusters else "independent"
        return f"{self.rows:,} rows, {where}, {self.slices} {self.kind} slices"


FULL = [
    *(Slices(4000, k, kind) for kind in ("nested", "overlapping") for k in (5, 50, 500)),
    *(Slices(4000, k, kind, 20) for kind in ("nested", "overlapping") for k in (5, 50, 500)),
    Slices(4000, 50, "overlapping", 8),
    Slices(4000, 500, "overlapping", 8),
    Slices(4000, 50, "cluster-wise", 60),
]


def members(design: Slices, cluster: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The numbers of each slice's rows."""
    n, k = design.rows, design.slices
    if design.kind == "nested":
        place = rng.random(n)
        return [np.flatnonzero(place >= limit) for limit in np.linspace(0, 0.97, k)]
    if design.kind == "cluster-wise":
        groups = [rng.permutation(design.clusters)[: 6 + j % 24] for j in range(k)]
        return [np.flatnonzero(np.isin(cluster, group)) for group in groups]
    shares = np.geomspace(0.03, 0.5, k)
    return [np.flatnonzero(rng.random(n) < share) for share in shares]


def all_hold(design: Slices, rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether all joint intervals hold the mean, and whether all would at their own level."""
    n = design.rows
    cluster = rng.integers(0, max(design.clusters, 1), n)
    loss = rng.exponential(size=n)
    if design.clusters:
        loss += rng.normal(0, 0.5, design.clusters)[cluster]
    units = cluster if design.clusters else None
    columns, worst = [], []
    for rows in members(design, cluster, rng):
        psi = loss[rows] - loss[rows].mean()
        columns.append((rows, psi))
        own = None if units is None else units[rows]
        spread = spread_of(psi, np.zeros(rows.size, np.int8), own)
        # on the log scale, as losses are: |log value - log 1| in standard errors
        mean = float(loss[rows].mean())
        worst.append((abs(np.log(mean)) * mean / spread.se, spread.degrees))
    each = joint_level(unit_sums(columns, n, units), LEVEL).each
    return (
        all(t <= t_quantile(each, degrees) for t, degrees in worst),
        all(t <= t_quantile(LEVEL, degrees) for t, degrees in worst),
    )


def areas_hold(rng: np.random.Generator, slices: int = 50, rows: int = 4000) -> bool:
    """The same for the ROC AUC of overlapping slices, with the intervals of ``estimate_of``."""
    truth = (rng.random(rows) < 0.2).astype(np.int8)
    score = rng.normal(size=rows) + truth * 0.9538725524  # sqrt(2) Phi^-1(0.75)
    design = Slices(rows, slices, "overlapping")
    found, columns = [], []
    for at in members(design, np.zeros(rows), rng):
        measured = measure("roc_auc", truth[at], score[at])
        assert isinstance(measured, Influence)
        found.append(measured)
        columns.append((at, measured.influence))
    each = joint_level(unit_sums(columns, rows), LEVEL).each
    made = [estimate_of("roc_auc", one, level=each) for one in found]
    return all(one.lo <= 0.75 <= one.hi for one in made if isinstance(one, Estimate))


def rates(samples: int, seed: int, designs: list[Slices] | None = None) -> list[Rate]:
    found = []
    for design in FULL if designs is None else designs:
        rng = np.random.default_rng(seed)
        tried = max(1, samples // 2) if design.slices >= 500 else samples
        held = np.array([all_hold(design, rng) for _ in range(tried)])
        joint, alone = held.sum(axis=0)
        note = f"each at its own 95 %: {100 * alone / tried:.1f}"
        found.append(Rate(str(design), "all hold", int(joint), tried, "95", note))
    if designs is None:
        rng = np.random.default_rng(seed)
        held = [areas_hold(rng) for _ in range(samples)]
        name = "4,000 rows, independent, 50 overlapping slices, ROC AUC"
        found.append(Rate(name, "all hold", sum(held), samples, "95"))
    return found
