"""Which criteria this many test rows can decide, reckoned without any truth of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.spec import Case, Criterion
from trackrecord.errors import TrackrecordError

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable
    from trackrecord.stats.power import Decidability


def reckon(case: Case, table: CaseTable, parts: pl.Series) -> list[tuple[Criterion, Decidability]]:
    """Each criterion that can be read, with the chance that the test decides it.

    The rate of positives and how alike the rows of a cluster are come from the training part; of
    the test only rows and the sizes of its clusters are counted. Empty where the training part has
    one class.
    """
    from trackrecord.stats.metrics import get_metric
    from trackrecord.stats.power import decidability

    truth = table.truth.filter(parts == "train")
    prevalence = float(truth.mean() or 0.0)  # type: ignore[arg-type]
    if not 0 < prevalence < 1:
        return []
    effect = design_effect_of(case, table, parts)
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
            rows=int((parts == "test").sum()),
            prevalence=prevalence,
            design_effect=effect,
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
