"""Computes the contrasts again: what a random or leaky protocol would have claimed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import TrackrecordError
from trackrecord.portfolio.checking.compare import (
    Recomputed,
    bearable,
    count_numbers,
    differences,
    named,
)
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.folder import Unreadable
from trackrecord.portfolio.checking.outcomes import (
    check_part,
    check_same_truth,
    outcomes_subject,
)
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good
from trackrecord.portfolio.checking.seal import question_of, seal_of

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.cases.spec import Case
    from trackrecord.evaluation.contrast import ContrastResult
    from trackrecord.evaluation.plan import Plan

Table = Callable[[str, str], "pl.DataFrame"]


def check_contrast(
    record: Record, piece: Piece, published: bool, table: Table, done: Recomputed
) -> None:
    """One piece of contrast evidence: its plan, each protocol's numbers, and the honest ones."""
    evaluation = record.pieces.get(piece.predicate.evaluation)
    if evaluation is not None and evaluation.kind != "evaluation":
        evaluation = None
    seal = seal_of(record, evaluation) if evaluation is not None else None
    case = question_of(record, evaluation) if evaluation is not None else None
    findings: list[Check] = []
    if case is not None and evaluation is not None:
        findings += _plan(piece, case, evaluation)
    files: list[str] = []
    complete = True
    honest = _honest_frame(evaluation, record, table)
    for index, row in enumerate(piece.predicate.contrasts):
        subject = outcomes_subject(piece, row.outcomes.rpartition("/")[2])
        if subject is None or subject[0] not in record.folder.sizes:
            complete = False
            if published:
                what = f"the outcomes of the contrast {row.name!r} are not here"
                findings.append(bad("outcomes", what, piece.file, row.outcomes))
            continue
        path, digest = subject
        try:
            frame = table(path, digest)
        except Unreadable as error:
            findings.append(bad("outcomes", str(error), path))
            continue
        files.append(path)
        if case is not None:
            findings += _truth(case, index, frame, path, seal, honest)
        at = f"/predicate/contrasts/{index}"
        findings += _measured(piece, row, at, frame, path, done)
    if honest is not None:
        findings += _measured(piece, piece.predicate.honest, "/predicate/honest", *honest, done)
    done.checks += findings
    if not findings and complete:
        done.holds[piece.digest] = files
        said = f"{len(files)} protocols' numbers came out again"
        done.checks.append(good("numbers", said, piece.file))


def _plan(piece: Piece, case: Case, evaluation: Piece) -> Iterator[Check]:
    """The candidate alone, measured as the evaluation measured it, under each sealed protocol."""
    from trackrecord.evaluation.contrast import AS_SEALED, bare_plan, protocol_in_words

    expected = msgspec.to_builtins(bare_plan(evaluation.predicate.plan))
    found = msgspec.to_builtins(piece.predicate.plan)
    for pointer, want, is_ in differences(expected, found, "/predicate/plan"):
        yield bad("plan", f"{pointer} is not the evaluation's plan", piece.file, want, is_)
    names = [(contrast.name, protocol_in_words(case, contrast)) for contrast in case.contrast]
    names.insert(0, AS_SEALED)
    told = [piece.predicate.honest, *piece.predicate.contrasts]
    rows = [(row.name, row.what) for row in told]
    if rows != names:
        yield bad("plan", "its contrasts are not those that were sealed", piece.file, names, rows)


def _honest_frame(
    evaluation: Piece | None, record: Record, table: Table
) -> tuple[pl.DataFrame, str] | None:
    if evaluation is None:
        return None
    subject = outcomes_subject(evaluation, f"outcomes-{evaluation.predicate.part}.parquet")
    if subject is None or subject[0] not in record.folder.sizes:
        return None
    try:
        return table(*subject), subject[0]
    except Unreadable:
        return None


def _truth(
    case: Case,
    index: int,
    frame: pl.DataFrame,
    path: str,
    seal: Piece | None,
    honest: tuple[pl.DataFrame, str] | None,
) -> list[Check]:
    """Under the sealed split the rows are the sealed ones; under another, truth is still truth."""
    same_split = index < len(case.contrast) and case.contrast[index].split is None
    if same_split and seal is not None and "test" in seal.predicate.split.parts:
        return check_part(frame, seal.predicate.split.parts["test"], "test", path)
    return check_same_truth(frame, path, *honest) if honest is not None else []


def _measured(
    piece: Piece, row: ContrastResult, at: str, frame: pl.DataFrame, path: str, done: Recomputed
) -> list[Check]:
    """One protocol's numbers, measured again as :func:`measure_protocol` measured them."""
    from trackrecord.evaluation.contrast import measure_protocol

    plan: Plan = piece.predicate.plan
    if not bearable(plan):
        return [bad("numbers", "its plan asks for more than can be recomputed here", piece.file)]
    if f"score.{plan.candidate}" not in frame.columns or len(plan.models) != 1:
        return [bad("outcomes", f"it has no scores of {plan.candidate!r}", path)]
    key = (f"contrast {path}", msgspec.json.encode(plan))
    if key not in done.known:
        try:
            again = measure_protocol("", "", frame, plan, path)
        except TrackrecordError as error:
            what = f"nothing can be computed from {path}: {error.what}"
            return [bad("numbers", what, piece.file)]
        done.known[key] = msgspec.to_builtins(again)
    expected = done.known[key] | {"name": row.name, "what": row.what}
    done.numbers += count_numbers(expected)
    tool = piece.predicate.tool
    return list(named(piece.file, path, at, expected, msgspec.to_builtins(row), tool))
