"""Finds what the publication stands on: evaluation, contrast, run and seal, as chained."""

from __future__ import annotations

from typing import Any

import msgspec

from trackrecord.ledger import Entry, case_digest
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.folder import Folder


class Record(msgspec.Struct, frozen=True):
    """A folder as far as it could be read. ``pieces`` holds only evidence that holds by itself.

    ``own`` is the case's lines of the chain, in order; ``evaluation``, ``contrast``, ``run`` and
    ``seal`` are what the publication points to, or None where that is not there.
    """

    folder: Folder
    entries: list[Entry]
    own: list[Entry]
    pieces: dict[str, Piece]
    case: str | None
    publication: Piece | None
    evaluation: Piece | None
    contrast: Piece | None
    run: Piece | None
    seal: Piece | None

    def of_kind(self, kind: str) -> list[Piece]:
        """The case's pieces of one kind, in the chain's order, each once."""
        digests = dict.fromkeys(e.evidence for e in self.own if e.kind == kind and e.evidence)
        return [self.pieces[d] for d in digests if d in self.pieces and self.pieces[d].kind == kind]

    def before(self, index: int) -> list[Entry]:
        """The case's lines that the one at ``index`` of ``own`` follows, directly or not.

        In a chain with merges these are not all that stand above it: what was recorded in another
        clone, before the two were joined, was not known to whoever recorded this one.
        """
        if not any(entry.also for entry in self.entries):
            return self.own[:index]
        by_digest = {entry.digest: entry for entry in self.entries}
        followed: set[str] = set()
        waiting = [self.own[index].prev, *self.own[index].also]
        while waiting:
            digest = waiting.pop()
            entry = by_digest.get(digest)
            if entry is not None and digest not in followed:
                followed.add(digest)
                waiting += [entry.prev, *entry.also]
        return [entry for entry in self.own[:index] if entry.digest in followed]

    def place(self, digest: str | None) -> int | None:
        """Where in ``own`` a piece of evidence was first recorded."""
        return next((i for i, e in enumerate(self.own) if e.evidence == digest), None)

    def statements(self) -> dict[str, Any]:
        """Documents by digest, for pointers."""
        return {digest: piece.document for digest, piece in self.pieces.items()}


def last_publication(entries: list[Entry], pieces: dict[str, Piece]) -> Piece | None:
    """The publication that the chain ends with; None where it is gone or broken."""
    if not entries or entries[-1].kind != "publication" or entries[-1].evidence is None:
        return None
    piece = pieces.get(entries[-1].evidence)
    return piece if piece is not None and piece.kind == "publication" else None


def resolve_record(
    folder: Folder,
    entries: list[Entry],
    pieces: dict[str, Piece],
    publication: Piece | None,
    case: str | None,
) -> Record:
    """Follow the publication's digests down to the seal, as far as they lead."""

    def piece(digest: str | None, *kinds: str) -> Piece | None:
        found = pieces.get(digest) if digest else None
        return found if found is not None and found.kind in kinds else None

    evaluation = contrast = run = seal = None
    if publication is not None:
        evaluation = piece(publication.predicate.evaluation, "evaluation")
        contrast = piece(publication.predicate.contrast, "contrast")
    if evaluation is not None:
        run = piece(evaluation.predicate.run, "run")
        seal = piece(evaluation.predicate.seal, "seal", "amendment")
    wanted = case_digest(case) if case is not None else None
    return Record(
        folder=folder,
        entries=entries,
        own=[entry for entry in entries if entry.case == wanted and wanted is not None],
        pieces=pieces,
        case=case,
        publication=publication,
        evaluation=evaluation,
        contrast=contrast,
        run=run,
        seal=seal,
    )
