"""Findings of all rooms about a case, and how they are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.cli.printing import hint, say

if TYPE_CHECKING:
    from trackrecord.cli.opening import Opened
    from trackrecord.data.finding import Finding
    from trackrecord.data.table import CaseTable


def findings_of(opened: Opened, table: CaseTable | None = None) -> list[Finding]:
    """What is wrong or doubtful: the data room's checks, and each estimator made but not trained.

    Errors come first, then by line. A Python file of the person's own is not run.
    """
    from trackrecord.data.check import check_case

    root, text = opened.workspace.root, opened.text
    found = check_case(opened.case, root, opened.line_of, table=table, text=text)
    return sorted([*found, *_estimators(opened)], key=lambda finding: finding.severity == "doubt")


def _estimators(opened: Opened) -> Iterator[Finding]:
    """TR034: an estimator that is not there, or a parameter that it does not have."""
    from trackrecord.data.finding import Finding
    from trackrecord.errors import TrackrecordError
    from trackrecord.modeling.estimators import prepare_estimator

    case = opened.case
    for index, model in enumerate(case.model):
        if not model.estimator or model.python:
            continue
        try:
            prepare_estimator(model, case, case.seed)
        except TrackrecordError as error:
            yield Finding(
                "TR034",
                "error",
                error.what,
                opened.shown,
                opened.line_of(f"model.{index}.estimator"),
                error.why or error.next or "name a scikit-learn classifier by its dotted name",
            )


def tell_findings(findings: list[Finding], *, refused: bool = False) -> None:
    """One block for each finding: mark, code, place, what, fix; ``refused`` for these."""
    for finding in findings:
        mark = "✗" if refused or finding.severity == "error" else "?"
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        say(f"{mark} {finding.code} {place}")
        say(f"    {finding.what}")
        say(f"    fix: {hint(finding.fix)}", indent=9)
