"""Verdicts come from an interval's bounds."""

from __future__ import annotations

import pytest

from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput
from trackrecord.evaluation.plan import Plan, PlannedRequirement
from trackrecord.evaluation.result import Difference, ModelResult
from trackrecord.evaluation.verdict import decide, verdict_of
from trackrecord.stats.estimate import Absence, Estimate


@pytest.mark.parametrize(
    ("require", "lo", "hi", "expected"),
    [
        ("auc > 0", 0.1, 0.2, "accepted"),
        ("auc > 0", -0.1, 0.2, "undecided"),
        ("auc > 0", -0.2, -0.1, "rejected"),
        ("auc > 0", 0.0, 0.2, "undecided"),
        ("auc >= 0", 0.0, 0.2, "accepted"),
        ("auc > 0", -0.2, 0.0, "rejected"),
        ("auc >= 0", -0.2, 0.0, "undecided"),
        ("auc < 0", -0.2, 0.0, "undecided"),
        ("auc <= 0", -0.2, 0.0, "accepted"),
        ("auc < 0", 0.0, 0.2, "rejected"),
        ("auc <= 0", 0.0, 0.2, "undecided"),
        ("auc > 0", 0.0, 0.0, "rejected"),
        ("auc >= 0", 0.0, 0.0, "accepted"),
        ("slope in [0.8, 1.25]", 0.8, 1.25, "accepted"),
        ("slope in [0.8, 1.25]", 0.79, 1.2, "undecided"),
        ("slope in [0.8, 1.25]", 0.7, 1.3, "undecided"),
        ("slope in [0.8, 1.25]", 1.26, 1.3, "rejected"),
        ("slope in [0.8, 1.25]", 0.1, 0.79, "rejected"),
        ("slope in [0.8, 1.25]", 0.7, 0.8, "undecided"),
    ],
)
def test_a_verdict_follows_from_the_bounds(
    require: str, lo: float, hi: float, expected: str
) -> None:
    assert verdict_of(parse_requirement(require), lo, hi) == expected


@pytest.mark.parametrize(("lo", "hi"), [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("nan"))])
def test_what_is_no_interval_gets_no_verdict(lo: float, hi: float) -> None:
    with pytest.raises(BadInput, match="not an interval"):
        verdict_of(parse_requirement("auc > 0"), lo, hi)


def planned(require: str, baselines: list[str]) -> tuple[PlannedRequirement, Plan]:
    item = PlannedRequirement(name="it holds", require=require)
    plan = Plan(
        metrics=["auc", "slope"],
        models=["mine"],
        baselines=baselines,
        candidate="mine",
        reference=None,
        slices=[],
        criteria=[item],
        level=0.95,
        clustered=False,
    )
    return item, plan


def estimate(lo: float, hi: float) -> Estimate:
    middle = (lo + hi) / 2
    return Estimate(
        metric="auc", value=middle, lo=lo, hi=hi, level=0.95, se=0.1, n=9, clusters=None, method="m"
    )


MODEL = ModelResult(
    name="mine",
    role="model",
    estimates=[estimate(0.6, 0.8)],
    absent=[Absence(metric="slope", reason="one score separates the classes", n=9)],
)
GAP = Difference(model="mine", baseline="table", estimates=[estimate(0.01, 0.1)], absent=[])


def test_a_criterion_judges_the_candidates_estimate() -> None:
    verdict = decide(*planned("auc >= 0.5", []), [MODEL], [])
    assert (verdict.verdict, verdict.lo, verdict.hi) == ("accepted", 0.6, 0.8)
    assert verdict.reason == "the whole interval lies inside the allowed range"
    verdict = decide(*planned("auc >= 0.9", []), [MODEL], [])
    assert verdict.reason == "the whole interval lies below the allowed range"
    verdict = decide(*planned("auc >= 0.7", []), [MODEL], [])
    assert verdict.verdict == "undecided"
    assert "the interval has 0.7 in it" in verdict.reason


def test_a_difference_is_to_the_named_baseline_or_the_only_one() -> None:
    for require in ("auc difference to table > 0", "auc difference > 0"):
        verdict = decide(*planned(require, ["table"]), [MODEL], [GAP])
        assert (verdict.verdict, verdict.baseline, verdict.lo) == ("accepted", "table", 0.01)
    with pytest.raises(BadInput, match="does not say which baseline"):
        decide(*planned("auc difference > 0", ["table", "rate"]), [MODEL], [GAP])


@pytest.mark.parametrize(
    ("require", "reason"),
    [
        ("slope in [0.8, 1.2]", "one score separates the classes"),
        ("brier < 0.2", "brier was not measured"),
        ("auc difference to other > 0", "'other' is not among the baselines"),
    ],
)
def test_what_could_not_be_estimated_is_undecided_with_the_reason(
    require: str, reason: str
) -> None:
    verdict = decide(*planned(require, ["table"]), [MODEL], [GAP])
    assert (verdict.verdict, verdict.value, verdict.lo) == ("undecided", None, None)
    assert verdict.reason == f"there is no estimate: {reason}"
