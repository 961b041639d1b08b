"""What the evidence says of one case, gathered once: everything a page is written from.

Read from a workspace or from a published folder alike, so whoever has the folder can write the
same page again and compare.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.cases.seal import life_of
from trackrecord.errors import BadInput
from trackrecord.ledger import Entry, case_digest, read_chain, read_evidence
from trackrecord.portfolio.citations import Cited

WORDS = ("seal", "run", "evaluation", "contrast")


class CaseRecord(msgspec.Struct, frozen=True):
    """One case's entries and statements, and which of them its claims speak of.

    ``entries`` are the case's own and the chain's merges, oldest first; ``statements`` maps a
    digest to the statement as decoded from its JSON. ``seal`` is the seal or amendment that the
    run stands on (None where it is unsealed), ``evaluation`` the latest one of the sealed test,
    ``contrast`` the latest one beside that evaluation.
    """

    name: str
    entries: list[Entry]
    statements: dict[str, Any]
    seal: str | None
    run: str
    evaluation: str
    contrast: str | None

    def cited(self, word: str) -> Cited | None:
        """The statement that a claim's first word names, or None where there is none."""
        digest = getattr(self, word)
        return None if digest is None else Cited(digest, "", self.statements[digest])

    def evidence_of(self, word: str) -> Cited:
        """The predicate of a statement that must be there."""
        found = self.cited(word)
        if found is None:
            raise BadInput(f"the record of '{self.name}' has no {word}")
        return found["predicate"]

    def words(self) -> dict[str, Any]:
        """First word of a claim's pointer → statement."""
        found = {word: getattr(self, word) for word in WORDS}
        return {word: self.statements[d] for word, d in found.items() if d is not None}

    def digests(self, kind: str) -> list[str]:
        """The evidence of one kind, oldest first."""
        return [e.evidence for e in self.entries if e.kind == kind and e.evidence is not None]

    def of_kind(self, kind: str) -> list[tuple[Entry, Cited]]:
        """The case's entries of a kind, each with its statement."""
        return [
            (entry, Cited(entry.evidence, "", self.statements[entry.evidence]))
            for entry in self.entries
            if entry.kind == kind and entry.evidence is not None
        ]

    def spec(self) -> Cited:
        """The case's document: as sealed, or as the unsealed run recorded it."""
        seal = self.cited("seal")
        if seal is not None:
            return seal["predicate"]["case"]["spec"]
        run = self.evidence_of("run")
        if "spec" not in run or not run["spec"].raw:
            raise BadInput(
                f"no evidence of '{self.name}' says what was asked",
                why="its run is unsealed, and was made by a version that did not keep the case",
                next=f"trackrecord run {self.name} --unsealed",
            )
        return run["spec"]


def read_record(evidence: Path, name: str, *, before: int | None = None) -> CaseRecord:
    """The record of a case, from entries with ``seq`` below ``before`` (all, when None).

    Raises
    ------
    BadInput
        When the sealed test has not been evaluated: there is nothing to claim yet.
    LedgerError
        When the chain or one of the case's evidence files is not whole.
    """
    chain = [e for e in read_chain(evidence) if before is None or e.seq < before]
    return record_of(evidence, chain, name)


def record_of(evidence: Path, chain: list[Entry], name: str) -> CaseRecord:
    """Like :func:`read_record`, from a chain already read."""
    mine = case_digest(name)
    entries = [e for e in chain if e.case == mine or e.kind == "merge"]
    statements = {
        e.evidence: _statement(evidence, e.evidence)
        for e in entries
        if e.case == mine and e.evidence is not None
    }
    life = life_of(chain, name)
    evaluation = next(
        (d for d in reversed(life.evaluations) if statements[d]["predicate"]["part"] == "test"),
        None,
    )
    if evaluation is None:
        raise BadInput(
            f"the sealed test of '{name}' has not been evaluated yet, so there is nothing to claim",
            next=f"trackrecord evaluate {name} --part test",
        )
    predicate = statements[evaluation]["predicate"]
    return CaseRecord(
        name=name,
        entries=entries,
        statements=statements,
        seal=predicate["seal"],
        run=predicate["run"],
        evaluation=evaluation,
        contrast=next(
            (
                d
                for d in reversed(life.contrasts)
                if statements[d]["predicate"]["evaluation"] == evaluation
            ),
            None,
        ),
    )


def _statement(evidence: Path, digest: str) -> Any:
    read_evidence(evidence, digest)  # raises where the file is not what its name says
    return json.loads((evidence / f"{digest}.json").read_bytes())
