"""A check as evidence: what was promised, of which bytes, and how often each rule was broken.

Offending values stay out of it: they may be anybody's data. They are in the quarantine files.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from trackrecord.data.contract.changes import Change, changes
from trackrecord.data.contract.outcome import Checked
from trackrecord.data.contract.spec import Contract, decode_contract
from trackrecord.data.contract.written import contract_text
from trackrecord.ledger import Entry, Subject, read_chain, read_evidence, record
from trackrecord.ledger.store import file_sha256

KIND = "contract"


class RuleShare(msgspec.Struct, frozen=True):
    """One rule: ``failed`` of ``rows`` rows, with the share's Wilson interval at 95 %."""

    name: str
    asks: str
    status: str
    rows: int
    failed: int | None = None
    share: float | None = None
    lo: float | None = None
    hi: float | None = None


class ContractPredicate(msgspec.Struct, frozen=True):
    """A table against its contract.

    ``contract`` is the whole of it as TOML without comments, so that versions can be compared: JSON
    has no place for bounds beyond 2^53. ``changes`` are those since the check before.
    """

    name: str
    version: str
    contract: str
    rows: int
    holds: bool
    rules: list[RuleShare]
    changes: list[Change] = []


def record_check(
    evidence: Path,
    contract: Contract,
    checked: Checked,
    *,
    contract_file: Path,
    data_file: Path,
    since: list[Change],
    root: Path,
    called: str | None = None,
) -> Entry:
    """Put the check on the chain; its subjects are the contract's bytes and the data's.

    ``called`` is the name of data whose file has another only for now.
    """
    shares = [
        RuleShare(one.name, one.asks, one.status, one.rows, one.failed, one.share, one.lo, one.hi)
        for one in checked.outcomes
    ]
    subjects = [
        Subject(named, {"sha256": file_sha256(path)})
        for named, path in (
            (_name(contract_file, root), contract_file),
            (called or _name(data_file, root), data_file),
        )
    ]
    predicate = ContractPredicate(
        contract.name,
        contract.version,
        contract_text(contract),
        checked.rows,
        checked.holds,
        shares,
        since,
    )
    return record(evidence, kind=KIND, predicate=predicate, subjects=subjects, case=None)


def _name(path: Path, root: Path) -> str:
    """As seen from the workspace; of a file elsewhere only what it is called."""
    resolved, base = path.resolve(), root.resolve()
    return resolved.relative_to(base).as_posix() if base in resolved.parents else path.name


def last_contract(evidence: Path, name: str) -> Contract | None:
    """The contract of this name that was last checked, or None. Raises LedgerError."""
    if not (evidence / "chain.jsonl").exists():
        return None
    for entry in reversed(read_chain(evidence)):
        if entry.kind == KIND and entry.evidence:
            predicate = read_evidence(evidence, entry.evidence).predicate
            if predicate.get("name") == name:
                found = msgspec.convert(predicate, ContractPredicate)
                return decode_contract(found.contract, f"evidence {entry.evidence[:12]}")[0]
    return None


def changes_since(evidence: Path, contract: Contract) -> tuple[Contract | None, list[Change]]:
    """The contract that was last checked, and what is different now."""
    before = last_contract(evidence, contract.name)
    return before, [] if before is None else changes(before, contract)
