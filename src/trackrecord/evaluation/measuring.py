"""Truth and scores as columns, measured metric by metric: whole, or on the rows of a slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.evaluation.bands import Family
from trackrecord.evaluation.gaps import gaps_of, worse_of
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.result import (
    Band,
    Difference,
    Gap,
    ModelResult,
    Role,
    SliceResult,
    Worse,
)
from trackrecord.evaluation.slices import Slice
from trackrecord.evaluation.tasks import task_columns
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import (
    difference_of,
    differences_of,
    estimate_of,
    estimates_of,
    measure,
)
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.ranking import order_of
from trackrecord.stats.remembering import Memory

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Found = list[Estimate | Absence]
    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Columns:
    """The truth, each model's prediction (both as the task has them), cluster codes (n,) from 0.

    ``cluster`` is None where no rows share one, ``weight`` (n,) where all count alike, ``period``
    (n,), when each row was, where time makes no difference. ``memory`` keeps what metrics find of
    these columns and those of their parts.
    """

    truth: Any
    scores: dict[str, Any]
    cluster: NDArray[np.intp] | None
    weight: NDArray[np.float64] | None = None
    period: NDArray[np.intp] | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    @property
    def clusters(self) -> int | None:
        """How many clusters the rows are in."""
        if self.cluster is None:
            return None
        return int(self.cluster.max(initial=-1)) + 1

    def part(self, rows: NDArray[np.intp], names: list[str]) -> Columns:
        """The same for some rows and some models; cluster codes are from 0 again."""
        cluster = None if self.cluster is None else _from_zero(self.cluster[rows], self.clusters)
        scores = {name: _kept(self.scores[name][rows]) for name in names}
        weight = None if self.weight is None else self.weight[rows]
        period = None if self.period is None else self.period[rows]
        return Columns(_kept(self.truth[rows]), scores, cluster, weight, period, self.memory)

    def parts(self, slices: list[Slice], names: list[str]) -> list[Columns]:
        """The same for the rows of each slice. No score is sorted again: the order of a slice's
        rows is that of all rows, without the others."""
        here = [self.part(_kept(one.rows), names) for one in slices]
        for text in dict.fromkeys(one.text for one in slices):
            places = [place for place, one in enumerate(slices) if one.text == text]
            apart = _apart(self.rows, [slices[place].rows for place in places])
            for name in names:
                score = self.scores[name]
                if not isinstance(score, np.ndarray) or score.ndim != 1:
                    continue
                orders = _orders(score, apart)
                for k, place in enumerate(places):
                    mine = here[place].scores[name]
                    self.memory.offer("order", (mine,), partial(_at, orders, k))
        return here

    def measure(self, metric: Metric, name: str) -> Influence | Absence:
        """A metric of one model's scores."""
        return measure(metric, self.truth, self.scores[name], self.weight)


def _at(orders: Callable[[], list[Rows]], k: int) -> Rows:
    return orders()[k]


def _orders(
    score: NDArray[np.float64], apart: Callable[[], Callable[[Rows], list[Rows]]]
) -> Callable[[], list[Rows]]:
    """The order of each part's rows by score (n,), all of them made when the first is asked for."""

    @cache
    def made() -> list[Rows]:
        return apart()(order_of(score))

    return made


def _apart(n: int, parts: list[Rows]) -> Callable[[], Callable[[Rows], list[Rows]]]:
    """What takes an order (n,) apart into those of disjoint parts, each numbered from 0.

    Once asked, it is kept for the next order.
    """

    @cache
    def made() -> Callable[[Rows], list[Rows]]:
        few = np.uint8 if len(parts) < 255 else np.uint16 if len(parts) < 65_535 else np.intp
        part, place = np.full(n, len(parts), dtype=few), np.zeros(n, dtype=np.intp)
        for k, rows in enumerate(parts):
            part[rows], place[rows] = k, np.arange(rows.size)
        ends = np.cumsum([rows.size for rows in parts])

        def taken(order: Rows) -> list[Rows]:
            # whole numbers of few bits are sorted by counting
            together = order[np.argsort(part[order], kind="stable")]
            return np.split(place[together[: ends[-1]]], ends[:-1])

        return taken

    return made


def columns_of(table: pl.DataFrame, plan: Plan) -> Columns:
    """The plan's columns of an Outcomes table."""
    import polars as pl

    truth, scores = task_columns(plan.task).arrays(table, [*plan.baselines, *plan.models])
    return Columns(
        truth=_kept(truth),
        scores={name: _kept(score) for name, score in scores.items()},
        cluster=_kept(cluster_codes(table["cluster"])) if plan.clustered else None,
        weight=table["weight"].cast(pl.Float64).to_numpy() if plan.weighted else None,
        period=cluster_codes(table["time"]) if plan.timed else None,
    )


def cluster_codes(clusters: pl.Series) -> NDArray[np.intp]:
    """(n,) codes from 0, in the order of the clusters' names; a row without one is its own."""
    import polars as pl

    named = clusters.cast(pl.String) if clusters.name == "cluster" else clusters
    ranks = named.rank("dense")
    codes = ranks.fill_null(0).to_numpy().astype(np.intp) - 1
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.size)
    return codes


def _kept(column: Any) -> Any:
    """The column, not to be written to, so that what is found of it may be remembered."""
    if isinstance(column, np.ndarray):
        column.setflags(write=False)
    return column


def _from_zero(codes: NDArray[np.intp], groups: int | None) -> NDArray[np.intp]:
    """The codes (n,) from 0 again, in the same order; ``groups`` is a bound on them."""
    if groups is None or groups > 4 * codes.size + 1000:
        return np.unique(codes, return_inverse=True)[1].astype(np.intp)
    there = np.zeros(groups, dtype=np.intp)
    there[codes] = 1
    return (np.cumsum(there) - 1)[codes]


def measure_all(columns: Columns, plan: Plan) -> tuple[list[ModelResult], list[Difference]]:
    """Each model's estimates, and each paired difference to a baseline.

    A metric at a time, so that only one metric's influences are in memory.
    """
    roles: list[tuple[str, Role]] = [(name, "baseline") for name in plan.baselines]
    roles += [(name, "model") for name in plan.models]
    pairs = [(model, baseline) for model in plan.models for baseline in plan.baselines]
    own: dict[str, Found] = {name: [] for name, _ in roles}
    gaps: dict[tuple[str, str], Found] = {pair: [] for pair in pairs}
    cluster, period, level = columns.cluster, columns.period, plan.level
    for metric in (get_metric(name, plan.task) for name in plan.metrics):
        measured: dict[str, Influence | Absence] = {}
        for name, _ in roles:
            measured[name] = columns.measure(metric, name)
            own[name].append(
                estimate_of(
                    metric,
                    measured[name],
                    cluster=cluster,
                    period=period,
                    level=level,
                    exact=plan.exact,
                )
            )
        for model, baseline in pairs:
            gap = difference_of(
                metric,
                measured[model],
                measured[baseline],
                cluster=cluster,
                period=period,
                level=level,
            )
            gaps[model, baseline].append(gap)
    models = [
        ModelResult(name=name, role=role, estimates=present(own[name]), absent=absent(own[name]))
        for name, role in roles
    ]
    differences = [
        Difference(model=m, baseline=b, estimates=present(gaps[m, b]), absent=absent(gaps[m, b]))
        for m, b in pairs
    ]
    return models, differences


def measure_slices(
    columns: Columns, parts: list[Slice], plan: Plan
) -> tuple[list[SliceResult], list[Gap]]:
    """The candidate, and its differences to the reference, on each slice's rows; gaps between them.

    A slice with fewer than ``plan.slice_rows`` rows has absences only. A metric at a time, so that
    only one metric's influences are in memory.
    """
    names = [plan.candidate] if plan.reference is None else [plan.candidate, plan.reference]
    here = columns.parts(parts, names)
    own: list[Found] = [[] for _ in parts]
    gaps: list[Found] = [[] for _ in parts]
    bands: list[list[Band]] = [[] for _ in parts]
    gap_bands: list[list[Band]] = [[] for _ in parts]
    worse: list[list[Worse]] = [[] for _ in parts]
    between: list[Gap] = []
    for metric in (get_metric(name, plan.task) for name in plan.metrics):
        family, gap_family = (
            Family(metric, columns.cluster, columns.period, columns.rows, plan.level)
            for _ in range(2)
        )
        for place, (part, mine) in enumerate(zip(parts, here, strict=True)):
            if (reason := _unmeasured(mine, plan)) is not None:
                own[place].append(Absence(metric=metric.name, reason=reason, n=mine.rows))
                continue
            first = mine.measure(metric, plan.candidate)
            shared: Any = {"cluster": mine.cluster, "period": mine.period}
            at = estimates_of(metric, first, exact=plan.exact, **shared)
            own[place].append(family.add(place, part.rows, mine.cluster, at, first))
            if plan.reference is None:
                continue
            second = mine.measure(metric, plan.reference)
            at = differences_of(metric, first, second, **shared)
            gaps[place].append(gap_family.add(place, part.rows, mine.cluster, at, first, second))
        if plan.simultaneous:
            for found, into in ((family, bands), (gap_family, gap_bands)):
                for place, band in found.bands():
                    into[place].append(band)
        if plan.gaps and family.members:
            between += gaps_of(family, parts)
            whole = columns.measure(metric, plan.candidate)
            if isinstance(whole, Influence):
                for place, one in worse_of(family, whole, 1 - plan.level):
                    worse[place].append(one)
    return [
        SliceResult(
            slice=part.text,
            value=part.value,
            rows=mine.rows,
            positives=positives_of(mine, plan),
            clusters=mine.clusters,
            estimates=present(own[place]),
            absent=absent(own[place]),
            differences=present(gaps[place]),
            absent_differences=absent(gaps[place]),
            kind=part.kind,
            values=part.values,
            worse=worse[place],
            bands=bands[place],
            difference_bands=gap_bands[place],
        )
        for place, (part, mine) in enumerate(zip(parts, here, strict=True))
    ], between


def positives_of(columns: Columns, plan: Plan) -> int | None:
    """How many rows came true; None where the truth is not a yes or no."""
    return int(columns.truth.sum(dtype=np.int64)) if plan.task == "binary" else None


def _unmeasured(here: Columns, plan: Plan) -> str | None:
    """Why a slice's rows are not measured at all; None where they are."""
    if here.weight is not None and not here.weight.any():
        return "no row here has a weight"
    if here.rows < plan.slice_rows:
        return f"fewer than {plan.slice_rows} rows are too few for an interval to mean much"
    return None


def present(found: Found) -> list[Estimate]:
    """The estimates among what was found."""
    return [item for item in found if isinstance(item, Estimate)]


def absent(found: Found) -> list[Absence]:
    """The absences among what was found."""
    return [item for item in found if isinstance(item, Absence)]
