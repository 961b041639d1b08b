"""``trackrecord doctor``: finds and explains; repairs only what it is told to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.printing import hint, say

if TYPE_CHECKING:
    from trackrecord.ledger.findings import Finding
    from trackrecord.workspace import Workspace


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look for torn writes, missing or changed evidence, a chain with two heads, and sources\n"
        "that are not what was added. Nothing is repaired unless you ask, and what a repair takes\n"
        "away is kept beside."
    )
    parser.epilog = (
        "examples:\n  trackrecord doctor\n  trackrecord doctor --merge\n\n"
        "exit 1 when something is wrong"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--repair",
        action="store_true",
        help="set aside the torn end of the chain, keeping its bytes",
    )
    group.add_argument(
        "--merge",
        action="store_true",
        help="join two heads with a merge entry, keeping both branches",
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.ledger.doctor import examine, merge_heads, repair_torn_tail

    workspace = open_workspace_of(options)
    lock = workspace.cache / "lock"
    if options.repair:
        saved = repair_torn_tail(workspace.evidence, lock_path=lock)
        if saved is None:
            say("the end of the chain is not torn: nothing was changed")
        elif saved.name == "chain.jsonl":
            say("✓ the last entry only lacked its newline, which was added")
        else:
            say(f"✓ the torn end of the chain was moved to {saved.name}")
    if options.merge:
        entry = merge_heads(workspace.evidence, lock_path=lock)
        if entry is None:
            say("the chain has one head: nothing was changed")
        else:
            say(f"✓ every entry of every branch was kept; the head is entry {entry.seq}")
    findings = [*examine(workspace.evidence), *unfinished_runs(workspace)]
    if (workspace.root / "data").is_dir():
        from trackrecord.data.ingest.leftovers import examine_sources

        findings += examine_sources(workspace.root)
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        say(f"{'·' if finding.harmless else '✗'} {finding.code} {place}")
        say(f"    {finding.what}")
        if finding.next:
            say(f"    next: {hint(finding.next)}", indent=None)
    wrong = [finding for finding in findings if not finding.harmless]
    if not wrong:
        say("✓ the ledger is whole")
    return Answer(1 if wrong else 0, {"findings": msgspec.to_builtins(findings)})


def unfinished_runs(workspace: Workspace) -> list[Finding]:
    """Folders of runs that were ended before the ledger had them; none where it cannot be read."""
    from trackrecord.errors import LedgerError
    from trackrecord.ledger.doctor import Finding
    from trackrecord.modeling.folders import find_leftovers

    try:
        left = [item for name in workspace.case_names() for item in find_leftovers(workspace, name)]
    except LedgerError:
        return []  # what is wrong with the ledger has been said already
    return [
        Finding("unfinished-run", item.what, item.path, next=item.next, harmless=True)
        for item in left
    ]
