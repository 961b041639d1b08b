"""Chains to test with: made by the ledger itself, without the time that a disk takes."""

from __future__ import annotations

from pathlib import Path

from trackrecord.ledger import Entry, Subject, case_digest, record
from trackrecord.ledger.append import make_line
from trackrecord.ledger.branches import Row, read_row

DIGEST = "ab" * 32


def add(
    evidence: Path, count: int = 1, *, case: str = "flights", kind: str = "look"
) -> list[Entry]:
    """Record ``count`` looks whose evidence differs from all others."""
    there = len(list(evidence.glob("*.json")))
    return [
        record(
            evidence,
            kind=kind,
            predicate={"case": case, "number": there + i},
            subjects=[Subject("run", {"sha256": DIGEST})],
            case=case,
        )
        for i in range(count)
    ]


def line_after(*follows: Row, seq: int, evidence: str = DIGEST, case: str = "flights") -> Row:
    """A line that follows the given ones; a merge when they are several."""
    merge = len(follows) > 1
    _, raw = make_line(
        kind="merge" if merge else "look",
        case=None if merge else case_digest(case),
        evidence=None if merge else evidence,
        follows=follows,
        seq=seq,
    )
    row = read_row(raw[:-1], 0)
    assert row is not None
    return row


def straight_chain(count: int) -> list[Row]:
    """``count`` lines, each after the one before."""
    rows: list[Row] = []
    for seq in range(count):
        rows.append(line_after(*rows[-1:], seq=seq, evidence=f"{seq:064x}"))
    return rows


def raw(*rows: Row) -> bytes:
    return b"".join(row.raw for row in rows)


def write_chain(evidence: Path, data: bytes) -> Path:
    """Put these bytes where the chain is."""
    evidence.mkdir(exist_ok=True)
    (evidence / "chain.jsonl").write_bytes(data)
    return evidence
