"""What a seal says of the data: digests, split, and which criteria this test can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.seal import (
    Fingerprint,
    SealedData,
    SealedPart,
    SealedSplit,
)
from trackrecord.cases.spec import Case
from trackrecord.data.decidable import planned_criteria, planned_test, reckon_for
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
    test = planned_test(case, table, parts)
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
        plan=planned_criteria(reckon_for(case, test)) if test is not None else [],
        planned_for=test,
    )
