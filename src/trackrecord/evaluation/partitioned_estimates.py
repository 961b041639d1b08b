"""Estimates from what the parts left: the same as those of a table in memory, or absences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trackrecord.evaluation.measuring import absent, present
from trackrecord.evaluation.result import Difference, ModelResult, Role
from trackrecord.stats.cells import Tally
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.merged import (
    CELLS,
    MEANS,
    RANKED,
    around_mean,
    cells_gap_of_parts,
    cells_of_parts,
    clustered_gap_of_parts,
    clustered_mean_of_parts,
    family_of,
    mean_gap_of_parts,
    mean_of_parts,
    thresholds_of,
)
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.powers import mean_of_classes

if TYPE_CHECKING:
    from trackrecord.evaluation.partitioned_clusters import Clusters
    from trackrecord.evaluation.partitioned_sums import Sums
    from trackrecord.evaluation.plan import Plan
    from trackrecord.stats.counting import Ranked

ONCE = "it takes all rows at once, and these were read in parts"
IN_CLUSTERS = "in clusters, only means of rows are measured of a table in parts"
PAIRED = "the difference of two rankings takes all rows at once, and these were read in parts"


def models_of(found: Sums, ranks: dict[str, Ranked], plan: Plan) -> list[ModelResult]:
    """Each model's estimates, in the plan's order of metrics."""
    roles: list[tuple[str, Role]] = [(name, "baseline") for name in plan.baselines]
    roles += [(name, "model") for name in plan.models]
    results = []
    for name, role in roles:
        own = [
            _own(get_metric(metric), name, found, ranks.get(name), plan) for metric in plan.metrics
        ]
        results.append(
            ModelResult(name=name, role=role, estimates=present(own), absent=absent(own))
        )
    return results


def differences_of(found: Sums, plan: Plan) -> list[Difference]:
    """Each model minus each baseline, paired, in the plan's order of metrics."""
    results = []
    for model in plan.models:
        for baseline in plan.baselines:
            gaps = [
                _gap(get_metric(metric), model, baseline, found, plan) for metric in plan.metrics
            ]
            results.append(
                Difference(
                    model=model, baseline=baseline, estimates=present(gaps), absent=absent(gaps)
                )
            )
    return results


def _own(
    asked: Metric, name: str, found: Sums, rank: Ranked | None, plan: Plan
) -> Estimate | Absence:
    family, n = family_of(asked), sum(found.rows)
    if (lost := _no_probabilities(asked, name, found)) is not None:
        return lost
    if family in MEANS:
        classes = found.losses[asked.name, name]
        if (held := found.clusters) is not None:
            losses = held.losses[asked.name, name]
            return clustered_mean_of_parts(asked, classes, held.rows, losses, plan.level)
        return mean_of_parts(asked, classes, plan.level)
    if found.clusters is not None:
        return Absence(metric=asked.name, reason=IN_CLUSTERS, n=n)
    if family in CELLS:
        return cells_of_parts(asked, _tally(asked, name, found), plan.level)
    measured = None
    if rank is not None and family in RANKED:
        measured = rank.average_precision if family == "average_precision" else rank.roc_auc
    if measured is None:
        return Absence(metric=asked.name, reason=ONCE, n=n)
    value, spread = measured
    if family == "gini":
        value, spread = 2 * value - 1, msgspec.structs.replace(spread, se=2 * spread.se)
    return around_mean(asked, value, spread, found.rows, plan.level)


def _gap(asked: Metric, a: str, b: str, found: Sums, plan: Plan) -> Estimate | Absence:
    family, n = family_of(asked), sum(found.rows)
    for name in (a, b):
        if (lost := _no_probabilities(asked, name, found)) is not None:
            return lost
    same = found.same[a, b]
    if found.clusters is not None:
        if family not in MEANS:
            return Absence(metric=asked.name, reason=IN_CLUSTERS, n=n)
        if not same:
            return _clustered_gap(asked, a, b, found, found.clusters, plan)
    if family in MEANS:
        return mean_gap_of_parts(
            asked,
            found.losses[asked.name, a],
            found.losses[asked.name, b],
            found.losses[asked.name, a, b],
            plan.level,
            same=same,
        )
    if family in CELLS:
        (threshold,) = thresholds_of(asked)
        return cells_gap_of_parts(
            asked,
            _tally(asked, a, found),
            _tally(asked, b, found),
            found.joint[threshold, a, b],
            plan.level,
            same=same,
        )
    reason = PAIRED if family in RANKED else ONCE
    return Absence(metric=asked.name, reason=reason, n=n)


def _clustered_gap(
    asked: Metric, a: str, b: str, found: Sums, held: Clusters, plan: Plan
) -> Estimate | Absence:
    first, second = (asked.name, a), (asked.name, b)
    return clustered_gap_of_parts(
        asked,
        (mean_of_classes(found.losses[first]), mean_of_classes(found.losses[second])),
        found.losses[asked.name, a, b],
        held.rows,
        held.losses[first] - held.losses[second],
        plan.level,
    )


def _no_probabilities(asked: Metric, name: str, found: Sums) -> Absence | None:
    n, outside = sum(found.rows), found.outside[name]
    if asked.needs != "probability" or outside == 0:
        return None
    reason = f"{outside} of {n} scores lie outside [0, 1], so they are no probabilities"
    return Absence(metric=asked.name, reason=reason, n=n)


def _tally(asked: Metric, name: str, found: Sums) -> Tally:
    (threshold,) = thresholds_of(asked)
    tn, fp, fn, tp = (float(count) for count in found.cells[threshold, name])
    return Tally({threshold: (tn, fp, fn, tp)})
