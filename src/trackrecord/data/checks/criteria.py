"""TR020-TR023: criteria that cannot be read, or that this many rows cannot decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.spec import Case
from trackrecord.data.decidable import reckon
from trackrecord.data.finding import Finding, LineOf, percent
from trackrecord.data.table import CaseTable
from trackrecord.errors import CaseError, TrackrecordError, suggest

if TYPE_CHECKING:
    import polars as pl


def check_criteria_text(case: Case, file: str, line_of: LineOf) -> Iterator[Finding]:
    """Metrics, baselines and criteria that are words only: no data needed."""
    for name in case.evaluation.metrics:
        if (problem := unknown_metric(name)) is not None:
            yield Finding(
                "TR021",
                "error",
                f"evaluation.metrics names {name!r}, which is not a metric",
                file,
                line_of("evaluation.metrics"),
                problem,
            )
    names = [baseline.name for baseline in case.baseline]
    for index, criterion in enumerate(case.criterion):
        line = line_of(f"criterion.{index}.require")
        try:
            asked = parse_requirement(criterion.require)
        except CaseError as error:
            what = f"{error.what}: {error.why}" if error.why else error.what
            yield Finding("TR020", "error", what, file, line, error.next or "")
            continue
        if (problem := unknown_metric(asked.metric)) is not None:
            yield Finding(
                "TR021",
                "error",
                f"the criterion {criterion.name!r} names {asked.metric!r}, which is not a metric",
                file,
                line,
                problem,
            )
        if asked.baseline == "" and len(names) != 1:
            yield Finding(
                "TR022",
                "error",
                f"the criterion {criterion.name!r} does not say which baseline "
                "the difference is to",
                file,
                line,
                f"write 'difference to' one of {', '.join(names)}",
            )
        elif asked.baseline and asked.baseline not in names:
            near = suggest(asked.baseline, names)
            yield Finding(
                "TR022",
                "error",
                f"the criterion {criterion.name!r} names {asked.baseline!r}, "
                "which is not a baseline",
                file,
                line,
                f"did you mean {near!r}?" if near else f"baselines: {', '.join(names)}",
            )


def unknown_metric(name: str) -> str | None:
    """None for a metric that is registered; else how to mend the name."""
    from trackrecord.stats.metrics import get_metric

    try:
        get_metric(name)
    except TrackrecordError as error:
        return error.next or error.why or str(error)
    return None


def plainly(assumption: str, cluster: str | None) -> str:
    """What was assumed, shortly; a seal keeps all of it."""
    hoped, _, models = assumption.partition("; ")
    said = [hoped]
    if auc := re.search(r"with ROC AUC ([0-9.]+)", models):
        paired = "two calibrated models" in models
        said.append(
            f"models of ROC AUC {auc[1]} that agree largely"
            if paired
            else f"a calibrated model of ROC AUC {auc[1]}"
        )
    text = f"Assumed: {', '.join(said)}"
    if alike := re.search(r"clusters inflate the variance ([0-9.e+]+)-fold", models):
        text += (
            f", and rows that share a {cluster!r} are alike, which takes {float(alike[1]):,.3g} "
            "times as many rows"
        )
    return text


def check_decidable(
    case: Case, table: CaseTable, parts: pl.Series, file: str, line_of: LineOf
) -> Iterator[Finding]:
    """Criteria that the test has too few rows for, reckoned without any truth of the test."""
    rows = int((parts == "test").sum())
    names = [criterion.name for criterion in case.criterion]
    for criterion, found in reckon(case, table, parts):
        if found.decidable:
            continue
        needed = (
            f"it would take about {found.rows_needed:,} rows"
            if found.rows_needed
            else "no number of rows would do: the effect hoped for lies on the limit"
        )
        assumed = plainly(found.assumption, case.evaluation.cluster)
        yield Finding(
            "TR023",
            "doubt",
            f"{rows:,} test rows decide the criterion {criterion.name!r} with a "
            f"chance of {percent(found.chance)}; {needed}. {assumed}",
            file,
            line_of(f"criterion.{names.index(criterion.name)}.require"),
            "enlarge the test part, ask for less, or say the effect hoped for in `expect`",
        )
