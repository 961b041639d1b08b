"""The ledger: evidence named by its digest, and the chain that binds every piece to the one before.

Imports errors only; knows no data frame. Names load on first use, so that
``trackrecord.ledger.index`` starts in a few milliseconds.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing for this would take as long as all the rest

if TYPE_CHECKING:
    from trackrecord.ledger.append import record
    from trackrecord.ledger.chain import (
        ChainProblem,
        ChainReport,
        Entry,
        check_chain,
        read_chain,
    )
    from trackrecord.ledger.jcs import canonical
    from trackrecord.ledger.naming import case_digest
    from trackrecord.ledger.statement import Statement, Subject, predicate_type
    from trackrecord.ledger.store import read_evidence, write_atomic

__all__ = [
    "ChainProblem",
    "ChainReport",
    "Entry",
    "Statement",
    "Subject",
    "canonical",
    "case_digest",
    "check_chain",
    "predicate_type",
    "read_chain",
    "read_evidence",
    "record",
    "write_atomic",
]

_HOME = {
    "canonical": "jcs",
    "ChainProblem": "chain",
    "ChainReport": "chain",
    "Entry": "chain",
    "case_digest": "naming",
    "check_chain": "chain",
    "read_chain": "chain",
    "record": "append",
    "Statement": "statement",
    "Subject": "statement",
    "predicate_type": "statement",
    "read_evidence": "store",
    "write_atomic": "store",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found
