"""``trackrecord case new`` and ``trackrecord case check``."""

from __future__ import annotations

import argparse
from pathlib import Path

from trackrecord.cli.command import Answer, sub_verb
from trackrecord.cli.opening import add_case_argument, open_case, open_workspace_of
from trackrecord.cli.printing import progress, say
from trackrecord.errors import BadInput


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Draft a case from data, and check it before anything is trained."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="new|check")
    new = sub_verb(
        group,
        "new",
        help="draft cases/NAME/case.toml from the data, with comments that teach",
        description="Draft cases/NAME/case.toml from the data. What only you can decide is marked.",
    )
    new.epilog = "example:\n  trackrecord case new churn --from data/customers.csv"
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
    check.epilog = "example:\n  trackrecord case check churn\n\nexit 1 when something is wrong; doubts alone exit 0"
    add_case_argument(check)


def run(verb: str, options: argparse.Namespace) -> Answer:
    return new_case(options) if options.sub_verb == "new" else check(options)


def new_case(options: argparse.Namespace) -> Answer:
    import shutil

    from trackrecord.ledger import write_atomic

    from trackrecord.data.draft import draft_case

    workspace = open_workspace_of(options)
    path = workspace.case_file(options.name)
    if path.exists():
        raise BadInput(
            f"the case '{options.name}' exists already",
            where=path.relative_to(workspace.root).as_posix(),
            next=f"edit it, then: trackrecord case check {options.name}",
        )
    source = Path(options.folder or ".").joinpath(options.data)
    if not source.is_file():
        raise BadInput(f"there is no file {options.data}", next="name a CSV, Parquet or Arrow file")
    inside = source.resolve().is_relative_to(workspace.root)
    relative = (
        source.resolve().relative_to(workspace.root).as_posix() if inside else f"data/{source.name}"
    )
    with progress("reading the data") as step:
        step(f"reading {options.data}", 0.1)
        text = draft_case(source, options.name, relative)
    if not inside:
        target = workspace.root / relative
        if target.exists() and target.read_bytes() != source.read_bytes():
            raise BadInput(
                f"{relative} exists and is a different file",
                next="rename your file, or remove the one in data/",
            )
        if not target.exists():
            temporary = target.with_name(target.name + ".copying")
            shutil.copyfile(source, temporary)
            temporary.replace(target)
            say(f"✓ copied {options.data} to {relative}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.encode())
    decisions = text.count("# decide:")
    say(
        f"✓ drafted cases/{options.name}/case.toml – {decisions} places marked '# decide:' wait for you"
    )
    say(f"  next: edit it, then: trackrecord case check {options.name}")
    return Answer(0, {"case": options.name, "file": f"cases/{options.name}/case.toml"})


def check(options: argparse.Namespace) -> Answer:
    from trackrecord.data.check import check_case

    opened = open_case(options)
    with progress("checking") as step:
        step("reading the data", 0.2)
        findings = check_case(opened.case, opened.workspace.root, opened.line_of)
    tell_findings(findings)
    errors = sum(finding.severity == "error" for finding in findings)
    doubts = len(findings) - errors
    if not errors:
        say(
            f"✓ nothing is wrong with '{opened.case.name}'"
            + (f"; {doubts} doubts" if doubts else "")
        )
        say(f"  next: trackrecord seal {opened.case.name}")
    else:
        say(f"✗ {errors} to mend, {doubts} doubts in {opened.shown}")
    return Answer(1 if errors else 0, {"case": opened.case.name, "findings": _plain(findings)})


def tell_findings(findings: list) -> None:  # type: ignore[type-arg]
    """One block for each finding: mark, code, place, what, fix."""
    for finding in findings:
        mark = "✗" if finding.severity == "error" else "?"
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        say(f"{mark} {finding.code} {place}")
        say(f"    {finding.what}")
        say(f"    fix: {finding.fix}")


def _plain(value: object) -> object:
    import msgspec

    return msgspec.to_builtins(value)
