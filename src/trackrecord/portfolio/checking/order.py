"""Checks the order of things, and counts again what the record says of itself.

Sealed before run, run before look, look before evaluation; amendments and looks as the chain
has them, not as the evidence says.
"""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.ledger import Entry
from trackrecord.portfolio.checking.evidence import Piece, file_of
from trackrecord.portfolio.checking.folder import CHAIN
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good

SEALS = ("seal", "amendment")
MOST_WORK = 200_000_000


def check_order(record: Record) -> list[Check]:
    """Findings about order and counts, over every piece of the case's evidence."""
    pieces = sum(1 for entry in record.own if entry.evidence in record.pieces)
    if pieces * len(record.entries) > MOST_WORK:
        return [bad("order", "there is more of it than can be checked here", CHAIN)]
    findings = [
        *_publication(record),
        *_looks(record),
        *_seals(record),
        *_runs(record),
        *_evaluations(record),
        *_contrasts(record),
    ]
    if findings or record.evaluation is None:
        return findings
    looks = sum(entry.kind == "look" for entry in record.own)
    amended = sum(entry.kind == "amendment" for entry in record.own)
    sealed = "sealed before the run" if record.seal is not None else "UNSEALED, and it says so"
    said = f"{sealed}; looks at the test: {looks}; amendments: {amended}"
    return [good("order", said, CHAIN)]


def _publication(record: Record) -> Iterator[Check]:
    """The publication is about the last word of the record, not about a better one before it."""
    publication = record.publication
    if publication is None:
        return
    name = publication.file
    tests = [p for p in record.of_kind("evaluation") if p.predicate.part == "test"]
    if record.evaluation is None:
        what = "the evaluation that the publication is about is missing or broken"
        yield bad("order", what, _where(record, publication.predicate.evaluation, name))
    elif not tests or tests[-1].digest != record.evaluation.digest:
        last = tests[-1].digest if tests else None
        yield bad(
            "order",
            "it is not about the latest evaluation of the sealed test",
            name,
            last,
            record.evaluation.digest,
        )
    contrasts = [
        p
        for p in record.of_kind("contrast")
        if record.evaluation is not None and p.predicate.evaluation == record.evaluation.digest
    ]
    found = publication.predicate.contrast
    last = contrasts[-1].digest if contrasts else None
    if found is not None and record.contrast is None:
        what = "the contrast that the publication is about is missing or broken"
        yield bad("order", what, _where(record, found, name))
    elif found != last:
        yield bad("order", "it is not about the latest contrast", name, last, found)


def _where(record: Record, digest: str, otherwise: str) -> str:
    """The evidence's own file if the chain has it; else the file that named it."""
    return otherwise if record.place(digest) is None else file_of(digest)


def _looks(record: Record) -> Iterator[Check]:
    for index, piece in _placed(record, "look"):
        yield from _before(record, piece.predicate.run, index, "run", "the run looked at", piece)


def _seals(record: Record) -> Iterator[Check]:
    """Each seal counts what came before it, and each amendment follows the seal before it."""
    for index, entry in enumerate(record.own):
        if entry.kind not in SEALS:
            continue
        before = record.before(index)
        seal = _last(before, *SEALS)
        if entry.kind == "seal" and seal is not None:
            yield bad("order", f"line {entry.seq + 1} seals the case a second time", CHAIN)
        if entry.kind == "amendment" and seal is None:
            yield bad("order", f"line {entry.seq + 1} amends what was not sealed", CHAIN)
        piece = record.pieces.get(entry.evidence or "")
        if piece is None or piece.kind != entry.kind:
            continue
        said = piece.predicate
        yield from _count(piece, "looks", _looks_in(before), said.looks)
        if entry.kind == "seal":
            runs = sum(earlier.kind == "run" for earlier in before)
            yield from _count(piece, "runs", runs, said.runs)
        elif said.previous != seal:
            what = "it does not amend the seal before it"
            yield bad("order", what, piece.file, seal, said.previous)


def _runs(record: Record) -> Iterator[Check]:
    for index, piece in _placed(record, "run"):
        yield from _seal_before(record, piece, index)


def _seal_before(record: Record, piece: Piece, index: int) -> Iterator[Check]:
    """What it says of its seal: whether there is one, and that it came first."""
    said = piece.predicate
    if said.sealed != (said.seal is not None):
        yield bad("order", "it misstates whether it was sealed", piece.file, said.seal, said.sealed)
    if said.seal is None:
        return
    place = record.place(said.seal)
    if place is None or record.own[place].kind not in SEALS:
        yield bad("order", "its seal is not in the chain", piece.file, file_of(said.seal))
    elif place >= index:
        yield bad(
            "order",
            "it was sealed afterwards",
            piece.file,
            f"a seal before line {record.own[index].seq + 1}",
            f"line {record.own[place].seq + 1}",
        )


def _evaluations(record: Record) -> Iterator[Check]:
    for index, piece in _placed(record, "evaluation"):
        said = piece.predicate
        yield from _before(record, said.run, index, "run", "the run it measures", piece)
        yield from _seal_before(record, piece, index)
        run = record.pieces.get(said.run)
        if run is not None and run.kind == "run" and run.predicate.seal != said.seal:
            what = "its seal is not its run's"
            yield bad("order", what, piece.file, run.predicate.seal, said.seal)
        opened = _opened(record, said.look_evidence, index) if said.part == "test" else None
        if said.part == "test" and opened is None:
            yield bad(
                "order",
                "the sealed test was opened without a look recorded before it",
                piece.file,
                "a look in the chain",
                said.look_evidence,
            )
            continue
        # What it counts, it counted when it looked.
        before = record.before(index if opened is None else opened)
        if opened is not None:
            before = [*before, record.own[opened]]
        if said.sealed and said.seal != _last(before, *SEALS):
            what = "it is not about the seal in force"
            yield bad("order", what, piece.file, _last(before, *SEALS), said.seal)
        amended = [i for i, entry in enumerate(before) if entry.kind == "amendment"]
        yield from _count(piece, "amendments", len(amended), said.amendments)
        looks = _looks_in(before[: amended[-1]]) if amended else 0
        yield from _count(piece, "looks_before_amendment", looks, said.looks_before_amendment)
        yield from _count(piece, "look", _looks_in(before), said.look)
        if opened is not None:
            yield from _looked_at(record, piece, opened, "test")


def _opened(record: Record, digest: str | None, index: int) -> int | None:
    """The place of the look that an evaluation names, if it is one and came before it."""
    place = record.place(digest)
    if place is None or place >= index or record.own[place].kind != "look":
        return None
    return place


def _looked_at(record: Record, piece: Piece, place: int, part: str) -> Iterator[Check]:
    look = record.pieces.get(record.own[place].evidence or "")
    if look is None or look.kind != "look":
        return
    run = piece.predicate.run
    if look.predicate.run != run:
        yield bad("order", "its look was at another run", piece.file, run, look.predicate.run)
    if look.predicate.part != part:
        yield bad("order", "its look was for something else", piece.file, part, look.predicate.part)


def _contrasts(record: Record) -> Iterator[Check]:
    for index, piece in _placed(record, "contrast"):
        said = piece.predicate
        yield from _before(
            record, said.evaluation, index, "evaluation", "the evaluation beside it", piece
        )
        before = {entry.digest for entry in record.before(index)}
        counts = [
            _looks_in(record.before(place)) + 1
            for place, look in _placed(record, "look")
            if record.own[place].digest in before and look.predicate.part == "contrast"
        ]
        if said.look not in counts:
            yield bad(
                "order",
                "/predicate/look is no look for a contrast that the chain has",
                piece.file,
                ", ".join(map(str, counts)) or "a look before it",
                said.look,
            )


def _before(
    record: Record, digest: str, index: int, kind: str, what: str, piece: Piece
) -> Iterator[Check]:
    place = record.place(digest)
    if place is None or record.own[place].kind != kind:
        yield bad("order", f"{what} is not in the chain", piece.file, file_of(digest))
    elif place >= index:
        yield bad(
            "order",
            f"{what} was recorded after it",
            piece.file,
            f"before line {record.own[index].seq + 1}",
            f"line {record.own[place].seq + 1}",
        )


def _count(piece: Piece, name: str, expected: int, found: int) -> Iterator[Check]:
    if expected != found:
        yield bad(
            "order",
            f"/predicate/{name} is not what the chain counts",
            piece.file,
            expected,
            found,
        )


def _placed(record: Record, kind: str) -> Iterator[tuple[int, Piece]]:
    """(place in the case's lines, piece) for each line of a kind whose evidence holds."""
    for index, entry in enumerate(record.own):
        piece = record.pieces.get(entry.evidence or "")
        if entry.kind == kind and piece is not None and piece.kind == kind:
            yield index, piece


def _last(entries: list[Entry], *kinds: str) -> str | None:
    return next((e.evidence for e in reversed(entries) if e.kind in kinds), None)


def _looks_in(entries: list[Entry]) -> int:
    return sum(entry.kind == "look" for entry in entries)
