"""``trackrecord verify``: for a reviewer, who has neither the data nor the code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.printing import progress, say, say_next

if TYPE_CHECKING:
    from trackrecord.portfolio.checking.report import Check, Report

MOST_SHOWN = 40


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

    folder = Path(options.folder or ".") / options.published
    with progress("verifying") as step:
        report = verify_folder(folder, head=options.head, progress=step)
    for check in report.checks[:MOST_SHOWN]:
        tell_check(check)
    if len(report.checks) > MOST_SHOWN:
        say(f"  … and {len(report.checks) - MOST_SHOWN:,} more; all of them with --json")
    for claim in report.claims:
        say(f"{'✓' if claim.ok else '✗'} {claim.level} {claim.text}")
        if not claim.ok:
            say(f"     falls: {claim.reason}")
    tell_end(report)
    return Answer(report.exit_code, msgspec.to_builtins(report))


def tell_check(check: Check) -> None:
    """One check: a line when it holds; file, expected and found when it does not."""
    if check.ok:
        say(f"✓ {check.name:<9} {check.what}")
        return
    say(f"✗ {check.name:<9} {check.what}")
    say(f"    file:     {check.file}")
    if check.expected is not None:
        say(f"    expected: {check.expected}")
    if check.found is not None:
        say(f"    found:    {check.found}")


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
