"""Which criteria this many test rows can decide, reckoned without any truth of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.seal import PlannedCriterion, PlannedTest
from trackrecord.cases.spec import Case, Criterion
from trackrecord.errors import TrackrecordError

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable
    from trackrecord.stats.power import Decidability


Reckoned = list[tuple[Criterion, "Decidability"]]


def reckon(case: Case, table: CaseTable, parts: pl.Series) -> Reckoned:
    """Each criterion that can be read, with the chance that the test decides it.

    Empty where the training part has one class.
    """
    test = planned_test(case, table, parts)
    return [] if test is None else reckon_for(case, test)


def planned_test(case: Case, table: CaseTable, parts: pl.Series) -> PlannedTest | None:
    """What is known of the test before training; None where the training part has one class.

    The rate of positives and how alike the rows of a cluster are come from the training part; of
    the test only rows and its clusters are counted. A row without a cluster is one of its own.
    """
    from trackrecord.stats.power import DECIDED

    truth = table.truth.filter(parts == "train")
    prevalence = float(truth.mean() or 0.0)  # type: ignore[arg-type]
    if not 0 < prevalence < 1:
        return None
    name = case.evaluation.cluster
    clusters = None
    if name is not None and name in table.frame.columns:
        codes = table.frame.filter(parts == "test")[name]
        clusters = codes.drop_nulls().n_unique() + codes.null_count()
    return PlannedTest(
        rows=int((parts == "test").sum()),
        clusters=clusters,
        prevalence=prevalence,
        design_effect=design_effect_of(case, table, parts),
        wanted=DECIDED,
    )


def reckon_for(case: Case, test: PlannedTest) -> Reckoned:
    """The chances from what is known of the test alone: a stranger can reckon them again."""
    from trackrecord.stats.metrics import get_metric
    from trackrecord.stats.power import decidability

    reckoned = []
    for criterion in case.criterion:
        try:
            asked = parse_requirement(criterion.require)
            get_metric(asked.metric)
        except TrackrecordError:
            continue  # another finding says so
        found = decidability(
            low=asked.low,
            high=asked.high,
            metric=asked.metric,
            is_difference=asked.baseline is not None,
            rows=test.rows,
            prevalence=test.prevalence,
            design_effect=test.design_effect,
            expect=criterion.expect,
        )
        reckoned.append((criterion, found))
    return reckoned


def design_effect_of(case: Case, table: CaseTable, parts: pl.Series) -> float:
    """How much clusters inflate a variance (Kish, 1965): 1 where rows are independent."""
    import polars as pl

    from trackrecord.stats.power import design_effect, icc

    name = case.evaluation.cluster
    if name is None or name not in table.frame.columns:
        return 1.0
    train = table.frame.filter(parts == "train")
    codes = train[name].cast(pl.String).fill_null("").rank("dense").to_numpy()
    sizes = table.frame.filter(parts == "test").group_by(name).len()["len"].to_numpy()
    return float(design_effect(sizes, icc(train["truth"].to_numpy(), codes)))


def planned_criteria(reckoned: Reckoned) -> list[PlannedCriterion]:
    """What was reckoned, as a seal says it."""
    return [
        PlannedCriterion(
            criterion=criterion.name,
            chance=found.chance,
            rows_needed=found.rows_needed,
            half_width=found.half_width,
            assumption=found.assumption,
        )
        for criterion, found in reckoned
    ]
