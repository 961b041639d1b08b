"""TR105: test rows whose features are exactly those of a training row."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.finding import Finding, percent
from trackrecord.data.leakage.detector import Context, detector

SHARE = 0.01


@detector("duplicates")
def duplicates(context: Context) -> Iterator[Finding]:
    if not context.features:
        return
    train = context.train.select(context.features).unique()
    test = context.test.select(context.features)
    copies = test.join(train, on=context.features, how="semi", nulls_equal=True).height
    if copies < max(1, SHARE * test.height):
        return
    yield context.finding(
        "TR105",
        "doubt",
        "split",
        f"{copies:,} of {test.height:,} test rows ({percent(copies / test.height)}) have exactly "
        "the features of a training row",
        "see whether the same thing is in the data twice; if so drop the copies, or split by "
        "group so that copies share a part",
    )
