"""Checks that a seal says one thing: its case, digests and split, and what amendments changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.reader import case_document, changed_keys
from trackrecord.cases.seal import spec_digest
from trackrecord.cases.spec import Case
from trackrecord.data.decidable import planned_criteria, reckon_for
from trackrecord.ledger import canonical
from trackrecord.portfolio.checking.compare import differences, same_value
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good
from trackrecord.version import __version__

if TYPE_CHECKING:
    import polars as pl

SEALS = ("seal", "amendment")
# What an amendment may change and thereby change who is in which part, or what came true.
TOUCHES_ROWS = ("case: data", "case: split", "case: target", "data: ", "split: ")
SPLIT_PARTS = ("train", "validation", "test")


def sealed_question(piece: Piece) -> Case | None:
    """The case inside a seal; None where it does not decode."""
    return _case(piece.predicate.case.spec)


def question_of(record: Record, evaluation: Piece) -> Case | None:
    """The case that an evaluation answers: as sealed, or as its unsealed run has it."""
    said = evaluation.predicate
    seal = record.pieces.get(said.seal or "")
    if seal is not None and seal.kind in SEALS:
        return sealed_question(seal)
    run = record.pieces.get(said.run)
    if said.seal is None and run is not None and run.kind == "run" and run.predicate.spec:
        return _case(run.predicate.spec)
    return None


def seal_of(record: Record, evaluation: Piece) -> Piece | None:
    """The seal or amendment that an evaluation stands on."""
    seal = record.pieces.get(evaluation.predicate.seal or "")
    return seal if seal is not None and seal.kind in SEALS else None


def _case(spec: dict[str, Any]) -> Case | None:
    try:
        return msgspec.convert(spec, Case)
    except (msgspec.ValidationError, RecursionError):
        return None


def check_seals(record: Record) -> list[Check]:
    """Findings about every seal and amendment of the case."""
    findings: list[Check] = []
    seals = [piece for kind in SEALS for piece in record.of_kind(kind)]
    for piece in seals:
        findings += _one(piece)
    for piece in record.of_kind("amendment"):
        findings += _changes(record, piece)
    if findings or not seals:
        return findings
    return [good("seal", "the sealed case is whole, and its digests are its own", seals[-1].file)]


def _one(piece: Piece) -> Iterator[Check]:
    sealed = piece.predicate.case
    case = sealed_question(piece)
    if case is None:
        yield bad("seal", "the case in it is not a case (/predicate/case/spec)", piece.file)
        return
    if case.name != sealed.name:
        yield bad("seal", "the case in it has another name", piece.file, sealed.name, case.name)
    found = hashlib.sha256(canonical(sealed.spec)).hexdigest()
    if found != sealed.digest or spec_digest(case) != sealed.digest:
        yield bad(
            "seal",
            "/predicate/case/digest is not the digest of the case in it",
            piece.file,
            found,
            sealed.digest,
        )
    split = piece.predicate.split
    if set(split.parts) != set(SPLIT_PARTS):
        yield bad("seal", "the split has other parts", piece.file, SPLIT_PARTS, list(split.parts))
        return
    whole = "".join(
        f"{name} {split.parts[name].rows} {split.parts[name].ids}\n" for name in SPLIT_PARTS
    )
    digest = hashlib.sha256(whole.encode()).hexdigest()
    if digest != split.digest:
        yield bad(
            "seal",
            "/predicate/split/digest is not that of its parts",
            piece.file,
            digest,
            split.digest,
        )
    kind = str(msgspec.to_builtins(case.split)["kind"])
    if split.kind != kind:
        yield bad("seal", "it was split otherwise than the case asks", piece.file, kind, split.kind)
    for source in piece.predicate.data:
        own = source.path == case.data.path
        expected = (case.data.license, case.data.origin) if own else ("", "")
        if (source.license, source.origin) != expected:
            what = f"licence and origin of {source.path!r} are not the case's"
            yield bad("seal", what, piece.file, expected, (source.license, source.origin))
    planned = [item.criterion for item in piece.predicate.plan]
    criteria = [item.name for item in case.criterion]
    if planned != criteria:
        yield bad("seal", "its plan is about other criteria", piece.file, criteria, planned)
    else:
        yield from _power(piece, case)
    yield from _subjects(piece)


def _power(piece: Piece, case: Case) -> Iterator[Check]:
    """What it reckoned with is what it sealed; by the same version, the chances come out again.

    How alike the rows of a cluster are is the author's word: the training rows are not here.
    """
    said = piece.predicate
    test, parts = said.planned_for, said.split.parts
    same = said.tool == __version__
    train, positives = parts["train"].rows, parts["train"].positives
    known = {"rows": parts["test"].rows}
    if train and positives is not None:
        known["prevalence"] = positives / train
    if test is None:
        if same and said.plan:
            yield bad("seal", "it does not say what its plan reckons with", piece.file, known)
        return
    for name, expected in known.items():
        found = getattr(test, name)
        if not same_value(expected, found):
            what = f"/predicate/planned_for/{name} is not that of the parts it sealed"
            yield bad("seal", what, piece.file, expected, found)
    if not same:
        return
    expected = msgspec.to_builtins(planned_criteria(reckon_for(case, test)))
    found = msgspec.to_builtins(said.plan)
    for pointer, want, is_ in differences(expected, found, "/predicate/plan"):
        what = f"{pointer} is not what the sealed case and its parts give"
        yield bad("seal", what, piece.file, want, is_)


def check_clusters(
    seal: Piece, case: Case | None, frame: pl.DataFrame, path: str
) -> Iterator[Check]:
    """The test's rows lie in as many clusters as the seal reckoned with."""
    test = seal.predicate.planned_for
    if test is None or case is None:
        return
    found = None
    if case.evaluation.cluster is not None and "cluster" in frame.columns:
        found = frame["cluster"].drop_nulls().n_unique() + frame["cluster"].null_count()
    if test.clusters != found:
        what = "/predicate/planned_for/clusters is not how many clusters the test's rows are in"
        yield bad("seal", what, seal.file, f"{found}, as in {path}", test.clusters)


def _subjects(piece: Piece) -> Iterator[Check]:
    """The statement's subjects are the digests that the predicate gives."""
    said = piece.predicate
    expected = {
        f"cases/{said.case.name}/case": {"sha256": said.case.digest},
        "split": {"sha256": said.split.digest},
    }
    expected |= {
        source.path: {"sha256": source.sha256, "trackrecordTable1": source.table}
        for source in said.data
    }
    found = dict(piece.subjects)
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            yield bad(
                "seal",
                f"its subject {name!r} is not what its predicate says",
                piece.file,
                expected.get(name),
                found.get(name),
            )


def _changes(record: Record, piece: Piece) -> Iterator[Check]:
    """An amendment names exactly what it changed."""
    before = record.pieces.get(piece.predicate.previous)
    if before is None or before.kind not in SEALS:
        return
    old, new = sealed_question(before), sealed_question(piece)
    if old is None or new is None:
        return
    changed = [f"case: {key}" for key in changed_keys(case_document(old), case_document(new))]
    tables = [{s.path: s.table for s in p.predicate.data} for p in (before, piece)]
    changed += [
        f"data: {path}"
        for path in sorted(tables[0].keys() | tables[1].keys())
        if tables[0].get(path) != tables[1].get(path)
    ]
    if before.predicate.split.digest != piece.predicate.split.digest and not changed:
        changed.append(f"split: {piece.predicate.split.kind}")
    unchanged = not any(key.startswith(TOUCHES_ROWS) for key in changed)
    if unchanged and before.predicate.split != piece.predicate.split:
        yield bad("seal", "its split is another, though nothing that makes it changed", piece.file)
    if changed != piece.predicate.changed:
        yield bad(
            "seal",
            "it does not name what it changed (/predicate/changed)",
            piece.file,
            ", ".join(changed),
            ", ".join(piece.predicate.changed),
        )
