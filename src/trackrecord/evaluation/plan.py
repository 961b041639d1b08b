"""What an evaluation measures: a plan travels in the evidence, so that a stranger can repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.spec import Thresholds
from trackrecord.stats.metrics import Task

if TYPE_CHECKING:
    import polars as pl

SLICE_VALUES = 20


class PlannedRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """One acceptance criterion: its name, and the text that an interval decides."""

    name: str
    require: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that turns an Outcomes table into a result, and nothing else.

    ``models`` and ``baselines`` are names of ``score.NAME`` columns. ``reference`` is the baseline
    that slices are compared with; None where there is none. ``slices`` are texts such as
    ``carrier`` or ``distance > 1000`` over ``slice.NAME`` columns. ``clustered`` says that the
    ``cluster`` column makes rows dependent, ``timed`` that rows depend on those of the same and of
    near ``time``, ``weighted`` that the ``weight`` column says how much each row counts.
    ``exact`` asks for Clopper and Pearson's intervals of shares where rows are independent.
    ``simultaneous`` asks for bands that hold for all slices at once, ``gaps`` for how far apart
    slices are and which are truly worse than all rows, ``decision`` for a decision curve of the
    candidate and the reference between two thresholds.

    A slice with fewer than ``slice_rows`` rows has no estimates; a column gives at most
    ``slice_values`` slices, and its rarer values share one; calibration curves have up to ``bins``
    bins. ``task`` is what the truth is.
    """

    metrics: list[str]
    models: list[str]
    baselines: list[str]
    candidate: str
    reference: str | None
    slices: list[str]
    criteria: list[PlannedRequirement]
    level: float
    clustered: bool
    slice_rows: int = 30
    slice_values: int = SLICE_VALUES
    bins: int = 10
    weighted: bool = False
    timed: bool = False
    gaps: bool = False
    exact: bool = False
    task: Task = "binary"
    simultaneous: bool = False
    decision: Thresholds | None = None


def plan_for_outcomes(
    outcomes: pl.DataFrame,
    *,
    candidate: str | None = None,
    level: float = 0.95,
    baselines: list[str] | None = None,
    metrics: list[str] | None = None,
    slices: list[str] | None = None,
    criteria: list[str] | None = None,
    task: Task = "binary",
    timed: bool = False,
    exact: bool = False,
) -> Plan:
    """The plan for an Outcomes table that no case stands behind.

    The candidate is the last ``score.NAME`` column that is no baseline, unless one is named; where
    no baselines are, the others are what it is compared with. The reference is the last baseline.
    Metrics are the usual ones where none are named (``all``: every one that there is), and those
    that the criteria judge. A slice column makes a slice of each value; numbers of more than
    SLICE_VALUES different values are cut at their median.

    Raises BadInput when the candidate has no column, or there is no such metric.
    """
    from trackrecord.cases.criteria import parse_requirement
    from trackrecord.errors import BadInput, suggest

    names = [c.removeprefix("score.") for c in outcomes.columns if c.startswith("score.")]
    if not names:
        raise BadInput(
            "there is no score to evaluate",
            why=f"columns: {', '.join(outcomes.columns[:40])}",
            next="name the column of predicted probabilities 'score', or 'score.NAME'",
        )
    models = [name for name in names if name not in (baselines or [])]
    chosen = candidate if candidate is not None else (models or names)[-1]
    if chosen not in names:  # the column's name is the model's name, too
        chosen = chosen.removeprefix("score.")
    if chosen not in names:
        near = suggest(chosen, names)
        raise BadInput(
            f"there are no scores of a model called '{chosen}'",
            why=f"did you mean '{near}'?" if near else f"models: {', '.join(names)}",
        )
    if baselines:
        against = [name for name in baselines if name != chosen]
        models = [name for name in names if name not in against]
    else:
        against, models = [name for name in names if name != chosen], [chosen]
    asked = [parse_requirement(text) for text in criteria or []]
    measured = _metrics(metrics, task) + [requirement.metric for requirement in asked]
    if not slices:
        sliced = [c for c in outcomes.columns if c.startswith("slice.")]
        slices = [_slice_text(outcomes[c]) for c in sliced]
    return Plan(
        metrics=list(dict.fromkeys(measured)),
        models=models,
        baselines=against,
        candidate=chosen,
        reference=against[-1] if against else None,
        slices=slices,
        criteria=[PlannedRequirement(name=text, require=text) for text in criteria or []],
        level=level,
        clustered="cluster" in outcomes.columns,
        weighted="weight" in outcomes.columns,
        task=task,
        timed=timed,
        gaps=bool(slices),
        exact=exact,
        simultaneous=bool(slices),
    )


def _metrics(asked: list[str] | None, task: Task) -> list[str]:
    """The metrics to measure: the usual ones, all, or those asked for."""
    from trackrecord.evaluation.tasks import task_columns
    from trackrecord.stats.metrics import metric_names

    usual = task_columns(task).usual
    if not asked:
        return list(usual)
    if "all" not in asked:
        return list(asked)
    # what people read first comes first; metrics that other packages add follow by name
    names = [name for name in metric_names(task) if name not in usual]
    return [*usual, *names]


def _slice_text(series: pl.Series) -> str:
    name = series.name.removeprefix("slice.")
    if not series.dtype.is_numeric() or series.drop_nulls().n_unique() <= SLICE_VALUES:
        return name
    median = float(series.quantile(0.5, "lower") or 0.0)
    return f"{name} > {int(median) if median.is_integer() else median}"
