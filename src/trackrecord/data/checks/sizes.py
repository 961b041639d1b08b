"""TR016: a test part so small that a criterion can have no interval, and so no verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.spec import Case
from trackrecord.data.decidable import planned_test
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.table import CaseTable
from trackrecord.errors import TrackrecordError

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.cases.seal import PlannedTest
    from trackrecord.stats.metrics import Metric


def check_sizes(
    case: Case, table: CaseTable, parts: pl.Series, file: str, line_of: LineOf
) -> Iterator[Finding]:
    """Criteria that the test's rows, or its clusters, are too few for: whatever the truth is.

    How many rows are of the rarer class is reckoned with the training part's rate.
    """
    from trackrecord.stats.metrics import get_metric

    test = planned_test(case, table, parts)
    if test is None:
        return
    for index, criterion in enumerate(case.criterion):
        try:
            metric = get_metric(parse_requirement(criterion.require).metric)
        except TrackrecordError:
            continue  # another finding says so
        if (why := _too_small(metric, test)) is not None:
            yield Finding(
                "TR016",
                "error",
                f"the test part cannot decide the criterion {criterion.name!r}: {why}",
                file,
                line_of(f"criterion.{index}.require"),
                "enlarge the test part under [split], or ask for another metric",
            )


def _too_small(metric: Metric, test: PlannedTest) -> str | None:
    """Why no interval of the metric can be expected; None where one can."""
    from trackrecord.stats.intervals import LEAST_UNITS

    if test.clusters is not None:
        least = max(2.0, metric.clusters_needed)
        if math.isinf(least):
            return f"{metric.name} has no interval where rows are in clusters"
        if test.clusters < least:
            return f"{metric.name} takes {least:g} clusters, and it has {test.clusters:,}"
    rarer = test.rows * min(test.prevalence, 1 - test.prevalence)
    needed = max(metric.rows_needed, 0.0 if metric.share else LEAST_UNITS)
    if rarer < needed:
        return (
            f"{metric.name} takes {needed:g} rows of the rarer class, and of {test.rows:,} rows "
            f"about {rarer:.2g} are expected"
        )
    return None
