"""``trackrecord case new`` and ``trackrecord case check``."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case, open_workspace_of
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import counted, progress, say, say_next
from trackrecord.errors import BadInput, DataError, LedgerError

if TYPE_CHECKING:
    from trackrecord.cli.opening import Opened
    from trackrecord.data.finding import Finding
    from trackrecord.data.table import CaseTable


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Draft a case from data, and check it before anything is trained."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="new|check")
    new = sub_verb(
        group,
        "new",
        help="draft cases/NAME/case.toml from the data, with comments that teach",
        description="Draft cases/NAME/case.toml from the data. What only you can decide is marked.",
    )
    new.epilog = "example:\n  trackrecord case new churn --from customers.csv"
    new.add_argument("name", help="lower-case letters, digits, - and _")
    new.add_argument(
        "--from",
        dest="data",
        required=True,
        metavar="DATA",
        help="a CSV, Parquet or Arrow file; one outside the workspace is copied into data/",
    )
    check = sub_verb(
        group,
        "check",
        help="say what is wrong or doubtful, with file, line and fix",
        description="Read case and data and say, before any training, what is wrong or doubtful.",
    )
    check.epilog = (
        "example:\n  trackrecord case check churn\n\n"
        "exit 1 when something is wrong; doubts alone exit 0"
    )
    add_case_argument(check)


def run(verb: str, options: argparse.Namespace) -> Answer:
    return new_case(options) if options.sub_verb == "new" else check(options)


def new_case(options: argparse.Namespace) -> Answer:
    """Draft a case; whatever cannot be finished leaves nothing behind."""
    from trackrecord.data.draft import draft_case
    from trackrecord.ledger import write_atomic

    workspace = open_workspace_of(options)
    name = options.name
    path = workspace.case_file(name)
    if path.exists():
        raise BadInput(
            f"the case '{name}' exists already",
            where=path.relative_to(workspace.root).as_posix(),
            next=f"edit it, then: trackrecord case check {name}",
        )
    source = Path(options.folder or ".") / options.data
    if not source.is_file():
        raise BadInput(
            f"there is no file {options.data}",
            where=source.resolve().as_posix(),
            next=f"name a CSV, Parquet or Arrow file: trackrecord case new {name} --from DATA",
        )
    resolved = source.resolve()
    inside = resolved.is_relative_to(workspace.root)
    relative = resolved.relative_to(workspace.root).as_posix() if inside else f"data/{source.name}"
    with progress("reading the data") as step:
        step(f"reading {options.data}", 0.1)
        text = draft_case(source, name, relative)
    copied = False if inside else _copy(source, workspace.root / relative, relative)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
    except BaseException:
        if copied:
            (workspace.root / relative).unlink(missing_ok=True)
        with suppress(OSError):  # a folder that holds something was there before
            path.parent.rmdir()
        raise
    if copied:
        say(f"✓ copied {options.data} to {relative}")
    decisions = text.count("# decide:")
    say(f"✓ drafted cases/{name}/case.toml: {decisions} places marked '# decide:' wait for you")
    say_next(f"edit it, then: trackrecord case check {name}")
    return Answer(
        0,
        {
            "case": name,
            "file": f"cases/{name}/case.toml",
            "data": relative,
            "decisions": decisions,
        },
    )


def _copy(source: Path, target: Path, shown: str) -> bool:
    """Copy data into the workspace, all or nothing; False where the same file is there already."""
    import filecmp
    import shutil

    if target.exists():
        if filecmp.cmp(source, target, shallow=False):
            return False
        raise BadInput(
            f"{shown} exists and is a different file",
            where=shown,
            next="rename your file, or remove the one in data/",
        )
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f".{target.name}.copying")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def check(options: argparse.Namespace) -> Answer:
    """Tell what is wrong (exit 1) or doubtful with a case and its data."""
    import msgspec

    from trackrecord.cli.findings import findings_of, tell_findings
    from trackrecord.data.table import load_case_table

    opened = open_case(options)
    table: CaseTable | None = None
    with progress("checking") as step:
        step("reading the data", 0.2)
        with suppress(DataError):  # which is a finding then
            table = load_case_table(opened.case, opened.workspace.root, strict=False)
        findings = findings_of(opened, table)
    tell_findings(findings)
    name = opened.case.name
    errors = sum(finding.severity == "error" for finding in findings)
    doubts = counted(len(findings) - errors, "doubt")
    if errors:
        say(f"✗ {errors} to mend, {doubts} in {opened.shown}")
        say_next(f"mend them, then: trackrecord case check {name}")
    else:
        say(f"✓ nothing is wrong with '{name}'; {doubts}")
        say_next(step_after_check(opened, findings, table))
    return Answer(1 if errors else 0, {"case": name, "findings": msgspec.to_builtins(findings)})


def step_after_check(opened: Opened, findings: list[Finding], table: CaseTable | None) -> str:
    """What to do with a case that has no error: decide, seal, amend or run it."""
    from trackrecord.cases.seal import drift_since_seal, life_of, sealed_case
    from trackrecord.data.checks.decisions import UNDECIDED
    from trackrecord.data.split import assign_parts, split_digest
    from trackrecord.ledger import read_chain

    case, evidence = opened.case, opened.workspace.evidence
    undecided = sum(finding.code == UNDECIDED for finding in findings)
    if undecided:
        places = counted(undecided, "place")
        return f"decide what the draft left open in {places}, then: trackrecord seal {case.name}"
    try:
        life = life_of(read_chain(evidence), case.name)
        seal = sealed_case(evidence, life.seal) if life.seal is not None else None
    except LedgerError:
        return "the ledger is not whole: trackrecord doctor"
    if seal is None or table is None:
        return f"trackrecord seal {case.name}"
    split = split_digest(table, assign_parts(table.frame, case), case).digest
    if drift_since_seal(seal, case, table.digests, split):
        return f'trackrecord amend {case.name} --reason "why it has to change"'
    return f"trackrecord run {case.name}"
