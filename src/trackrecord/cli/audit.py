"""``trackrecord audit``: what leaks from the test, or from the future, into the training rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case
from trackrecord.cli.printing import counted, progress, say, say_next
from trackrecord.errors import BadInput
from trackrecord.version import __version__

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.leakage.audit import Audit, Leak
    from trackrecord.data.leakage.dynamic import PipelineAudit
    from trackrecord.data.leakage.world import World

MARKS = {"leak": "✗", "suspect": "?", "note": "·"}
PERMUTATIONS = 10


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look for leakage between a training and a test table, of a case or of any two files; and\n"
        "in the pipeline, by running it. Each finding has its kind, its evidence and what to do."
    )
    parser.epilog = (
        "examples:\n"
        "  trackrecord audit flights\n"
        "  trackrecord audit --train train.parquet --test test.parquet --target late\n"
        "  trackrecord audit --train a.csv --test b.csv --target y --id patient --time visit\n"
        "  trackrecord audit --train a.csv --test b.csv --target y --pipeline work.py:fit\n\n"
        "exit 1 when something was found, or a pipeline cannot be judged; notes alone exit 0"
    )
    add_case_argument(parser)
    group = parser.add_argument_group("two files instead of a case")
    group.add_argument("--train", metavar="FILE", help="what was trained on")
    group.add_argument("--test", metavar="FILE", help="what was tested on")
    group.add_argument("--target", metavar="COLUMN", help="what is predicted")
    group.add_argument("--id", metavar="COLUMN", help="names the unit of each row")
    group.add_argument(
        "--group",
        metavar="COLUMN",
        action="append",
        default=[],
        help="must not be on both sides: a person, a site; may be given more than once",
    )
    group.add_argument("--time", metavar="COLUMN", help="when each row's question is asked")
    group.add_argument(
        "--text",
        metavar="COLUMN",
        action="append",
        default=[],
        help="holds sentences; long strings are taken for text anyway",
    )
    group.add_argument(
        "--known-later",
        metavar="COLUMN",
        action="append",
        default=[],
        help="known only after the question is asked",
    )
    group.add_argument(
        "--population",
        metavar="TOML",
        help="the share of each value in the population: a table for each column",
    )
    group = parser.add_argument_group("run the pipeline, in a process of its own")
    group.add_argument(
        "--pipeline",
        metavar="FILE.py:NAME",
        help="fit(train, truth, test[, the test's truth]), an estimator, or what makes one",
    )
    group.add_argument(
        "--frames",
        choices=("polars", "pandas", "numpy"),
        default="polars",
        help="what the pipeline is given (polars)",
    )
    group.add_argument(
        "--permutations",
        metavar="N",
        type=int,
        default=PERMUTATIONS,
        help=f"fits on permuted labels, 5 and more ({PERMUTATIONS})",
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.data.leakage.audit import audit_world

    files = any((options.train, options.test, options.target))
    if files and options.case:
        raise BadInput("name a case or two files, not both", next="trackrecord audit --help")
    named = _named_pipeline(options)
    with progress("auditing") as step:
        step("reading the data", 0.1)
        world, record = _of_files(options) if files else _of_case(options)
        step("looking for leaks", 0.3)
        audit = audit_world(world)
        pipeline = None if named is None else _run_pipeline(options, world, named, step)
    entry = record(audit, pipeline, named)
    tell(audit)
    if pipeline is not None:
        tell_pipeline(pipeline)
    tell_looked(audit, ran=pipeline is not None)
    if entry is not None:
        say(f"  recorded as entry {entry.seq} of the chain")
    found = audit.verdict != "clean" or (pipeline is not None and pipeline.verdict != "clean")
    if found:
        # Where to read on is the same for all: the page has a section for each detector.
        say_next("mend what leaks, then audit again; docs/reference/leaks.md says how")
    result = {
        **msgspec.to_builtins(audit),
        "pipeline": msgspec.to_builtins(pipeline),
        "entry": None if entry is None else entry.seq,
    }
    return Answer(1 if found else 0, result)


def tell(audit: Audit) -> None:
    """Each finding in a block, then how much was looked at."""
    for finding in audit.findings:
        tell_finding(finding)
    notes = sum(finding.verdict == "note" for finding in audit.findings)
    grave = len(audit.findings) - notes
    looked = (
        f"{len(audit.detectors)} detectors, {counted(audit.tests, 'test')}, "
        f"{audit.train_rows:,} training and {audit.test_rows:,} test rows, "
        f"{counted(audit.features, 'feature')}"
    )
    also = f"; {counted(notes, 'note')}" if notes else ""
    if grave:
        say(f"✗ {counted(grave, 'finding')}{also} ({looked})")
    else:
        say(f"✓ no leak was found{also} ({looked})")
    if notes:
        say("  a note is no leak: it is what the split that was asked for brings along")


def tell_finding(finding: Leak) -> None:
    """One finding: what, by which evidence, of which kind, and what to do."""
    say(f"{MARKS[finding.verdict]} {finding.verdict}: {finding.what}")
    say(f"    evidence: {evidence_of(finding)}", indent=14)
    say(f"    kind: {finding.kind}, {finding.kind_words} ({finding.detector})", indent=10)
    say(f"    fix: {finding.fix}", indent=9)


def tell_pipeline(found: PipelineAudit) -> None:
    """What the runs showed: leaks; or what did not move and what chance gave; or why not."""
    for finding in found.findings:
        tell_finding(finding)
    runs = f"{counted(found.fits, 'fit')}, {found.seconds:.1f} s"
    if found.verdict == "undecided":
        say(f"? the pipeline cannot be judged: {found.why} ({runs})")
    elif found.verdict == "clean":
        held = [one.name for one in found.changes if not one.failed]
        moved = "moved a prediction" if found.repeatable else "moved predictions beyond chance"
        say(f"✓ the pipeline learnt nothing of the test: {' and '.join(held)} in it {moved} for no "
            f"training row ({runs})")  # fmt: skip
    if found.permuted_mean is not None and found.lo is not None and found.hi is not None:
        say(f"    on permuted labels it scores {found.permuted_mean:.3f} "
            f"[{found.lo:.3f}, {found.hi:.3f}], where 0.5 is chance")  # fmt: skip
    for one in found.changes:
        if one.failed:
            say(f"    with {one.name} in the test it failed: {one.failed}")
    if not found.repeatable:
        say("    two fits on the same rows differ: give it a seed, and the test is sharper")
    if found.mutates:
        say("    it writes into the rows it is given; here it had copies")


def tell_looked(audit: Audit, *, ran: bool) -> None:
    """What was looked for and not found, by kind; and what could not be looked for, and why."""
    from trackrecord.data.leakage.kinds import KINDS

    found = {finding.detector for finding in audit.findings}
    clean: dict[str, list[str]] = {}
    for one in audit.detectors:
        if one.tests and one.detector not in found:
            clean.setdefault(one.kind, []).append(one.looks_for)
    if clean:
        say("  looked for, and not found:")
        for kind in sorted(clean):
            title = KINDS[kind].partition(":")[0]
            say(f"    {kind} {title}: {'; '.join(clean[kind])}", indent=5 + len(kind))
    idle: dict[str, list[str]] = {}
    for one in audit.detectors:
        if not one.tests:
            idle.setdefault(one.needs, []).append(one.looks_for)
    if not ran:
        idle["the work itself (--pipeline)"] = ["what leaves no trace in a table"]
    if idle:
        say("  not looked for, without")
        for needs, words in idle.items():
            say(f"    {needs}: {'; '.join(words)}", indent=6)


def evidence_of(finding: Leak) -> str:
    """``ROC AUC 0.997 [0.995, 0.999], n 1,200, corrected p < 0.0001``."""
    parts = f"{finding.measure} {finding.value:.3f}"
    if finding.measure == "declared":
        parts = "a plain fact"
    elif finding.lo is not None and finding.hi is not None:
        parts += f" [{finding.lo:.3f}, {finding.hi:.3f}]"
    parts += f", n {finding.n:,}"
    if finding.p is not None:
        small = finding.p < 0.0001
        parts += ", corrected p < 0.0001" if small else f", corrected p {finding.p:.4f}"
    if finding.rows:
        parts += f"; first rows {', '.join(str(row + 1) for row in finding.rows[:5])}"
    return parts


def _of_files(options: argparse.Namespace) -> tuple[Any, Any]:
    from trackrecord.data.leakage.world import world_of

    missing = [f"--{name}" for name in ("train", "test", "target") if not getattr(options, name)]
    if missing:
        raise BadInput(
            f"two files need {' and '.join(missing)} too",
            next="trackrecord audit --train TRAIN --test TEST --target COLUMN",
        )
    world = world_of(
        _read(options, options.train),
        _read(options, options.test),
        options.target,
        id=options.id,
        group=options.group,
        time=options.time,
        text=options.text,
        known_later=options.known_later,
        population=_population(options),
    )
    return world, lambda audit, pipeline, named: None


def _read(options: argparse.Namespace, name: str) -> pl.DataFrame:
    from trackrecord.data.sources import read_table

    return read_table(Path(options.folder or ".") / name)


def _population(options: argparse.Namespace) -> dict[str, dict[str, float]] | None:
    """The declared shares, from a file such as ``[carrier]`` with ``UA = 0.2``."""
    if options.population is None:
        return None
    import msgspec

    path = Path(options.folder or ".") / options.population
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, dict[str, float]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{options.population} declares no population",
            where=str(path),
            why=str(error),
            next="write a table for each column, as: [carrier] and below it UA = 0.2",
        ) from error


def _named_pipeline(options: argparse.Namespace) -> tuple[Path, str] | None:
    if options.pipeline is None:
        return None
    from trackrecord.data.leakage.dynamic import FEWEST_PERMUTATIONS
    from trackrecord.data.leakage.elsewhere import pipeline_file

    if options.permutations < FEWEST_PERMUTATIONS:
        raise BadInput(
            f"--permutations {options.permutations} gives no interval",
            next=f"--permutations {FEWEST_PERMUTATIONS}, or more",
        )
    return pipeline_file(options.pipeline, Path(options.folder or "."))


def _run_pipeline(
    options: argparse.Namespace, world: World, named: tuple[Path, str], step: Any
) -> PipelineAudit:
    """A case's pipeline is given its features; another's all columns that both tables have."""
    from trackrecord.data.leakage.elsewhere import audit_pipeline_file

    names = world.features
    if options.train:
        shared = [name for name in world.train.columns if name in world.test.columns]
        names = [name for name in shared if name != world.target]
    tested = world.test[world.target] if world.target in world.test.columns else None
    most = options.permutations + 4
    return audit_pipeline_file(
        *named,
        world.train.select(names),
        world.test.select(names),
        world.train[world.target],
        tested,
        frames=options.frames,
        permutations=options.permutations,
        tell=lambda fit: step("running the pipeline", min(0.95, 0.4 + 0.55 * fit / most)),
    )


def _of_case(options: argparse.Namespace) -> tuple[Any, Any]:
    from dataclasses import replace

    from trackrecord.data.features.of_case import recomputation
    from trackrecord.data.leakage.of_case import AuditPredicate, world_of_case
    from trackrecord.data.split import assign_parts, split_digest
    from trackrecord.data.table import load_case_table

    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    table = load_case_table(case, workspace.root)
    world = replace(
        world_of_case(case, table, opened.shown, opened.line_of),
        recompute=recomputation(case, table, workspace.root),
    )

    def record(audit: Audit, pipeline: PipelineAudit | None, named: Any) -> Any:
        from trackrecord import ledger
        from trackrecord.ledger.store import file_sha256

        digest = split_digest(table, assign_parts(table.frame, case), case).digest
        predicate = AuditPredicate(
            case=case.name,
            data=table.digests,
            split=digest,
            audit=audit,
            tool=__version__,
            pipeline=pipeline,
            pipeline_name="" if named is None else f"{named[0].name}:{named[1]}",
            pipeline_sha256="" if named is None else file_sha256(named[0]),
        )
        subjects = [
            ledger.Subject(
                name=source.path,
                digest={"sha256": source.sha256, "trackrecordTable1": source.table.digest},
            )
            for source in table.sources
        ]
        subjects.append(ledger.Subject(name="split", digest={"sha256": digest}))
        return ledger.record(
            workspace.evidence,
            kind="audit",
            predicate=predicate,
            subjects=subjects,
            case=case.name,
            lock_path=workspace.cache / "lock",
        )

    return world, record
