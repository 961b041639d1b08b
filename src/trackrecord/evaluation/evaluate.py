"""The heart of an evaluation: an Outcomes table and a plan in, estimates and verdicts out.

Pure and deterministic: the same rows in any order give the same result, to the last bit, since
they are put in the order of their ids before anything is summed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.evaluation.calibration import calibration_of
from trackrecord.evaluation.measuring import Columns, columns_of, measure_all, measure_slice
from trackrecord.evaluation.outcomes import (
    canonical_outcomes,
    check_outcomes,
    interpret,
    open_outcomes,
)
from trackrecord.evaluation.plan import Plan, plan_for_outcomes
from trackrecord.evaluation.result import Calibration, Evaluation
from trackrecord.evaluation.slices import slices_of
from trackrecord.evaluation.verdict import baseline_of, decide
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    import polars as pl


def evaluate_outcomes(outcomes: pl.DataFrame, plan: Plan) -> Evaluation:
    """Measure each model once; put intervals around values, differences and slices; decide.

    Parameters
    ----------
    outcomes:
        An Outcomes table with a ``score.NAME`` column for each of the plan's models and baselines,
        a ``cluster`` column where the plan is clustered (a row without a cluster is one of its
        own), and the ``slice.NAME`` columns that the plan's slices are made of.
    plan:
        What to measure.

    Raises
    ------
    BadInput
        For a plan that contradicts itself.
    DataError
        For a table that is not an Outcomes table, or whose truth has one class.
    """
    check_plan(plan)
    check_outcomes(outcomes, [*plan.baselines, *plan.models], clustered=plan.clustered)
    table = canonical_outcomes(outcomes)
    columns = columns_of(table, plan)
    positives = int(columns.truth.sum())
    if positives in (0, table.height):
        raise DataError(
            f"the truth has one class: all {table.height:,} rows are {min(positives, 1)}",
            why="no model can be told from another where everything turned out the same",
            next="evaluate rows of which some came true and some did not",
        )
    # A BLAS sum depends on how many threads share it; with one thread the last bit stays put.
    with threadpool_limits(1, user_api="blas"):
        models, differences = measure_all(columns, plan)
        slices = [
            measure_slice(columns, part, plan)
            for text in plan.slices
            for part in slices_of(table, text, most=plan.slice_values)
        ]
    return Evaluation(
        rows=table.height,
        positives=positives,
        clusters=columns.clusters,
        models=models,
        differences=differences,
        slices=slices,
        calibration=_calibration(columns, plan),
        verdicts=[decide(planned, plan, models, differences) for planned in plan.criteria],
    )


def evaluate(
    outcomes: pl.DataFrame | Mapping[str, Any] | str | Path,
    *,
    candidate: str | None = None,
    level: float = 0.95,
) -> Evaluation:
    """Evaluate predictions that no case stands behind: a file, or a table in memory.

    Parameters
    ----------
    outcomes:
        Columns ``id`` (optional), ``truth`` (0 and 1) and ``score``, or a ``score.NAME`` for each
        model; ``cluster`` and ``slice.NAME`` where there are any. A path to Parquet, CSV or Arrow,
        a Polars or pandas frame, or a mapping of columns.
    candidate:
        The model that the others are baselines of; by default the last ``score.NAME``.
    level:
        Of the intervals.

    Examples
    --------
    >>> import polars as pl, trackrecord
    >>> frame = pl.DataFrame({"truth": [0, 1] * 50, "score": [0.2, 0.7, 0.6, 0.4] * 25})
    >>> trackrecord.evaluate(frame).rows
    100
    """
    import polars as pl

    from trackrecord.data.kinds import Place, canonical

    if isinstance(outcomes, str | Path):
        table = open_outcomes(Path(outcomes)).frame
    else:
        place = Place("the table")
        try:
            frame = pl.DataFrame(outcomes)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            kind = type(outcomes).__name__
            raise BadInput(f"a {kind} is not a table of outcomes", why=str(error)[:200]) from None
        columns = [canonical(series, "UTC", place) for series in frame.get_columns()]
        table = interpret(pl.DataFrame(columns), place.file).frame
    return evaluate_outcomes(table, plan_for_outcomes(table, candidate=candidate, level=level))


def check_plan(plan: Plan) -> None:
    """Raise BadInput unless the plan's names agree with one another."""
    names = [*plan.baselines, *plan.models]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"the plan names the model '{name}' twice")
    if plan.candidate not in plan.models:
        near = suggest(plan.candidate, plan.models)
        raise BadInput(
            f"the candidate '{plan.candidate}' is not among the plan's models",
            why=f"did you mean '{near}'?"
            if near
            else f"models: {', '.join(plan.models) or 'none'}",
        )
    if plan.reference is not None and plan.reference not in plan.baselines:
        raise BadInput(
            f"the reference '{plan.reference}' is not among the plan's baselines",
            why=f"baselines: {', '.join(plan.baselines) or 'none'}",
        )
    if not plan.metrics:
        raise BadInput("the plan has no metric")
    for metric in plan.metrics:
        get_metric(metric)
        if plan.metrics.count(metric) > 1:
            raise BadInput(f"the plan names the metric '{metric}' twice")
    if not (math.isfinite(plan.level) and 0.5 < plan.level < 1):
        raise BadInput(f"intervals at level {plan.level} cannot be made", why="0.5 < level < 1")
    if plan.slice_rows < 2 or plan.slice_values < 1 or plan.bins < 1:
        raise BadInput("slice_rows must be at least 2, slice_values and bins at least 1")
    for planned in plan.criteria:
        requirement = parse_requirement(planned.require)
        if requirement.metric not in plan.metrics:
            raise BadInput(
                f"the criterion '{planned.name}' judges {requirement.metric}, "
                "which the plan does not measure",
                why=f"metrics: {', '.join(plan.metrics)}",
            )
        baseline_of(requirement, plan)


def _calibration(columns: Columns, plan: Plan) -> list[Calibration]:
    curves = [
        calibration_of(
            name,
            columns.truth,
            columns.scores[name],
            cluster=columns.cluster,
            level=plan.level,
            bins=plan.bins,
        )
        for name in [plan.candidate, *plan.baselines]
    ]
    return [curve for curve in curves if curve is not None]
