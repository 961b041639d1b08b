"""``trackrecord evaluate FOLDER/`` and ``'parts/*.parquet'``: predictions in many files."""

from __future__ import annotations

import argparse
import os
from glob import has_magic
from pathlib import Path

from trackrecord.cli.columns import asked_in, level_in, path_in
from trackrecord.cli.command import Answer
from trackrecord.cli.measured import say_wrapped, tell_evaluation
from trackrecord.cli.printing import progress
from trackrecord.errors import BadInput

ALL_ROWS = "it takes all rows at once, and only some are in memory"
OTHER_TASK = "of parts, only what has a yes or no as its truth is measured"
# what one file or a case may be asked, and parts may not
ELSEWHERE = {
    **dict.fromkeys(("part", "run"), "it is for a case"),
    **dict.fromkeys(("out", "costs", "time"), ALL_ROWS),
    **dict.fromkeys(("series", "history", "season", "horizon"), OTHER_TASK),
    **dict.fromkeys(("query", "document", "qrels"), OTHER_TASK),
}


def names_parts(options: argparse.Namespace, named: str) -> bool:
    """Whether a pattern is named, or a folder: with a slash, since a case may have its name."""
    path = Path(options.folder or ".") / named
    slashed = "/" in named or os.sep in named
    return (slashed and path.is_dir()) or (has_magic(named) and not path.exists())


def evaluate_in_parts(options: argparse.Namespace) -> Answer:
    """Measure a table of predictions that is read in parts."""
    for name, why in ELSEWHERE.items():
        if getattr(options, name, None) not in (None, [], False):
            raise BadInput(
                f"--{name} cannot be had of predictions in parts",
                why=why,
                next=f"trackrecord evaluate '{options.case}'",
            )
    from trackrecord.evaluation.partitioned import evaluate_parts

    with progress("evaluating") as step:
        found = evaluate_parts(
            path_in(options, options.case),
            asked_in(options),
            candidate=options.candidate,
            level=level_in(options),
            metrics=options.metric,
            criteria=options.criterion,
            progress=step,
        )
    said = "these verdicts are" if found.verdicts else "these numbers are"
    say_wrapped(f"  {options.case}: no sealed case, so {said} stated, not proven (L0)")
    for guess in found.guesses:
        say_wrapped(f"  · taken so: {guess}")
    tell_evaluation(found.evaluation, found.plan, found.size)
    for gap in found.differences:
        reasons: dict[str, list[str]] = {}
        for absence in gap.absent:
            reasons.setdefault(absence.reason, []).append(absence.metric)
        for reason, metrics in reasons.items():
            say_wrapped(f"  – {', '.join(metrics)} of {gap.model} − {gap.baseline}: {reason}")
    holds = all(verdict.verdict == "accepted" for verdict in found.verdicts)
    return Answer(0 if holds else 1, found.to_dict())
