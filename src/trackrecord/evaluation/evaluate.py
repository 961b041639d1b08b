"""The heart of an evaluation: an Outcomes table and a plan in, estimates and verdicts out.

Pure and deterministic: the same rows in any order give the same result, to the last bit, since
they are put in the order of their ids before anything is summed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.evaluation.calibration import calibration_of
from trackrecord.evaluation.confusion import confusions
from trackrecord.evaluation.curves import check_thresholds, decision_curves
from trackrecord.evaluation.measuring import (
    Columns,
    columns_of,
    measure_all,
    measure_slices,
    positives_of,
)
from trackrecord.evaluation.outcomes import check_outcomes, ordered_outcomes
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.result import Calibration, Evaluation
from trackrecord.evaluation.slices import slices_of
from trackrecord.evaluation.verdict import baseline_of, decide
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.remembering import remembering

if TYPE_CHECKING:
    import polars as pl


def evaluate_outcomes(outcomes: pl.DataFrame, plan: Plan) -> Evaluation:
    """Measure each model once; put intervals around values, differences and slices; decide.

    Parameters
    ----------
    outcomes:
        An Outcomes table of the kinds that the plan's task has (``evaluation.tasks``), with a
        ``score.NAME`` column for each of the plan's models and baselines, a ``cluster`` column
        where the plan is clustered (a row without a cluster is one of its own), and the
        ``slice.NAME`` columns that the plan's slices are made of.
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
    order = check_outcomes(
        outcomes,
        [*plan.baselines, *plan.models],
        clustered=plan.clustered,
        weighted=plan.weighted,
        timed=plan.timed,
        task=plan.task,
    )
    table = ordered_outcomes(outcomes, order)
    columns = columns_of(table, plan)
    _check_weighed(columns, plan)
    # A BLAS sum depends on how many threads share it; with one thread the last bit stays put.
    with threadpool_limits(1, user_api="blas"), remembering(columns.memory):
        models, differences = measure_all(columns, plan)
        parts = [
            part for text in plan.slices for part in slices_of(table, text, most=plan.slice_values)
        ]
        slices, gaps = measure_slices(columns, parts, plan)
        decision = decision_curves(columns, plan)
        confusion = confusions(table, columns, plan)
    with remembering(columns.memory):
        calibration = _calibration(columns, plan)
    return Evaluation(
        rows=table.height,
        positives=positives_of(columns, plan),
        clusters=columns.clusters,
        models=models,
        differences=differences,
        slices=slices,
        calibration=calibration,
        verdicts=[decide(planned, plan, models, differences) for planned in plan.criteria],
        gaps=gaps,
        decision=decision,
        confusion=confusion,
    )


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
        get_metric(metric, plan.task)
        if plan.metrics.count(metric) > 1:
            raise BadInput(f"the plan names the metric '{metric}' twice")
    if not (math.isfinite(plan.level) and 0.5 < plan.level < 1):
        raise BadInput(f"intervals at level {plan.level} cannot be made", why="0.5 < level < 1")
    check_thresholds(plan)
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


def _check_weighed(columns: Columns, plan: Plan) -> None:
    """Raise DataError where only rows of one class have a weight."""
    if columns.weight is None or plan.task != "binary":
        return
    weighed = columns.truth[columns.weight > 0]
    if weighed.size == 0 or weighed.min() == weighed.max():
        raise DataError(
            f"the truth has one class among the {weighed.size:,} rows with a weight above 0",
            why="no model can be told from another where everything turned out the same",
            next="give rows of both classes a weight",
        )


def _calibration(columns: Columns, plan: Plan) -> list[Calibration]:
    if plan.task != "binary":
        return []
    curves = [
        calibration_of(
            name,
            columns.truth,
            columns.scores[name],
            cluster=columns.cluster,
            level=plan.level,
            bins=plan.bins,
            weight=columns.weight,
        )
        for name in [plan.candidate, *plan.baselines]
    ]
    return [curve for curve in curves if curve is not None]
