"""Joining the branches of a forked chain: nothing is thrown away, and one entry says it was done.

A fork is what honest work leaves behind when two clones of a workspace both appended. Git can
bring the two chains together as the union of their lines, as a file with conflict markers, or as
a second file, ``chain.NAME.jsonl``, that somebody put beside the first. All three come here.
"""

from __future__ import annotations

import os
from pathlib import Path

from trackrecord.errors import LedgerError
from trackrecord.ledger.append import append_line, make_line, open_chain
from trackrecord.ledger.branches import Branches, Row, heads_of, in_order, read_branches
from trackrecord.ledger.chain import DOCTOR, Entry, entry_of, error_of
from trackrecord.ledger.lines import CHAIN
from trackrecord.ledger.lock import locked
from trackrecord.ledger.store import cannot_write, write_atomic

# What a merge mends; with any other problem the lines cannot be trusted to be all there.
MENDED = {"conflict-marker", "forked-chain", "copied-line", "out-of-order"}


def other_chains(evidence: Path) -> list[Path]:
    """The files ``chain.NAME.jsonl`` beside the chain, by name."""
    return sorted(path for path in evidence.glob("chain.*.jsonl") if path.is_file())


def merge_heads(evidence: Path, lock_path: Path | None = None) -> Entry | None:
    """Join all heads of the chain, and of other chain files beside it, with one merge entry.

    Every entry of every branch stays, and the lines come into their one order (see
    `trackrecord.ledger.branches.in_order`). Where the file has to be written anew, its old bytes
    are kept as ``chain.jsonl.before-merge``; a file that was merged in gets the ending
    ``.merged``. Returns the entry that now is the only head: the merge, or, where one branch just
    goes on where the other ends, its last entry. Returns None, and changes nothing, when the
    chain is whole and there is nothing to join.

    Raises LedgerError when a line is torn or changed, or an entry is missing: mend that first.
    """
    if not (evidence / CHAIN).exists():
        return None
    with locked(evidence, lock_path):
        # Opened to see that it can be written, and closed: Windows replaces no file that is open.
        with open_chain(evidence):
            old = (evidence / CHAIN).read_bytes()
        others = other_chains(evidence)
        rows = _trusted_rows(evidence / CHAIN, read_branches(old))
        for other in others:
            rows += _trusted_rows(other, read_branches(other.read_bytes()))
        ordered = in_order(rows)
        if len(ordered) != len({row.digest for row in rows}):
            raise LedgerError(
                "the chain cannot be merged yet: an entry that another follows is missing",
                where=str(evidence / CHAIN),
                next=DOCTOR,
            )
        heads = heads_of(ordered)
        new = b"".join(row.raw for row in ordered)
        if len(heads) < 2 and new == old:
            return None
        line = b""
        if len(heads) < 2:
            entry = entry_of(ordered[-1], len(ordered) - 1)
        else:
            entry, line = make_line(
                kind="merge", case=None, evidence=None, follows=heads, seq=len(ordered)
            )
        if new == old:
            with open_chain(evidence) as chain:
                append_line(chain, evidence, line)
        else:
            write_atomic(_unused(evidence / f"{CHAIN}.before-merge"), old)
            write_atomic(evidence / CHAIN, new + line)
        for other in others:
            try:
                os.replace(other, _unused(other.with_name(f"{other.name}.merged")))
            except OSError as error:
                raise cannot_write(other, error) from error
        return entry


def _trusted_rows(path: Path, branches: Branches) -> list[Row]:
    for problem in branches.problems:
        if problem.code not in MENDED:
            error = error_of(path, problem)
            raise LedgerError(
                f"the chain cannot be merged yet: {error.what}",
                where=error.where,
                why=error.why,
                next=DOCTOR,
            )
    return branches.rows


def _unused(path: Path) -> Path:
    """``path``, or the same with a number where that name is taken."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate
