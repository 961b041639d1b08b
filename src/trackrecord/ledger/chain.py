"""The chain: an append-only log of evidence digests, each line bound to the one before.

Evidence can be withheld; that it was cannot be hidden, because its entry stays in the chain.
"""

from __future__ import annotations

import gc
from pathlib import Path

import msgspec

from trackrecord.errors import LedgerError
from trackrecord.ledger.branches import Branches, ChainProblem, Row, read_branches
from trackrecord.ledger.lines import CHAIN, ZEROS, Columns, NotStraight, straight, texts

__all__ = ["ChainProblem", "ChainReport", "Entry", "check_chain", "read_chain"]

DOCTOR = "trackrecord doctor"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the chain.

    ``seq`` is its place in the chain, from 0; ``time`` is RFC 3339 in UTC, to the second; ``case``
    is `case_digest` of the case's name; ``evidence`` is None for a merge. A merge follows ``prev``
    and every digest in ``also``.
    """

    seq: int
    time: str
    kind: str
    case: str | None
    evidence: str | None
    prev: str
    digest: str
    also: list[str] = []


class ChainReport(msgspec.Struct, frozen=True):
    """How many entries a chain has, what is wrong with it, and the digest of its last entry."""

    entries: int
    problems: list[ChainProblem]
    head: str = ZEROS


def read_chain(evidence: Path) -> list[Entry]:
    """All entries, in order; every digest and every link is checked. No chain yet: no entries.

    Raises LedgerError, naming the line, for a chain that is torn, changed, forked or incomplete.
    """
    path = evidence / CHAIN
    collecting = gc.isenabled()
    try:
        # Entries hold no cycles; looking for some would take half the time.
        gc.disable()
        try:
            with path.open("rb") as file:
                return [entry for columns in straight(file) for entry in _entries(columns)]
        except NotStraight:
            return whole_entries(evidence, settled_branches(path))
    except FileNotFoundError:
        refuse_lost_chain(evidence)
        return []
    except OSError as error:
        raise LedgerError(
            "cannot read the chain", where=str(path), why=error.strerror or str(error)
        ) from error
    finally:
        if collecting:
            gc.enable()


def check_chain(evidence: Path) -> ChainReport:
    """Check every line of the chain. What is wrong is in the report, never an exception.

    One changed byte is a problem at its line; lines that are missing, copied or out of order are
    problems at the first line that shows it. A chain cut short at its end is a shorter chain:
    compare ``entries`` or ``head`` with what is expected.
    """
    path = evidence / CHAIN
    count, head = 0, ZEROS
    try:
        try:
            with path.open("rb") as file:
                for columns in straight(file):
                    count += len(columns.digest)
                    head = columns.digest[-1].decode("ascii")
            return ChainReport(count, [], head)
        except NotStraight:
            branches = settled_branches(path)
    except FileNotFoundError:
        problem = ChainProblem(0, "the chain is missing", expected=CHAIN, code="missing-chain")
        return ChainReport(0, [problem])
    except OSError as error:
        why = error.strerror or str(error)
        problem = ChainProblem(0, "the chain cannot be read", found=why, code="unreadable-chain")
        return ChainReport(0, [problem])
    last = branches.rows[-1].digest if branches.rows else ZEROS
    return ChainReport(len(branches.rows), branches.problems, last)


def settled_branches(path: Path) -> Branches:
    """The chain read the slow way, once no other process is in the middle of writing its end."""
    from time import sleep, time

    for _ in range(5):
        data = path.read_bytes()
        if not data or data.endswith(b"\n") or time() - path.stat().st_mtime > 1:
            break
        sleep(0.01)
    return read_branches(data)


def whole_entries(evidence: Path, branches: Branches) -> list[Entry]:
    """The entries of a chain that has no problem. Raises LedgerError for the first that it has."""
    if branches.problems:
        raise error_of(evidence / CHAIN, branches.problems[0])
    return [entry_of(row, seq) for seq, row in enumerate(branches.rows)]


def entry_of(row: Row, seq: int) -> Entry:
    """A row as an entry in place ``seq``."""
    return Entry(
        seq=seq,
        time=row.time,
        kind=row.kind,
        case=row.case,
        evidence=row.evidence,
        prev=row.prev,
        digest=row.digest,
        also=row.also,
    )


def error_of(path: Path, problem: ChainProblem) -> LedgerError:
    """A problem as an error that names the file, the line and the doctor."""
    parts = [
        f"{label} {text if len(text) != 64 else text[:16] + '…'}"
        for label, text in (("expected", problem.expected), ("found", problem.found))
        if text is not None
    ]
    return LedgerError(
        problem.what,
        where=f"{path}:{problem.line}" if problem.line else str(path),
        why=", ".join(parts) or None,
        next=DOCTOR,
    )


def refuse_lost_chain(evidence: Path) -> None:
    """Raise LedgerError where there is evidence but no chain file: somebody took it away.

    The chain file is made before the first evidence, so no interrupted step leaves this behind.
    """
    if any(evidence.glob("*.json")):
        raise LedgerError(
            "there is evidence, but the chain is gone",
            where=str(evidence / CHAIN),
            why="without it nothing says in which order the evidence was made",
            next="restore it: git checkout -- evidence/chain.jsonl, or from a backup",
        )


def _entries(columns: Columns) -> list[Entry]:
    return [
        Entry(seq=seq, time=time, kind=kind, case=case, evidence=evidence, prev=prev, digest=digest)
        for seq, (case, digest, evidence, kind, prev, time) in enumerate(
            zip(
                columns.cases(),
                texts(columns.digest),
                texts(columns.evidence),
                texts(columns.kind),
                texts(columns.prev),
                texts(columns.time),
                strict=True,
            ),
            columns.seq,
        )
    ]
