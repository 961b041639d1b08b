"""The doctor: looks at all that the ledger keeps, explains, and repairs only when told to."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import msgspec

from trackrecord.errors import LedgerError
from trackrecord.ledger.append import append_line, open_chain
from trackrecord.ledger.branches import Branches, ChainProblem, Row, read_branches, read_row
from trackrecord.ledger.chain import settled_branches
from trackrecord.ledger.findings import (
    MERGE,
    REPAIR,
    Finding,
    restore,
    restore_line,
    said_heads,
    said_row,
)
from trackrecord.ledger.lines import CHAIN
from trackrecord.ledger.lock import locked
from trackrecord.ledger.merging import merge_heads, other_chains
from trackrecord.ledger.statement import predicate_type
from trackrecord.ledger.store import (
    DIGEST,
    TEMPORARY,
    cannot_write,
    decode_statement,
    fsync,
    write_atomic,
)

__all__ = ["Finding", "examine", "merge_heads", "repair_torn_tail"]

_KEPT = (f"{CHAIN}.before-merge", f"{CHAIN}.torn")
_MOST_ALIKE = 20  # findings of one code that are told one by one


def examine(evidence: Path) -> list[Finding]:
    """All that is not as it should be, the chain first. An empty list: the ledger is whole.

    Reads every byte of the evidence; changes nothing, takes no lock.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(evidence) if entry.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(
            "cannot read the evidence", where=str(evidence), why=error.strerror or str(error)
        ) from error
    folder = evidence.name
    branches = Branches([], [], [])
    findings: list[Finding] = []
    if CHAIN in names:
        branches = _branches(evidence / CHAIN)
        findings += [_chain_finding(f"{folder}/{CHAIN}", p, branches) for p in branches.problems]
    elif any(name.endswith(".json") for name in names):
        what = "there is evidence, but the chain is gone: nothing says in which order it was made"
        file = f"{folder}/{CHAIN}"
        findings.append(Finding("missing-chain", what, file, next=restore(file)))
    rows = list(branches.rows)
    others = other_chains(evidence)
    if not others and (unmerged := _unmerged_finding(evidence, rows)) is not None:
        findings.append(unmerged)
    for path in others:
        other = _branches(path)
        findings.append(_other_chain_finding(f"{folder}/{path.name}", branches, other))
        rows += other.rows
    findings += _evidence_findings(evidence, names, rows)
    findings += _stray_findings(folder, names)
    return _shortened(findings)


def _branches(path: Path) -> Branches:
    try:
        return settled_branches(path)
    except OSError as error:
        raise LedgerError(
            "cannot read the chain", where=str(path), why=error.strerror or str(error)
        ) from error


def repair_torn_tail(evidence: Path, lock_path: Path | None = None) -> Path | None:
    """Take the torn end off the chain, keeping its bytes in a file beside it; returns that file.

    When the end is a whole entry that only lacks its newline, the newline is added and the chain
    itself is returned. Returns None, and changes nothing, when the end is not torn.
    """
    path = evidence / CHAIN
    if not path.exists():
        return None
    with locked(evidence, lock_path), open_chain(evidence) as chain:
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        torn = data[end:]
        if not torn:
            return None
        row = read_row(torn, 0)
        if row is not None and row.holds:
            append_line(chain, evidence, b"\n")
            return path
        kept = evidence / f"{CHAIN}.torn-{hashlib.sha256(torn).hexdigest()[:8]}"
        write_atomic(kept, torn)
        try:
            os.ftruncate(chain, end)
            fsync(chain)
        except OSError as error:
            raise cannot_write(path, error) from error
        return kept


_NEXT = {
    "torn-tail": REPAIR,
    "missing-newline": REPAIR,
    "forked-chain": MERGE,
    "conflict-marker": MERGE,
    "copied-line": MERGE,
    "out-of-order": MERGE,
}


def _chain_finding(file: str, problem: ChainProblem, branches: Branches) -> Finding:
    what = problem.what
    if problem.code == "torn-tail":
        what += (
            ". A process died while it wrote this entry; the step that it belonged to did not "
            "finish, and has to be run again"
        )
    if problem.code == "forked-chain":
        what += f". {said_heads(branches)}"
    following = _NEXT.get(problem.code) or restore_line(file)
    if problem.code == "line-ending":
        following = "save the file with LF, and keep this line in .gitattributes: evidence/* -text"
    return Finding(problem.code, what, file, problem.line, following)


def _other_chain_finding(file: str, chain: Branches, other: Branches) -> Finding:
    here = {row.digest for row in chain.rows}
    there = {row.digest for row in other.rows}
    wrong = [p for p in other.problems if p.code not in ("forked-chain", "conflict-marker")]
    if wrong:
        what = f"this second chain is not whole: {wrong[0].what}"
        return Finding("second-chain", what, file, wrong[0].line, restore(file))
    if there <= here:
        what = "this second chain has no entry that the chain has not"
        return Finding("second-chain", what, file, next=f"delete it: rm {file}", harmless=True)
    more = len(there - here)
    entries = "1 entry" if more == 1 else f"{more} entries"
    if here <= there:
        what = f"this second chain continues the chain by {entries}"
        return Finding("second-chain", what, file, next=MERGE)
    rows = {row.digest: row for row in [*chain.rows, *other.rows]}
    both = Branches(list(rows.values()), [*chain.heads[-1:], *other.heads[-1:]], [])
    what = f"the chain forks: this second chain has {entries} of its own. {said_heads(both)}"
    return Finding("forked-chain", what, file, next=MERGE)


def _unmerged_finding(evidence: Path, rows: list[Row]) -> Finding | None:
    """A git merge that kept one of two chains in the file, and waits for somebody to decide.

    Git itself is asked, because ``merge=binary`` leaves no trace in the file.
    """
    if not any((folder / ".git").exists() for folder in evidence.absolute().parents):
        return None
    theirs = _git(evidence, "show", f":3:./{CHAIN}")
    if theirs is None:
        return None
    folder = evidence.name
    file = f"{folder}/{CHAIN}"
    if {row.digest for row in read_branches(theirs).rows} <= {row.digest for row in rows}:
        what = "the chain has the entries of both clones, and git has not been told"
        tell = f"git add {folder}"
        return Finding("unmerged-chain", what, file, next=tell, harmless=True)
    what = "git could not merge the chain: the file has this clone's entries, not the other's"
    get = f"git show :3:./{file} > {folder}/chain.theirs.jsonl"
    return Finding("unmerged-chain", what, file, next=f"{get}; {MERGE}")


def _git(folder: Path, *words: str) -> bytes | None:
    """What git answers; None where there is no git, or it has no answer."""
    import subprocess

    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def _evidence_findings(evidence: Path, names: list[str], rows: list[Row]) -> list[Finding]:
    findings = []
    named = {row.evidence: row for row in rows if row.evidence is not None}
    there = set(names)
    for digest, row in named.items():
        file = f"{evidence.name}/{digest}.json"
        if f"{digest}.json" not in there:
            what = f"evidence is missing: the chain names it in {said_row(row)}"
            findings.append(Finding("missing-evidence", what, file, next=restore(file)))
    for name in names:
        digest = name.removesuffix(".json")
        if name == digest or not DIGEST.match(digest):
            continue
        finding = _file_finding(evidence / name, digest, named.get(digest))
        if finding is not None:
            findings.append(finding)
    return findings


def _file_finding(path: Path, digest: str, row: Row | None) -> Finding | None:
    file = f"{path.parent.name}/{path.name}"
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"evidence cannot be read: {error.strerror}"
        return Finding(
            "unreadable-evidence", what, file, next=f"make it readable: chmod u+r {file}"
        )
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        what = f"evidence was changed: its SHA-256 is {found[:12]}… and not its name"
        return Finding("changed-evidence", what, file, next=restore(file))
    try:
        kind = decode_statement(data).predicateType
    except ValueError as error:
        what = f"this is not a canonical in-toto Statement v1: {error}"
        return Finding("not-evidence", what, file, harmless=row is None)
    if row is None:
        what = (
            f"no entry of the chain names this evidence ({kind}): a process died after it wrote "
            "it and before it recorded it, and that step has to be run again; or a git merge "
            "kept one of two chains"
        )
        return Finding("unrecorded-evidence", what, file, harmless=True)
    if kind != predicate_type(row.kind):
        what = f"the chain calls this evidence a '{row.kind}', and it says that it is {kind}"
        return Finding("wrong-kind", what, file, next=restore(f"{path.parent.name}/{CHAIN}"))
    return None


def _stray_findings(folder: str, names: list[str]) -> list[Finding]:
    findings = []
    for name in names:
        file = f"{folder}/{name}"
        if TEMPORARY.match(name):
            what = "a temporary file: the process that wrote it died, or still is at work"
            delete = f"delete it, when nothing is running: rm {file}"
            findings.append(Finding("leftover-file", what, file, next=delete, harmless=True))
        elif name.startswith(_KEPT) or (name.startswith("chain.") and ".jsonl.merged" in name):
            what = "what a repair or a merge set aside"
            delete = f"delete it, when you no longer want it: rm {file}"
            findings.append(Finding("kept-aside", what, file, next=delete, harmless=True))
        elif not (name == CHAIN or _is_part(name)):
            what = "this file is no part of the ledger"
            findings.append(Finding("stray-file", what, file, harmless=True))
    return findings


def _is_part(name: str) -> bool:
    if name.startswith("chain.") and name.endswith(".jsonl"):
        return True
    return name.endswith(".json") and bool(DIGEST.match(name.removesuffix(".json")))


def _shortened(findings: list[Finding]) -> list[Finding]:
    """The first findings of each code one by one; the others of that code counted in one more."""
    count: Counter[str] = Counter()
    kept = []
    for finding in findings:
        count[finding.code] += 1
        if count[finding.code] <= _MOST_ALIKE:
            kept.append(finding)
    for code, number in count.items():
        if number > _MOST_ALIKE:
            like = next(finding for finding in kept if finding.code == code)
            what = f"{number - _MOST_ALIKE} more findings like this one"
            kept.append(msgspec.structs.replace(like, what=what, line=None))
    return kept
