"""Checks the chain: each line, its place, what it is bound to, and what stands at its end."""

from __future__ import annotations

from trackrecord.ledger import Entry, check_chain
from trackrecord.ledger.branches import read_branches
from trackrecord.ledger.chain import entry_of, read_chain
from trackrecord.portfolio.checking.folder import CHAIN, Folder, Unreadable
from trackrecord.portfolio.checking.report import Check, bad, good

MOST_MERGES = 200


def check_folder_chain(folder: Folder, head: str | None) -> tuple[list[Entry], list[Check]]:
    """The chain's entries, and what is wrong with it.

    ``head`` is the digest of the last line as the reviewer noted it elsewhere. Without one, a
    history that was rewritten from its first line cannot be told from an honest one.
    """
    try:
        data = folder.read(CHAIN)
    except Unreadable as error:
        return [], [bad("chain", str(error), CHAIN)]
    if data.count(b'"kind":"merge"') > MOST_MERGES:
        return [], [bad("chain", f"it has more than {MOST_MERGES:,} merges", CHAIN)]
    evidence = folder.root / "evidence"
    report = check_chain(evidence)
    if report.problems:
        # What can still be read of it tells which other files are in order.
        entries = [entry_of(row, row.seq) for row in read_branches(data).rows]
    else:
        entries = read_chain(evidence)
    findings = [
        bad("chain", f"line {problem.line}: {problem.what}", CHAIN, problem.expected, problem.found)
        for problem in report.problems
    ]
    if not findings and entries and entries[-1].kind != "publication":
        findings.append(
            bad(
                "chain",
                "its last line is not the publication of this folder",
                CHAIN,
                "publication",
                entries[-1].kind,
            )
        )
    if not entries:
        findings.append(bad("chain", "it has no line", CHAIN))
    findings += _times(entries)
    if head is not None and (not entries or entries[-1].digest != head.lower()):
        found = entries[-1].digest if entries else None
        findings.append(bad("head", "it is not the history that was noted", CHAIN, head, found))
    if findings:
        return entries, findings
    said = f"{len(entries):,} lines, each bound to the one before"
    return entries, [good("chain", said, CHAIN)]


def _times(entries: list[Entry]) -> list[Check]:
    """No line may be older than one that it follows."""
    times = {entry.digest: entry.time for entry in entries}
    for entry in entries:
        latest = max((times.get(digest, "") for digest in (entry.prev, *entry.also)), default="")
        if entry.time < latest:
            what = f"line {entry.seq + 1} is dated before the line that it follows"
            return [bad("chain", what, CHAIN, f"not before {latest}", entry.time)]
    return []
