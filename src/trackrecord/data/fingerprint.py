"""What a seal says of the data: digests, split, and which criteria this test can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.seal import (
    Fingerprint,
    PlannedCriterion,
    SealedData,
    SealedPart,
    SealedSplit,
)
from trackrecord.cases.spec import Case
from trackrecord.data.split import split_digest

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable


def take_fingerprint(case: Case, table: CaseTable, parts: pl.Series) -> Fingerprint:
    """The fingerprint of a loaded case. The test's truth goes into a digest and nowhere else."""
    split = split_digest(table, parts, case)
    licenses = {case.data.path: (case.data.license, case.data.origin)}
    data = [
        SealedData(
            path=source.path,
            sha256=source.sha256,
            table=source.table.digest,
            rows=source.rows,
            license=licenses.get(source.path, ("", ""))[0],
            origin=licenses.get(source.path, ("", ""))[1],
        )
        for source in table.sources
    ]
    return Fingerprint(
        data=data,
        split=SealedSplit(
            kind=split.kind,
            parts={
                name: SealedPart(
                    rows=part.rows,
                    positives=None if name == "test" else part.positives,
                    first=part.first,
                    last=part.last,
                    ids=part.ids,
                    truth=part.truth,
                )
                for name, part in split.parts.items()
            },
            digest=split.digest,
        ),
        excluded=dict(table.excluded),
        plan=plan_criteria(case, table, parts),
    )


def plan_criteria(case: Case, table: CaseTable, parts: pl.Series) -> list[PlannedCriterion]:
    """For each criterion the chance that the test decides it, from the training part's rate."""
    import polars as pl
    from trackrecord.stats.power import decidability, design_effect, icc

    frame = table.frame.with_columns(parts.alias("__part"))
    train = frame.filter(pl.col("__part") == "train")
    rows = int((parts == "test").sum())
    prevalence = float(train["truth"].mean() or 0.0)  # type: ignore[arg-type]
    effect = 1.0
    if case.evaluation.cluster is not None:
        codes = train[case.evaluation.cluster].cast(pl.String).rank("dense").fill_null(0).to_numpy()
        sizes = (
            frame.filter(pl.col("__part") == "test")
            .group_by(case.evaluation.cluster)
            .len()["len"]
            .to_numpy()
        )
        effect = design_effect(sizes, icc(train["truth"].to_numpy(), codes))
    planned = []
    for criterion in case.criterion:
        requirement = parse_requirement(criterion.require)
        found = decidability(
            low=requirement.low,
            high=requirement.high,
            low_open=requirement.low_open,
            high_open=requirement.high_open,
            metric=requirement.metric,
            is_difference=requirement.baseline is not None,
            rows=rows,
            prevalence=prevalence,
            design_effect=effect,
            expect=criterion.expect,
        )
        planned.append(
            PlannedCriterion(
                criterion=criterion.name,
                chance=found.chance,
                rows_needed=found.rows_needed,
                half_width=found.half_width,
                assumption=found.assumption,
            )
        )
    return planned
