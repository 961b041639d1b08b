"""``trackrecord verify``: for a reviewer, who has neither the data nor the code."""

from __future__ import annotations

import argparse
from pathlib import Path

from trackrecord.cli.command import Answer
from trackrecord.cli.printing import progress, say


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Check a published folder without the data or the code: every digest, the chain, the order of\n"
        "seal and run, every metric and interval recomputed from the published predictions, and each\n"
        "number on the page. A line for each claim with its level: L0 stated, L1 recomputed."
    )
    parser.epilog = (
        "example:\n  trackrecord verify published/churn\n\n"
        "exit 0 everything holds · 1 something does not · 2 not a published folder"
    )
    parser.add_argument("published", help="the published folder")


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec
    from trackrecord.portfolio.verify import verify_folder

    folder = Path(options.folder or ".") / options.published
    with progress("verifying") as step:
        step("recomputing", 0.3)
        report = verify_folder(folder)
    for check in report.checks:
        say(f"{'✓' if check.ok else '✗'} {check.name}: {check.what}")
        if not check.ok:
            say(f"    file:     {check.file}")
            if check.expected is not None:
                say(f"    expected: {check.expected}")
            if check.found is not None:
                say(f"    found:    {check.found}")
    for claim in report.claims:
        say(f"{'✓' if claim.ok else '✗'} {claim.level} {claim.text}")
        if not claim.ok:
            say(f"    falls: {claim.reason}")
    held = sum(claim.ok for claim in report.claims)
    if report.exit_code == 0:
        say(f"✓ {held} of {len(report.claims)} claims hold; every number was recomputed here")
    else:
        failed = sum(not check.ok for check in report.checks)
        say(f"✗ {failed} findings; {held} of {len(report.claims)} claims hold")
    return Answer(report.exit_code, msgspec.to_builtins(report))
