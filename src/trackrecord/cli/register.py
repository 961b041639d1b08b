"""``trackrecord register`` and ``trackrecord reproduce``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.printing import counted, progress, say, say_next, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.evaluation.case import RunEvidence
    from trackrecord.modeling.reproduce import Reproduction
    from trackrecord.workspace import Workspace


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    if verb == "reproduce":
        parser.description = (
            "Train a run again – same case, data and seed – and compare every score with what\n"
            "the ledger has: equal to the last bit, or what differs and what has changed here."
        )
        parser.epilog = (
            "examples:\n  trackrecord reproduce flights\n  trackrecord reproduce flights@0001\n\n"
            "exit 1 when a score differs"
        )
    else:
        parser.description = (
            "Make a run's model servable: train it again, prove that it is the run's, write it as\n"
            "ONNX (or skops), prove that the file answers as the model does, and give it a version."
        )
        parser.epilog = (
            "examples:\n  trackrecord register flights\n"
            "  trackrecord register flights@0002 --alias challenger --threshold 0.3\n\n"
            "exit 1 when training again gives other scores: then nothing is registered"
        )
        parser.add_argument("--model", metavar="NAME", help="instead of the case's candidate")
        parser.add_argument(
            "--threshold",
            type=float,
            default=None,
            metavar="P",
            help="the probability from which an answer is yes (default 0.5)",
        )
        parser.add_argument(
            "--alias",
            choices=["champion", "challenger"],
            help="what it answers as; by default champion where the case has none",
        )
    parser.add_argument("case", nargs="?", metavar="CASE[@RUN]", help="by default the latest run")


def run(verb: str, options: argparse.Namespace) -> Answer:
    workspace, chosen = _chosen(options)
    if verb == "reproduce":
        return _reproduce(workspace, chosen)
    return _register(workspace, chosen, options)


def _chosen(options: argparse.Namespace) -> tuple[Workspace, RunEvidence]:
    """The workspace, and the run that ``CASE@RUN`` names."""
    from trackrecord.cases.seal import life_of
    from trackrecord.cli.opening import only_case, open_workspace_of
    from trackrecord.evaluation.case import latest_run
    from trackrecord.ledger import read_chain

    workspace = open_workspace_of(options)
    case, _, number = (options.case or "").partition("@")
    case = case or only_case(workspace)
    if case not in workspace.case_names():
        from trackrecord.errors import suggest

        names = workspace.case_names()
        near = suggest(case, names)
        raise BadInput(
            f"there is no case '{case}' in this workspace",
            where=workspace.root.as_posix(),
            why=f"did you mean '{near}'?" if near else f"cases: {', '.join(names) or 'none yet'}",
            next="trackrecord status",
        )
    life = life_of(read_chain(workspace.evidence), case)
    return workspace, latest_run(workspace.evidence, case, life, run=number or None)


def _reproduce(workspace: Workspace, chosen: RunEvidence) -> Answer:
    import msgspec

    from trackrecord.modeling.reproduce import reproduce_run

    with progress("training again") as step:
        again = reproduce_run(workspace, chosen.facts, chosen.predictions, progress=step)
    tell_reproduction(again.found)
    return Answer(0 if again.found.equal else 1, msgspec.to_builtins(again.found))


def tell_reproduction(found: Reproduction) -> None:
    """Print whether training again gave the same, and what is different if not."""
    if found.equal:
        parts = ", ".join(found.parts) or "every part"
        say(f"✓ run {found.run} trained again: every score of {parts} is the same to the last bit")
        if not found.bytes_equal:
            say("  the file's bytes differ: another version of pyarrow wrote it")
    else:
        say(f"✗ run {found.run} trained again gave other scores")
        table(
            ["model", "rows that differ", "largest difference"],
            [
                [
                    one.model,
                    "–" if one.rows is None else f"{one.rows:,}",
                    "–" if one.largest is None else f"{one.largest:.3g}",
                ]
                for one in found.differences
            ],
            right={1, 2},
        )
    if found.environment:
        say("  different here:" if found.equal else "  what may be why:")
        for one in found.environment:
            say(f"    {one.what}: {one.then} then, {one.now} now")
    elif not found.equal:
        say("  nothing about the place has changed: the model itself is not deterministic")
        say_next("give every source of chance the case's seed, then: trackrecord run")
    say(f"  {found.seconds:.0f} s")


def _register(workspace: Workspace, chosen: RunEvidence, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.modeling.export.export import THRESHOLD
    from trackrecord.modeling.register import NotReproduced, register_run
    from trackrecord.version import __version__

    with progress("registering") as step:
        made = register_run(
            workspace,
            chosen.facts,
            evidence=chosen.digest,
            predictions=chosen.predictions,
            model=options.model,
            threshold=THRESHOLD if options.threshold is None else options.threshold,
            alias=options.alias,
            tool=__version__,
            progress=step,
        )
    if isinstance(made, NotReproduced):
        tell_reproduction(made.reproduction)
        say("  nothing was registered: a model that is not the run's proves nothing of it")
        return Answer(1, {"registered": False, **msgspec.to_builtins(made.reproduction)})
    tell_reproduction(made.reproduction)
    bundle, parity = made.bundle, made.bundle.parity
    say(f"✓ {bundle.model} of run {bundle.run} is version {made.version}: {made.folder}")
    say(
        f"  {bundle.file}: on {parity.rows:,} real rows its answers are within"
        f" {parity.largest:.1g} of the model's; {counted(parity.flips, 'decision')} differ"
    )
    if bundle.types:
        say(f"  a skops file, made of: {', '.join(bundle.types)}")
    say(f"  {len(bundle.features)} features in, the probability of {bundle.positive} out;")
    say(f"  yes from {bundle.threshold:g}. It answers as {made.alias}.")
    if made.mlflow_problem:
        say(f"! MLflow's registry was not told: {made.mlflow_problem}")
    elif made.mlflow_version:
        say(f"  MLflow's registry has it as trackrecord.{bundle.case} {made.mlflow_version}")
    say_next(f"trackrecord serve {bundle.case}")
    return Answer(0, {"registered": True, **msgspec.to_builtins(made)})
