"""``trackrecord run``."""

from __future__ import annotations

import argparse
from pathlib import Path

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case
from trackrecord.cli.printing import progress, say, say_next, table
from trackrecord.errors import BadInput, CaseError


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train the case's baselines and models on the training part and write their predictions\n"
        "for validation and test. The test's truth stays closed: only `evaluate --part test`\n"
        "opens it."
    )
    parser.epilog = (
        "examples:\n  trackrecord run churn\n"
        "  trackrecord run churn --outcomes predictions.parquet --model mine"
    )
    add_case_argument(parser)
    parser.add_argument("--seed", type=int, default=None, help="instead of the case's own seed")
    parser.add_argument(
        "--outcomes",
        metavar="FILE",
        help="take predictions that another program wrote: Parquet or CSV with id and score",
    )
    parser.add_argument(
        "--model", metavar="NAME", help="with --outcomes: the case's model they come from"
    )
    parser.add_argument(
        "--unsealed",
        action="store_true",
        help="run without a seal; every number that follows will say so",
    )
    parser.add_argument(
        "--in-process",
        action="store_true",
        help="run the case's Python files in this process, where breakpoint() works",
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.cases.seal import drift_since_seal, life_of, sealed_case
    from trackrecord.data.split import assign_parts, split_digest
    from trackrecord.data.table import load_case_table
    from trackrecord.ledger import read_chain
    from trackrecord.modeling.run import run_case

    if options.model and not options.outcomes:
        raise BadInput(
            "--model says whose predictions a file has, and there is no file",
            why="without --outcomes, every model of the case is trained",
            next=f"trackrecord run {options.case or 'CASE'} --outcomes FILE "
            f"--model {options.model}",
        )
    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    life = life_of(read_chain(workspace.evidence), case.name)
    if life.seal is None and not options.unsealed:
        raise CaseError(
            f"the case '{case.name}' is not sealed",
            why="a number means more when what it should show was fixed before training",
            next=f"trackrecord seal {case.name}   (or run with --unsealed: every number says so)",
        )
    with progress("running") as step:
        step("reading the data", 0.02)
        loaded = load_case_table(case, workspace.root)
        parts = assign_parts(loaded.frame, case)
        if life.seal is not None:
            step("comparing with the seal", 0.08)
            drift = drift_since_seal(
                sealed_case(workspace.evidence, life.seal),
                case,
                loaded.digests,
                split_digest(loaded, parts, case).digest,
            )
            if drift:
                raise CaseError(
                    f"the case '{case.name}' is not as it was sealed",
                    where=", ".join(f"{kind}: {what}" for kind, what in drift),
                    next=f'undo the change, or: trackrecord amend {case.name} --reason "…"',
                )
        result = run_case(
            workspace,
            case,
            loaded,
            parts,
            seal=life.seal,
            seed=case.seed if options.seed is None else options.seed,
            progress=step,
            outcomes=Path(options.folder or ".") / options.outcomes if options.outcomes else None,
            outcomes_model=options.model,
            isolated=not options.in_process,
        )
    predicate = result.predicate
    if not predicate.sealed:
        say("! UNSEALED: this run was made without a seal, and every number after it says so")
    table(
        ["model", "role", "kind", "seconds"],
        [
            [
                model.name,
                model.role,
                model.kind,
                # Another program's training took time that nobody here has seen.
                "–" if model.seconds is None else f"{model.seconds:.1f}",
            ]
            for model in predicate.models
        ],
        right={3},
    )
    for model in predicate.models:
        for note in model.notes:
            say(f"! {model.name}: {note}")
    if predicate.outcomes:
        given = predicate.outcomes
        say(f"  taken in: {given.name}, {given.rows:,} rows, SHA-256 {given.sha256[:16]}…")
    memory = predicate.peak_memory_mb
    spent = time_spent(predicate.seconds, result.tracking_seconds)
    say(f"✓ run {predicate.run}: predictions in {result.predictions}")
    say(f"  {spent}{f'; peak {memory:,.0f} MB' if memory else ''}")
    if predicate.mlflow_problem:
        say(f"! MLflow did not take the run: {predicate.mlflow_problem}")
        say("  the run is complete without it")
    elif predicate.mlflow_run:
        say(f"  tracked in MLflow as {predicate.mlflow_run}")
    say_next(
        f"trackrecord evaluate {case.name}               (validation, as often as you like)",
        f"trackrecord evaluate {case.name} --part test   (opens the sealed test: counted)",
    )
    return Answer(0, {"evidence": result.entry.evidence, **msgspec.to_builtins(predicate)})


def time_spent(seconds: float, tracking: float) -> str:
    """``12 s``, and what of the whole was MLflow's, apart: ``12 s, and 9 s for MLflow``."""
    if tracking < 0.5:
        return f"{seconds:.0f} s"
    return f"{seconds - tracking:.0f} s, and {tracking:.0f} s for MLflow"
