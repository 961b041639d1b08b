"""``trackrecord verify``: for a reviewer, who has neither the data nor the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.printing import counted, progress, say, say_next
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.portfolio.checking.report import Check, Report

MOST_TOLD = 4
MOST_FILES = 20


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Check a published folder without the data or the code: every digest, the chain, the\n"
        "order of seal and run, every metric and interval recomputed from the published\n"
        "predictions, and each number on the page. A line for each claim with its level:\n"
        "L0 stated, L1 recomputed."
    )
    parser.epilog = (
        "examples:\n  trackrecord verify published/churn\n"
        "  trackrecord verify published/churn --head 5f0c…   the head that you noted last time\n\n"
        "exit 0 everything holds · 1 something does not · 2 not a published folder"
    )
    parser.add_argument("published", help="the published folder")
    parser.add_argument(
        "--head",
        metavar="DIGEST",
        help="the digest of the chain's last line, noted elsewhere: tells a history that was\n"
        "rewritten from its first line",
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.portfolio.verify import verify_folder

    if options.head is not None and not re.fullmatch(r"[0-9a-f]{64}", options.head):
        raise BadInput(
            f"{options.head!r} cannot be the head of a chain",
            why="a head is 64 digits of 0-9 and a-f, as `verify` prints it last",
            next=f"trackrecord verify {options.published} --head DIGEST",
        )
    folder = Path(options.folder or ".") / options.published
    with progress("verifying") as step:
        report = verify_folder(folder, head=options.head, progress=step)
    tell_findings(report)
    for check in report.checks:
        if check.ok:
            say(f"✓ {check.name:<9} {check.what}", indent=12)
    for claim in report.claims:
        say(f"{'✓' if claim.ok else '✗'} {claim.level} {claim.text}", indent=5)
        if not claim.ok:
            say(f"     falls: {claim.reason}", indent=12)
    tell_end(report)
    return Answer(report.exit_code, msgspec.to_builtins(report))


def tell_findings(report: Report) -> None:
    """What is wrong, summed up by file first; then a few findings of each file."""
    for line in summary_of(report):
        say(f"✗ {line}", indent=2)
    for file, checks in _broken(report).items():
        for check in checks[:MOST_TOLD]:
            tell_finding(check)
        if (left := len(checks) - MOST_TOLD) > 0:
            say(f"  … and {left:,} more in {file}: --json has them all")


def summary_of(report: Report) -> list[str]:
    """A line for each file that something is wrong with: what, and how many claims it fells."""
    lines = []
    for file, checks in _broken(report).items():
        numbers = {
            found[1]
            for check in checks
            if (found := re.match(r"(line .*): the (?:text|value) is not", check.what))
        }
        said = [check.what for check in checks if check.name == "files"][:1]
        if numbers:
            many = len(numbers) != 1
            said.append(
                f"{len(numbers):,} number{'s' if many else ''} {'are' if many else 'is'} not "
                "the evidence's"
            )
        if not said:
            said = [checks[0].what]
        fallen = sum(not c.ok and (c.reason or "").startswith(file) for c in report.claims)
        if fallen:
            said.append(f"{counted(fallen, 'claim')} {'fall' if fallen != 1 else 'falls'}")
        lines.append(f"{file}: {'; '.join(said)}")
    return lines[:MOST_FILES] + (
        [f"{len(lines) - MOST_FILES:,} more files: --json has them all"]
        if len(lines) > MOST_FILES
        else []
    )


def _broken(report: Report) -> dict[str, list[Check]]:
    """The findings by file, in the order they were found."""
    found: dict[str, list[Check]] = {}
    for check in report.checks:
        if not check.ok:
            found.setdefault(check.file, []).append(check)
    return found


def tell_finding(check: Check) -> None:
    """What does not hold, with file, expected and found."""
    say(f"✗ {check.name:<9} {check.what}", indent=12)
    say(f"    file:     {check.file}", indent=14)
    if check.expected is not None:
        say(f"    expected: {check.expected}", indent=14)
    if check.found is not None:
        say(f"    found:    {check.found}", indent=14)


def tell_end(report: Report) -> None:
    """What it comes to, and what it does not prove."""
    if report.exit_code == 2:
        say("✗ this cannot be verified")
        say_next("name a folder that `trackrecord publish` wrote, with a version as new as it")
        return
    held = sum(claim.ok for claim in report.claims)
    claims = f"{held} of {len(report.claims)} claims hold"
    if report.exit_code == 1:
        failed = sum(not check.ok for check in report.checks)
        say(f"✗ {failed:,} finding{'s' if failed != 1 else ''}; {claims}")
        return
    recomputed = sum(claim.level == "L1" for claim in report.claims)
    say(f"✓ {claims}, {recomputed} of them recomputed here (L1) among {report.numbers:,} numbers")
    say(f"  head {report.head} – note it elsewhere, and give it with --head next time")
