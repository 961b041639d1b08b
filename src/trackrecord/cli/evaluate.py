"""``trackrecord evaluate`` and ``trackrecord contrast``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case
from trackrecord.cli.printing import interval, progress, say, table
from trackrecord.version import __version__

MARKS = {"accepted": "✓", "rejected": "✗", "undecided": "?"}


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    if verb == "contrast":
        parser.description = (
            "Retrain the candidate under each [[contrast]] of the case – a random split, columns that\n"
            "look ahead – and measure what that would have claimed. Only after the verdict; a look."
        )
        parser.epilog = "example:\n  trackrecord contrast flights"
        add_case_argument(parser)
        return
    parser.description = (
        "Measure a case's latest run with intervals, against every baseline, and give the verdicts.\n"
        "Or measure a file of predictions: id, truth and score (or score.NAME) columns are enough."
    )
    parser.epilog = (
        "examples:\n  trackrecord evaluate churn                 validation, as often as you like\n"
        "  trackrecord evaluate churn --part test     opens the sealed test; the look is counted\n"
        "  trackrecord evaluate predictions.parquet   no workspace needed\n\n"
        "exit 1 when a criterion is rejected or undecided"
    )
    parser.add_argument("case", nargs="?", help="a case, or a Parquet or CSV file of predictions")
    parser.add_argument("--part", choices=["validation", "test"], default="validation")
    parser.add_argument("--run", metavar="RUN", help="an earlier run, e.g. 0001")


def run(verb: str, options: argparse.Namespace) -> Answer:
    if verb == "contrast":
        return contrast(options)
    named = options.case or ""
    if Path(named).suffix in (".parquet", ".csv", ".gz", ".tsv", ".arrow", ".feather"):
        return evaluate_file(options)
    return evaluate_case(options)


def evaluate_case(options: argparse.Namespace) -> Answer:
    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table
    from trackrecord.evaluation.case import evaluate_run

    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    with progress("evaluating") as step:
        step("reading the data", 0.1)
        loaded = load_case_table(case, workspace.root)
        parts = assign_parts(loaded.frame, case)
        step("measuring", 0.6)
        evaluated = evaluate_run(
            workspace.root,
            workspace.evidence,
            case,
            loaded,
            parts,
            part=options.part,
            run=options.run,
            tool=__version__,
            lock=workspace.cache / "lock",
        )
    predicate = evaluated.predicate
    say(status_line(predicate))
    tell_result(predicate["result"], predicate["plan"]["candidate"])
    say(f"  outcomes: {evaluated.outcomes} · evidence: {evaluated.entry.evidence}")
    if options.part == "validation":
        say(
            f"  next: trackrecord evaluate {case.name} --part test   (opens the sealed test: counted)"
        )
        return Answer(0, {"evidence": evaluated.entry.evidence, **predicate})
    nxt = "contrast" if case.contrast else "publish"
    say(f"  next: trackrecord {nxt} {case.name}")
    return Answer(
        verdict_code(predicate["result"]), {"evidence": evaluated.entry.evidence, **predicate}
    )


def status_line(predicate: dict[str, Any]) -> str:
    """What must be said with every number: the part, the look, amendments, a missing seal."""
    said = [f"{predicate['part']} part"]
    if predicate["part"] == "test":
        said.append(f"look {predicate['look']}")
    if not predicate["sealed"]:
        said.append("UNSEALED")
    if predicate["amendments"]:
        looks = predicate["looks_before_amendment"]
        said.append(f"amended after {looks} look{'s' if looks != 1 else ''}")
    return "  " + " · ".join(said)


def verdict_code(result: dict[str, Any]) -> int:
    return 0 if all(v["verdict"] == "accepted" for v in result["verdicts"]) else 1


def tell_result(result: dict[str, Any], candidate: str) -> None:
    """Tables of estimates, differences and verdicts."""
    clusters = f", {result['clusters']:,} clusters" if result.get("clusters") else ""
    say(f"  {result['rows']:,} rows, {result['positives']:,} positive{clusters}; 95 % intervals")
    metrics = [estimate["metric"] for estimate in result["models"][0]["estimates"]]
    rows = []
    for metric in metrics:
        row = [metric]
        for model in result["models"]:
            row.append(_shown(_find(model["estimates"], metric)))
        rows.append(row)
    table(["metric", *[m["name"] for m in result["models"]]], rows, right=set(range(1, 9)))
    differences = [d for d in result["differences"] if d["model"] == candidate]
    if differences:
        rows = [
            [metric, *[_shown(_find(d["estimates"], metric), signed=True) for d in differences]]
            for metric in metrics
        ]
        columns = [f"{candidate} − {d['baseline']}" for d in differences]
        table(["paired difference", *columns], rows, right=set(range(1, 9)))
    for verdict in result["verdicts"]:
        found = (
            interval(verdict["value"], verdict["lo"], verdict["hi"])
            if verdict["value"] is not None
            else "no estimate"
        )
        say(f"  {MARKS[verdict['verdict']]} {verdict['verdict']:<9} {verdict['criterion']}")
        say(f"              {verdict['require']}: {found}")


def _find(estimates: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    return next(estimate for estimate in estimates if estimate["metric"] == metric)


def _shown(estimate: dict[str, Any], *, signed: bool = False) -> str:
    if "value" not in estimate:
        return "–"
    return interval(estimate["value"], estimate["lo"], estimate["hi"], signed=signed)


def evaluate_file(options: argparse.Namespace) -> Answer:
    import msgspec
    from trackrecord.evaluation.evaluate import evaluate_outcomes
    from trackrecord.evaluation.outcomes import read_outcomes
    from trackrecord.evaluation.plan import plan_for_outcomes

    path = Path(options.folder or ".") / options.case
    outcomes = read_outcomes(path)
    plan = plan_for_outcomes(outcomes)
    evaluation = msgspec.to_builtins(evaluate_outcomes(outcomes, plan))
    said = f"candidate '{plan.candidate}'"
    if plan.clustered:
        said += ", rows clustered by the column 'cluster'"
    say(f"  {options.case}: {said}; a file is not a sealed case, so no verdicts (L0)")
    tell_result(evaluation, plan.candidate)
    return Answer(0, {"plan": msgspec.to_builtins(plan), "result": evaluation})


def contrast(options: argparse.Namespace) -> Answer:
    from trackrecord.data.table import load_case_table
    from trackrecord.evaluation.contrast import contrast_case

    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    with progress("contrasts") as step:
        step("reading the data", 0.05)
        loaded = load_case_table(case, workspace.root)
        entry, predicate = contrast_case(
            workspace.root,
            workspace.evidence,
            case,
            workspace.case_folder(case.name),
            loaded,
            tool=__version__,
            progress=step,
            lock=workspace.cache / "lock",
        )
    rows = []
    for row in [predicate["honest"], *predicate["contrasts"]]:
        auc = next((e for e in row["estimates"] if e["metric"] == "roc_auc"), {})
        rows.append(
            [
                row["name"],
                _shown(auc),
                f"{row['prediction_mean']:.3f}",
                f"{row['rate']:.3f}",
                f"{row['rows']:,}",
            ]
        )
    table(["protocol", "ROC AUC", "predicted", "came true", "rows"], rows, right={1, 2, 3, 4})
    say(f"  next: trackrecord publish {case.name}")
    return Answer(0, {"evidence": entry.evidence, **predicate})
