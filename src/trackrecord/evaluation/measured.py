"""What was measured of a table of predictions that no case stands behind, as an object."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.forecast_test import ForecastTest
from trackrecord.evaluation.plan import Plan, plan_for_outcomes
from trackrecord.evaluation.result import (
    Difference,
    Evaluation,
    ModelResult,
    SliceResult,
    Verdict,
)
from trackrecord.evaluation.roles import ReadOutcomes
from trackrecord.evaluation.text import MARKS, estimates_table, rows_said, size_said
from trackrecord.evaluation.timing import over_times, timed_only
from trackrecord.stats.estimate import Absence, Estimate

if TYPE_CHECKING:
    import polars as pl


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: ``result["roc_auc"].lo``, or ``print(result)`` for a table.

    ``evaluation`` has everything, ``plan`` what was asked, ``guesses`` what had to be guessed,
    ``size`` how much data it was, in words; ``forecast_tests`` are there where a horizon was given.
    """

    evaluation: Evaluation
    plan: Plan
    guesses: list[str]
    size: str = ""
    forecast_tests: list[ForecastTest] = []

    @property
    def candidate(self) -> ModelResult:
        """The model that the others are compared with."""
        return next(m for m in self.evaluation.models if m.name == self.plan.candidate)

    @property
    def rows(self) -> int:
        """How many rows were measured."""
        return self.evaluation.rows

    @property
    def models(self) -> list[ModelResult]:
        """Every model and baseline."""
        return self.evaluation.models

    @property
    def differences(self) -> list[Difference]:
        """Each model minus each baseline, paired."""
        return self.evaluation.differences

    @property
    def slices(self) -> list[SliceResult]:
        """The candidate on each slice."""
        return self.evaluation.slices

    @property
    def verdicts(self) -> list[Verdict]:
        """One for each criterion."""
        return self.evaluation.verdicts

    def __getitem__(self, metric: str) -> Estimate:
        """The candidate's estimate. Raises BadInput where there is none, with the reason."""
        return estimate_named(metric, self.candidate.estimates, self.candidate.absent)

    def difference(self, metric: str, *, baseline: str | None = None) -> Estimate:
        """The candidate minus a baseline (the reference, unless named), paired."""
        named = self.plan.reference if baseline is None else baseline
        for found in self.differences:
            if (found.model, found.baseline) == (self.plan.candidate, named):
                return estimate_named(metric, found.estimates, found.absent)
        raise BadInput(
            "there is no baseline to compare with"
            if named is None
            else f"{named!r} is not among the baselines",
            why=f"baselines: {', '.join(self.plan.baselines) or 'none'}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, as ``trackrecord evaluate --json`` prints them."""
        return {
            "guesses": list(self.guesses),
            "plan": msgspec.to_builtins(self.plan),
            "result": msgspec.to_builtins(self.evaluation),
            **({"forecast_tests": tests} if (tests := self._tests()) else {}),
        }

    def _tests(self) -> list[Any]:
        return [msgspec.to_builtins(test) for test in self.forecast_tests]

    def __repr__(self) -> str:
        found = self.evaluation
        size = self.size or rows_said(found)
        lines = [
            f"{self.plan.candidate}: {size}, {100 * self.plan.level:g} % intervals",
            "",
            estimates_table(self.candidate.estimates, self.candidate.absent, task=self.plan.task),
        ]
        for item in self.differences:
            if item.model == self.plan.candidate:
                table = estimates_table(
                    item.estimates, item.absent, signed=True, task=self.plan.task
                )
                lines += ["", f"{item.model} − {item.baseline}, paired", "", table]
        if found.verdicts:
            lines.append("")
        lines += [f"{MARKS[v.verdict]} {v.verdict} {v.require}: {v.reason}" for v in found.verdicts]
        return "\n".join(lines)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same rows: ``comparison["roc_auc"]`` is a's metric minus b's."""

    result: Result

    @property
    def a(self) -> ModelResult:
        """The first model."""
        return self.result.candidate

    @property
    def b(self) -> ModelResult:
        """The second model."""
        plan = self.result.plan
        return next(m for m in self.result.models if m.name == plan.reference)

    def __getitem__(self, metric: str) -> Estimate:
        """The paired difference. Raises BadInput where there is none, with the reason."""
        return self.result.difference(metric)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists."""
        return {"a": self.a.name, "b": self.b.name, **self.result.to_dict()}

    def __repr__(self) -> str:
        return repr(self.result)


def estimate_named(metric: str, estimates: list[Estimate], absent: list[Absence]) -> Estimate:
    """The estimate of a metric; BadInput with the reason where there is none."""
    for estimate in estimates:
        if estimate.metric == metric:
            return estimate
    for absence in absent:
        if absence.metric == metric:
            raise BadInput(f"there is no estimate of {metric}", why=absence.reason)
    names = [e.metric for e in estimates] + [a.metric for a in absent]
    near = suggest(metric, names)
    raise BadInput(
        f"{metric!r} was not measured",
        why=f"did you mean {near!r}?" if near else f"measured: {', '.join(names)}",
        next=f"metrics=[{metric!r}]",
    )


def result_of(
    read: ReadOutcomes,
    *,
    candidate: str | None = None,
    level: float = 0.95,
    metrics: Sequence[str] | None = None,
    criteria: Sequence[str] | None = None,
    horizon: int | None = None,
    exact: bool = False,
) -> Result:
    """Measure what was read, and say what was guessed on the way."""
    if not isinstance(level, numbers.Real):
        raise BadInput(f"intervals at level {level!r} cannot be made", why="0.5 < level < 1")
    frame, timed, said = over_times(read)
    plan = plan_for_outcomes(
        frame,
        candidate=candidate,
        level=level,
        baselines=read.baselines,
        metrics=_listed(metrics),
        slices=read.slices,
        criteria=_listed(criteria),
        task=read.task,
        timed=timed,
        exact=exact,
    )
    _check_clusters(frame, plan, of_times=timed_only(read))
    found = evaluate_outcomes(frame, plan)
    return Result(
        evaluation=found,
        plan=plan,
        guesses=[*read.guesses, *said, *_guesses(plan)],
        size=size_said(frame, found, plan.task),
        forecast_tests=[] if horizon is None else _tested(frame, plan, horizon),
    )


def _listed(words: Sequence[str] | None) -> list[str]:
    """One word is a list of one, and not of its letters."""
    return [words] if isinstance(words, str) else list(words or [])


def _tested(frame: pl.DataFrame, plan: Plan, horizon: int) -> list[ForecastTest]:
    """The candidate's forecasts against each baseline's."""
    from trackrecord.evaluation.forecast_test import forecast_tests

    if plan.task != "regression" or not plan.baselines or "time" not in frame.columns:
        raise BadInput(
            "a horizon is for forecasts in time that are compared with a baseline",
            next="name the columns: --time COL --baseline COL",
        )
    return forecast_tests(
        frame,
        models=[plan.candidate],
        baselines=plan.baselines,
        horizon=horizon,
        weighted=plan.weighted,
        level=plan.level,
    )


def _guesses(plan: Plan) -> list[str]:
    """What the plan takes for granted."""
    if plan.baselines:
        said = [f"'{plan.candidate}' is the candidate, compared with {', '.join(plan.baselines)}"]
    else:
        said = ["nothing to compare with: name a column of scores with --baseline"]
    unit, units = ("query", "queries") if plan.task == "ranking" else ("row", "rows")
    if plan.clustered:
        said.append(f"{units} with the same 'cluster' depend on one another")
    if plan.timed:
        said.append(f"{units} of the same or of near 'time's depend on one another")
    if not (plan.clustered or plan.timed):
        what = f"name what {units} share with --cluster"
        said.append(f"every {unit} is independent: where not, {what}")
    if plan.weighted:
        said.append("a row counts by its 'weight'")
    if plan.exact and (plan.clustered or plan.timed or plan.weighted):
        why = "weighted" if plan.weighted else "dependent on one another"
        said.append(f"nothing is exact where {units} are {why}: intervals are as without --exact")
    return said


def _check_clusters(outcomes: pl.DataFrame, plan: Plan, *, of_times: bool) -> None:
    """Raise DataError where all rows are one cluster: then no interval can be had at all."""
    if not plan.clustered or outcomes["cluster"].n_unique() > 1:
        return
    if outcomes["cluster"].null_count():
        return  # a row without a cluster is one of its own
    only = str(outcomes["cluster"][0])[:60]
    if of_times:
        raise DataError(
            f"all rows are of one time, {only!r}",
            why="one time cannot show how much times differ, so there is no interval",
            next="name a finer column with --time, or none if rows are independent",
        )
    raise DataError(
        f"all rows are in one cluster, {only!r}",
        why="one cluster cannot show how much clusters differ, so there is no interval",
        next="name a finer column with --cluster, or none if rows are independent",
    )
