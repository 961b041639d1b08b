"""``trackrecord evaluate`` and ``trackrecord contrast``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.between import tell_forecast_tests, tell_gaps
from trackrecord.cli.columns import (
    add_column_options,
    add_measure_options,
    check_out,
    file_options,
    level_in,
    path_in,
    read_in,
)
from trackrecord.cli.command import Answer
from trackrecord.cli.measured import found, say_wrapped, shown, tell_evaluation
from trackrecord.cli.opening import add_case_argument, open_case
from trackrecord.cli.parts import evaluate_in_parts, names_parts
from trackrecord.cli.printing import counted, progress, say, say_next, table
from trackrecord.cli.steps import publish_step
from trackrecord.errors import BadInput
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.evaluation.case import EvaluationPredicate, PartName
    from trackrecord.evaluation.measured import Result
    from trackrecord.evaluation.reading import ReadOutcomes

FILES = (".parquet", ".csv", ".tsv", ".tab", ".gz", ".arrow", ".feather", ".ipc")


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    if verb == "contrast":
        parser.description = (
            "Retrain the candidate under each [[contrast]] of the case – a random split, columns\n"
            "that look ahead – and measure what that would have claimed. It counts as a look."
        )
        parser.epilog = "example:\n  trackrecord contrast flights"
        add_case_argument(parser)
        return
    parser.description = (
        "Measure a case's latest run with intervals, against every baseline; give the verdicts.\n"
        "Or measure a file of predictions from any program: truth and scores are enough."
    )
    parser.epilog = (
        "examples:\n  trackrecord evaluate churn                 validation, as often as you like\n"
        "  trackrecord evaluate churn --part test     opens the sealed test; the look is counted\n"
        "  trackrecord evaluate predictions.parquet   no workspace needed\n"
        "  trackrecord evaluate p.csv --target late --score p_late --slice 'hour>=18'\n"
        "  trackrecord evaluate p.csv --criterion 'roc_auc >= 0.70' --out report.html\n"
        "  trackrecord evaluate 'parts/*.parquet'     more rows than memory has room for\n\n"
        "exit 1 when the test, or a file, leaves a criterion rejected or undecided"
    )
    parser.add_argument(
        "case",
        nargs="?",
        help="a case, a Parquet or CSV file of predictions, or a FOLDER/ of parts",
    )
    parser.add_argument(
        "--part", choices=["validation", "test"], help="of a case; validation by default"
    )
    parser.add_argument("--run", metavar="RUN", help="of a case: an earlier run, e.g. 0001")
    parser.add_argument(
        "--candidate",
        metavar="NAME",
        help="of a file: the model that the others are compared with; the last by default",
    )
    add_column_options(parser)
    add_measure_options(parser)
    group = parser.add_argument_group("report of a file")
    group.add_argument("--out", metavar="HTML", help="write a report: one page, with pictures")
    group.add_argument(
        "--costs",
        metavar="ALARM:MISS",
        help="what a false alarm and a miss cost, e.g. 1:5; marked in the report",
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    if verb == "contrast":
        return contrast(options)
    named = options.case or ""
    if named and names_parts(options, named):
        return evaluate_in_parts(options)
    if named and (
        Path(named).suffix.lower() in FILES or (Path(options.folder or ".") / named).is_file()
    ):
        return evaluate_file(options)
    if named and not path_in(options, named).is_dir() and path_in(options, named).exists():
        raise BadInput(
            f"{named} is no file on a disk",
            why="a file is read more than once, and what comes through a pipe is there once",
            next="write it into a file first, then: trackrecord evaluate FILE",
        )
    return evaluate_case(options)


def evaluate_case(options: argparse.Namespace) -> Answer:
    """Measure a part of a case's latest run; of the test, after counting the look."""
    if given := file_options(options):
        raise BadInput(
            f"{given[0]} is for a file of predictions",
            why="a case says itself what is measured, before anyone has seen a number",
            next="name a file: trackrecord evaluate predictions.parquet",
        )
    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table
    from trackrecord.evaluation.case import evaluate_run

    part: PartName = options.part or "validation"
    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    with progress("evaluating") as step:
        step("reading the data", 0.1)
        loaded = load_case_table(case, workspace.root)
        parts = assign_parts(loaded.frame, case)
        step("measuring", 0.6)
        evaluated = evaluate_run(
            workspace, case, loaded, parts, part=part, run=options.run, tool=__version__
        )
    predicate = evaluated.predicate
    say(status_line(predicate))
    tell_evaluation(predicate.result, predicate.plan)
    say(f"  outcomes: {evaluated.outcomes}")
    say(f"  evidence: {evaluated.entry.evidence}")
    answer = {"evidence": evaluated.entry.evidence, **_plain(predicate)}
    if part == "validation":
        say("  these verdicts are a rehearsal: only the sealed test counts")
        say_next(f"trackrecord evaluate {case.name} --part test   (a look: it is counted)")
        return Answer(0, answer)
    publish = publish_step(workspace, case.name, evaluated.entry.evidence)
    say_next(f"trackrecord contrast {case.name}" if case.contrast else publish)
    holds = all(verdict.verdict == "accepted" for verdict in predicate.result.verdicts)
    return Answer(0 if holds else 1, answer)


def status_line(predicate: EvaluationPredicate) -> str:
    """What must be said with every number: the part, the look, amendments, a missing seal."""
    said = [f"{predicate.part} part"]
    if predicate.part == "test":
        said.append(f"look {predicate.look}")
    elif predicate.look:
        said.append(f"after {counted(predicate.look, 'look')} at the test")
    if not predicate.sealed:
        said.append("UNSEALED: made without a seal")
    if predicate.amendments:
        said.append(f"amended after {counted(predicate.looks_before_amendment, 'look')}")
    return "  " + " · ".join(said)


def evaluate_file(options: argparse.Namespace) -> Answer:
    """Measure a file of predictions."""
    for name in ("part", "run"):
        if getattr(options, name) is not None:
            raise BadInput(
                f"--{name} is for a case, and {options.case} is a file",
                next=f"trackrecord evaluate {options.case}",
            )
    if options.costs is not None and options.out is None:
        raise BadInput("--costs is for the report", next="--out report.html --costs 1:5")
    ratio = cost_ratio(options.costs)
    if options.out is not None:
        files = [] if options.qrels is None else options.baseline  # of a run, baselines are files
        check_out(options, [options.case, options.history, options.qrels, *files])
    from trackrecord.evaluation.measured import result_of
    from trackrecord.evaluation.room import in_parts

    if in_parts(path_in(options, options.case)):
        return evaluate_in_parts(options)
    with progress("evaluating") as step:
        step("reading the predictions", 0.1)
        opened = read_in(options, options.case)
        if ratio is not None and opened.task != "binary":
            raise BadInput(
                "--costs is for a yes or no",
                why="what is weighed is a miss against a false alarm",
                next="leave --costs out",
            )
        step("measuring", 0.4)
        found = result_of(
            opened,
            candidate=options.candidate,
            level=level_in(options),
            metrics=options.metric,
            criteria=options.criterion,
            horizon=options.horizon,
            exact=options.exact,
        )
    said = "these verdicts are" if found.verdicts else "these numbers are"
    say_wrapped(f"  {options.case}: a file is not a sealed case, so {said} stated, not proven (L0)")
    for guess in found.guesses:
        say_wrapped(f"  · taken so: {guess}")
    tell_evaluation(found.evaluation, found.plan, found.size, between=tell_gaps)
    tell_forecast_tests(found.forecast_tests)
    answer = found.to_dict()
    if options.out is not None:
        write_report(found, opened, options, ratio)
        say(f"  report: {options.out}")
        answer["report"] = options.out
    holds = all(verdict.verdict == "accepted" for verdict in found.verdicts)
    return Answer(0 if holds else 1, answer)


def write_report(
    found: Result, opened: ReadOutcomes, options: argparse.Namespace, ratio: float | None
) -> None:
    """Write the page, whole or not at all."""
    from trackrecord.ledger import write_atomic

    name = Path(options.case).name
    if found.plan.task == "binary":
        from trackrecord.portfolio.report import render_report

        page = render_report(found, opened.frame, name=name, tool=__version__, ratio=ratio)
    else:
        from trackrecord.portfolio.report_tasks import render_task_report

        page = render_task_report(found, opened.frame, name=name, tool=__version__)
    write_atomic(path_in(options, options.out), page.encode())


def cost_ratio(text: str | None) -> float | None:
    """What a miss costs in false alarms, from ``ALARM:MISS``. Raises BadInput."""
    if text is None:
        return None
    try:
        alarm, miss = (float(part) for part in text.split(":"))
    except ValueError:
        alarm = miss = math.nan
    if not (math.isfinite(alarm) and math.isfinite(miss) and alarm > 0 and miss > 0):
        raise BadInput(
            f"cannot read the costs {text!r}",
            why="expected two positive numbers with a colon between them",
            next="--costs 1:5 where a miss costs five times a false alarm",
        )
    return miss / alarm


def contrast(options: argparse.Namespace) -> Answer:
    """Measure the candidate under each contrast."""
    from trackrecord.data.table import load_case_table
    from trackrecord.evaluation.contrast import contrast_case

    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    with progress("contrasts") as step:
        step("reading the data", 0.05)
        loaded = load_case_table(case, workspace.root)
        entry, predicate = contrast_case(workspace, case, loaded, tool=__version__, progress=step)
    metric = predicate.plan.metrics[0]
    rows = [
        [
            row.name,
            shown(found(row.estimates, metric)),
            f"{row.prediction_mean:.3f}",
            f"{row.rate:.3f}",
            f"{row.rows:,}",
        ]
        for row in [predicate.honest, *predicate.contrasts]
    ]
    table(["protocol", metric, "predicted", "came true", "rows"], rows, right={1, 2, 3, 4})
    say(f"  look {predicate.look}: a contrast sees the truth of the test")
    say_next(publish_step(workspace, case.name, predicate.evaluation))
    return Answer(0, {"evidence": entry.evidence, **_plain(predicate)})


def _plain(value: object) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(value)
    return plain
