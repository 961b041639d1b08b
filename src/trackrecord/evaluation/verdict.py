"""Accepted, rejected or undecided: from an interval's bounds, never from a point."""

from __future__ import annotations

import math

from trackrecord.cases.criteria import Requirement, parse_requirement
from trackrecord.errors import BadInput
from trackrecord.evaluation.plan import Plan, PlannedRequirement
from trackrecord.evaluation.result import Difference, ModelResult, Verdict, VerdictWord
from trackrecord.stats.estimate import Absence, Estimate


def verdict_of(requirement: Requirement, lo: float, hi: float) -> VerdictWord:
    """Where the interval [lo, hi], both ends included, lies against the allowed range.

    Accepted when all of it is inside, rejected when all of it is outside, else undecided. An open
    end of the range is itself outside.
    """
    if not lo <= hi:
        raise BadInput(f"[{lo}, {hi}] is not an interval")
    low, high = requirement.low, requirement.high
    above = lo > low or (lo == low and not requirement.low_open)
    below = hi < high or (hi == high and not requirement.high_open)
    if above and below:
        return "accepted"
    if hi < low or (hi == low and requirement.low_open):
        return "rejected"
    if lo > high or (lo == high and requirement.high_open):
        return "rejected"
    return "undecided"


def baseline_of(requirement: Requirement, plan: Plan) -> str | None:
    """The baseline that a difference is to; None for a metric's own value.

    Raises BadInput for "the only baseline" where there are several or none.
    """
    if requirement.baseline != "":
        return requirement.baseline
    if len(plan.baselines) == 1:
        return plan.baselines[0]
    raise BadInput(
        f"the criterion on {requirement.metric} does not say which baseline the difference is to",
        why=f"baselines: {', '.join(plan.baselines) or 'none'}",
        next=f'write "{requirement.metric} difference to NAME …"',
    )


def decide(
    planned: PlannedRequirement,
    plan: Plan,
    models: list[ModelResult],
    differences: list[Difference],
) -> Verdict:
    """The verdict on one criterion. What could not be estimated is undecided, with the reason."""
    requirement = parse_requirement(planned.require)
    baseline = baseline_of(requirement, plan)
    found = _found(requirement.metric, baseline, plan.candidate, models, differences)
    if isinstance(found, Estimate):
        word = verdict_of(requirement, found.lo, found.hi)
        value, lo, hi = found.value, found.lo, found.hi
        reason = _reason(requirement, word, lo, hi)
    else:
        word, value, lo, hi = "undecided", None, None, None
        reason = f"there is no estimate: {found}"
    return Verdict(
        criterion=planned.name,
        require=planned.require,
        verdict=word,
        metric=requirement.metric,
        baseline=baseline,
        value=value,
        lo=lo,
        hi=hi,
        reason=reason,
    )


def _found(
    metric: str,
    baseline: str | None,
    candidate: str,
    models: list[ModelResult],
    differences: list[Difference],
) -> Estimate | str:
    """The estimate that the criterion judges, or why there is none."""
    place: ModelResult | Difference | None
    if baseline is None:
        place = next((m for m in models if m.name == candidate), None)
    else:
        place = next(
            (d for d in differences if d.model == candidate and d.baseline == baseline), None
        )
        if place is None:
            return f"'{baseline}' is not among the baselines"
    if place is None:
        return f"'{candidate}' is not among the models"
    for estimate in place.estimates:
        if estimate.metric == metric:
            return estimate
    absent: Absence
    for absent in place.absent:
        if absent.metric == metric:
            return absent.reason
    return f"{metric} was not measured"


def _reason(requirement: Requirement, word: VerdictWord, lo: float, hi: float) -> str:
    low, high = requirement.low, requirement.high
    if word == "accepted":
        return "the whole interval lies inside the allowed range"
    if word == "rejected":
        return f"the whole interval lies {'below' if hi <= low else 'above'} the allowed range"
    ends = [end for end in (low, high) if math.isfinite(end) and lo <= end <= hi]
    said = " and ".join(f"{end:g}" for end in ends)
    return f"the interval has {said} in it: part of it is inside the allowed range, part outside"
