"""How many rows, or clusters, it takes to decide a criterion: from a pilot, or from assumptions.

A pilot's own influences say how much one row, or one cluster, adds to what is known: standard
errors shrink with the square root of their number. So clusters, and how alike two models are on
the same rows, are measured, not assumed.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np

from trackrecord.cases.criteria import Requirement, parse_requirement
from trackrecord.errors import BadInput
from trackrecord.evaluation.measured import Result, result_of
from trackrecord.evaluation.reading import ReadOutcomes
from trackrecord.stats.estimate import Absence
from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Undefined
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.planning import (
    CORRELATION,
    effect_assumed,
    reference_rows,
    spread_assumed,
)
from trackrecord.stats.power import MOST_ROWS, chance_of, units_for

Unit = Literal["rows", "queries", "clusters"]
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


class PowerPoint(msgspec.Struct, frozen=True):
    """The chance that so many rows (in so many clusters, where there are any) decide it."""

    units: int
    rows: int
    chance: float


class IfTrue(msgspec.Struct, frozen=True):
    """What it takes where the true value is ``value``; ``units`` is None where nothing does.

    ``verdict`` is what a large enough test would say.
    """

    said: str
    value: float
    verdict: Literal["accepted", "rejected"]
    units: int | None
    rows: int | None


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a criterion can be decided, and by how much data.

    ``chance`` is that of ``units`` units (the pilot's, or those asked about; None without either).
    ``needed`` units and ``needed_rows`` have a chance of 80 %; None where no number does. One unit
    alone would have the standard error ``spread``; ``rows_per_unit`` is 1 where rows are the units.
    """

    criterion: str
    unit: Unit
    units: int | None
    rows: int | None
    chance: float | None
    needed: int | None
    needed_rows: int | None
    effect: float
    spread: float
    rows_per_unit: float
    level: float
    assumptions: list[str]
    cases: list[IfTrue]
    curve: list[PowerPoint]


def power_from_pilot(
    criterion: str,
    pilot: ReadOutcomes,
    *,
    candidate: str | None = None,
    expect: float | None = None,
    rows: int | None = None,
    level: float = 0.95,
) -> Power:
    """What it takes, from a pilot's own influences.

    ``expect`` is the true value hoped for; the pilot's own without. ``rows`` asks about another
    number than the pilot has. Raises BadInput where the pilot has no estimate of it.
    """
    asked = parse_requirement(criterion)
    get_metric(asked.metric, pilot.task)
    found = result_of(
        pilot, candidate=candidate, level=level, metrics=[asked.metric], criteria=[criterion]
    )
    paired = asked.baseline is not None
    estimate = (
        found.difference(asked.metric, baseline=asked.baseline or None)
        if paired
        else found[asked.metric]
    )
    units = estimate.n if estimate.clusters is None else estimate.clusters
    if estimate.se == 0:
        raise BadInput(
            "the pilot's difference is exactly 0, so it shows nothing of how it varies",
            why=estimate.method,
            next="give a pilot in which the two differ, or --rate and --auc",
        )
    said = [f"the pilot has {_shown(estimate.value, paired)} "
            f"[{_shown(estimate.lo, paired)}, {_shown(estimate.hi, paired)}]"]  # fmt: skip
    if paired:
        said.append(f"how alike {_pair(found, asked)} are is measured on the pilot's rows")
    if estimate.clusters is not None:
        said.append(
            f"{estimate.n / units:.3g} rows a cluster, as in the pilot, "
            "and as dependent on one another"
        )
    if expect is None:
        said.append("the true value is the pilot's; see below for others")
    else:
        said.append(f"the true value is {_shown(expect, paired)}, as you expect")
    effect = estimate.value if expect is None else expect
    others = [
        ("the pilot's lower end", estimate.lo),
        ("the pilot's value", estimate.value),
        ("the pilot's upper end", estimate.hi),
    ]
    per = estimate.n / units
    return _power(
        criterion,
        asked,
        unit="clusters"
        if estimate.clusters is not None
        else "queries"
        if pilot.task == "ranking"
        else "rows",
        units=units if rows is None else max(1, round(rows / per)),
        per=per,
        effect=effect,
        spread=estimate.se * math.sqrt(units),
        level=level,
        assumptions=said,
        others=others,
    )


def power_assumed(
    criterion: str,
    *,
    rate: float,
    auc: float | None = None,
    correlation: float | None = None,
    expect: float | None = None,
    rows: int | None = None,
    cluster_size: float | None = None,
    icc: float | None = None,
    level: float = 0.95,
) -> Power:
    """What it takes, where there is no pilot.

    Parameters
    ----------
    criterion:
        Such as ``roc_auc difference >= 0.01``.
    rate:
        The share of positives, between 0 and 1.
    auc, correlation:
        Of the reference model that metrics are planned on, and of two such models' log odds within
        a class.
    expect:
        The true value hoped for.
    rows:
        The number of rows to ask about.
    cluster_size, icc:
        Rows a cluster, and their correlation within it, where rows come in clusters.

    Raises
    ------
    BadInput
        For shares outside their range.
    """
    asked = parse_requirement(criterion)
    get_metric(asked.metric)
    _between("the rate of positives (--rate)", rate, 0.0, 1.0)
    if auc is not None:
        _between("the AUC (--auc)", auc, 0.5, 1.0)
    if correlation is not None:
        _between("the correlation (--correlation)", correlation, -1.0, 1.0)
    paired = asked.baseline is not None
    try:
        effect, hoped = effect_assumed(asked.metric, asked.low, asked.high, rate, paired, expect)
        if auc is None and correlation is None:
            spread, model = spread_assumed(asked.metric, effect, rate, paired)
    except (ValueError, Undefined) as error:
        raise BadInput(
            f"{asked.metric} cannot be planned for at this rate without a pilot",
            why=str(error),
            next="give a pilot: --pilot predictions.parquet",
        ) from None
    if auc is not None or correlation is not None:
        value, spread, model = _reference(asked, rate, auc or 0.75, correlation)
        if expect is None and not paired:
            effect, hoped = value, f"{asked.metric} {value:.4g}, as such a model has it"
    said = [hoped.replace("as the case expects", "as you expect"), model]
    per, unit = 1.0, "rows"
    if (cluster_size is None) != (icc is None):
        raise BadInput(
            "--cluster-size and --icc belong together",
            why="how many rows share a cluster matters only with how alike they are",
        )
    if cluster_size is not None and icc is not None:
        _between("the correlation within clusters (--icc)", icc, -1e-12, 1.0)
        if not 1 <= cluster_size < math.inf:
            raise BadInput(f"a cluster has at least one row, not {cluster_size:g}")
        inflation = 1 + (cluster_size - 1) * icc
        spread *= math.sqrt(inflation / cluster_size)
        per, unit = cluster_size, "clusters"
        said.append(f"clusters of {cluster_size:g} rows inflate the variance {inflation:.3g}-fold")
    return _power(
        criterion,
        asked,
        unit="clusters" if unit == "clusters" else "rows",
        units=None if rows is None else max(1, round(rows / per)),
        per=per,
        effect=effect,
        spread=spread,
        level=level,
        assumptions=said,
        others=[],
    )


def _power(
    criterion: str,
    asked: Requirement,
    *,
    unit: Unit,
    units: int | None,
    per: float,
    effect: float,
    spread: float,
    level: float,
    assumptions: list[str],
    others: list[tuple[str, float]],
) -> Power:
    def chance_if(value: float, number: float) -> float:
        return chance_of(value, spread / math.sqrt(number), asked.low, asked.high, level=level)

    def needed_if(value: float) -> int | None:
        return units_for(lambda number: chance_if(value, number))

    needed = needed_if(effect)
    middle = needed or units or 1_000
    numbers = _round_numbers(middle / 20, min(middle * 4, MOST_ROWS))
    numbers = sorted({*numbers, *([units] if units else []), *([needed] if needed else [])})
    cases = []
    for said, value in others:
        many = needed_if(value)
        verdict: Literal["accepted", "rejected"] = (
            "accepted" if asked.low <= value <= asked.high else "rejected"
        )
        rows = None if many is None else _rows(many, per)
        cases.append(IfTrue(said, value, verdict, many, rows))
    return Power(
        criterion=criterion,
        unit=unit,
        units=units,
        rows=None if units is None else _rows(units, per),
        chance=None if units is None else chance_if(effect, units),
        needed=needed,
        needed_rows=None if needed is None else _rows(needed, per),
        effect=effect,
        spread=spread,
        rows_per_unit=per,
        level=level,
        assumptions=assumptions,
        cases=cases,
        curve=[PowerPoint(n, _rows(n, per), chance_if(effect, n)) for n in numbers],
    )


def _reference(
    asked: Requirement, rate: float, auc: float, correlation: float | None
) -> tuple[float, float, str]:
    """(value, spread, in words) of a metric on the reference model's rows."""
    related = CORRELATION if correlation is None else correlation
    truth, score, other = reference_rows(rate, min(max(auc, 0.505), 0.999), related)
    first, second = measure(asked.metric, truth, score), measure(asked.metric, truth, other)
    for found in (first, second):
        if isinstance(found, Absence):
            raise BadInput(f"{asked.metric} cannot be planned for", why=found.reason)
    assert not isinstance(first, Absence)
    assert not isinstance(second, Absence)
    influence = first.influence
    said = f"a calibrated model with ROC AUC {auc:.3g}; {rate:.3g} of rows positive"
    if asked.baseline is not None:
        influence = first.influence - second.influence
        said = (
            f"two calibrated models with ROC AUC {auc:.3g} whose log odds correlate "
            f"{related:g} within each class; {rate:.3g} of rows positive"
        )
    return first.value, float(np.sqrt(np.mean(influence**2))), said


def _round_numbers(low: float, high: float) -> list[int]:
    """1, 1.5, 2, 3, 5, 7 times powers of ten between two numbers, at most about a dozen."""
    found = []
    for power in range(max(0, math.floor(math.log10(max(low, 1)))), 13):
        for step in STEPS:
            number = round(step * 10**power)
            if max(low, 2) <= number <= high:
                found.append(number)
    return sorted(set(found))


def _rows(units: int, per: float) -> int:
    return round(units * per)


def _pair(found: Result, asked: Requirement) -> str:
    return f"'{found.plan.candidate}' and '{asked.baseline or found.plan.reference}'"


def _shown(value: float, signed: bool) -> str:
    return f"{value:+.4f}" if signed else f"{value:.4f}"


def _between(what: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise BadInput(f"{what} must lie between {max(low, 0.0) if low > -1 else low:g} and "
                       f"{high:g}, not at {value:g}")  # fmt: skip
