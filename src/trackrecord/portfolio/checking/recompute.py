"""Computes every published number again, from the published outcomes and the sealed case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.spec import BaseRate
from trackrecord.errors import TrackrecordError
from trackrecord.evaluation.plan import Plan
from trackrecord.portfolio.checking.compare import (
    Recomputed,
    bearable,
    count_numbers,
    differences,
    named,
    same_value,
)
from trackrecord.portfolio.checking.contrasts import check_contrast
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.folder import Unreadable
from trackrecord.portfolio.checking.outcomes import (
    check_part,
    check_scores,
    outcomes_subject,
    read_published,
)
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good
from trackrecord.portfolio.checking.run import check_models
from trackrecord.portfolio.checking.seal import check_clusters, question_of, seal_of

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.cases.spec import Case


def recompute(
    record: Record, done: Recomputed, progress: Callable[[str, float], None]
) -> list[Check]:
    """Every evaluation and contrast whose outcomes are published, computed again and compared.

    The published evaluation has to be among them; an older one whose outcomes are withheld is
    only stated. What came out goes into ``done``; the findings are also returned.
    """
    tables: dict[tuple[str, str], pl.DataFrame] = {}

    def table(path: str, digest: str) -> pl.DataFrame:
        if (path, digest) not in tables:
            tables[path, digest] = read_published(record.folder, path, digest)
        return tables[path, digest]

    evaluations = record.of_kind("evaluation")
    for index, piece in enumerate(evaluations):
        part = piece.predicate.part
        subject = outcomes_subject(piece, f"outcomes-{part}.parquet")
        published = record.evaluation is not None and piece.digest == record.evaluation.digest
        if subject is None or subject[0] not in record.folder.sizes:
            if published:
                done.checks.append(
                    bad("outcomes", "the outcomes it was computed from are not here", piece.file)
                )
            continue
        progress(f"recomputing the {part} evaluation", 0.2 + 0.5 * index / len(evaluations))
        path, digest = subject
        try:
            frame = table(path, digest)
        except Unreadable as error:
            done.checks.append(bad("outcomes", str(error), path))
            continue
        _evaluation(record, piece, path, frame, done)
    contrasts = record.of_kind("contrast")
    for piece in contrasts:
        progress("recomputing the contrasts", 0.75)
        published = record.contrast is not None and piece.digest == record.contrast.digest
        check_contrast(record, piece, published, table, done)
    return done.checks


def _evaluation(
    record: Record, piece: Piece, path: str, frame: pl.DataFrame, done: Recomputed
) -> None:
    said = piece.predicate
    findings = list(_of_its_run(record, piece, path, frame))
    seal, case = seal_of(record, piece), question_of(record, piece)
    if seal is not None and said.part in seal.predicate.split.parts:
        findings += check_part(frame, seal.predicate.split.parts[said.part], said.part, path)
        findings += _base_rates(case, seal, frame, path)
        if said.part == "test":
            findings += check_clusters(seal, case, frame, path)
    plan: Plan = said.plan
    if case is not None:
        findings += _plan(record, piece, case, frame)
    if not findings:
        findings += _numbers(piece, plan, path, frame, done)
    done.checks += findings
    if findings:
        return
    done.holds[piece.digest] = [path]
    done.checks.append(
        good(
            "numbers",
            f"{frame.height:,} rows gave the {said.part} evaluation again",
            piece.file,
        )
    )


def _of_its_run(record: Record, piece: Piece, path: str, frame: pl.DataFrame) -> Iterator[Check]:
    """The outcomes lie in the folder of the run that they are of, and have its scores."""
    run = record.pieces.get(piece.predicate.run)
    if run is not None and run.kind == "run":
        yield from check_scores(frame, run, piece.predicate.part, path)
        expected = f"runs/{piece.predicate.case}/{run.predicate.run}"
        if path.rpartition("/")[0] != expected:
            yield bad("outcomes", "its outcomes are of another run", piece.file, expected, path)


def _plan(record: Record, piece: Piece, case: Case, frame: pl.DataFrame) -> Iterator[Check]:
    """The plan is the sealed case's: nothing dropped, added or loosened afterwards."""
    from trackrecord.evaluation.case import plan_of

    scored = [c.removeprefix("score.") for c in frame.columns if c.startswith("score.")]
    try:
        expected = plan_of(case, scored)
    except TrackrecordError as error:
        what = f"the case that was sealed asks for nothing that can be measured: {error.what}"
        yield bad("plan", what, piece.file)
        return
    for pointer, want, found in differences(
        msgspec.to_builtins(expected), msgspec.to_builtins(piece.predicate.plan), "/predicate/plan"
    ):
        yield bad(
            "plan", f"{pointer} is not what the sealed case asks for", piece.file, want, found
        )
    run = record.pieces.get(piece.predicate.run)
    if run is None or run.kind != "run":
        return
    if run.predicate.features != case.features:
        what = "it was trained on other features than the case names (/predicate/features)"
        yield bad("plan", what, run.file, case.features, run.predicate.features)
    seal = seal_of(record, piece)
    rows = {name: part.rows for name, part in seal.predicate.split.parts.items()} if seal else {}
    if seal is not None and run.predicate.rows != rows:
        what = "its parts do not have the rows that were sealed (/predicate/rows)"
        yield bad("plan", what, run.file, rows, run.predicate.rows)
    yield from check_models(run, case)
    ran = [model.name for model in run.predicate.models]
    for name in sorted(set(ran) ^ set(scored)):
        what = "was run and has no scores" if name in ran else "has scores and was not run"
        yield bad("plan", f"the model {name!r} {what}", piece.file, sorted(ran), sorted(scored))


def _base_rates(case: Case | None, seal: Piece, frame: pl.DataFrame, path: str) -> Iterator[Check]:
    """A base rate predicts the share of the training part that the seal counted."""
    train = seal.predicate.split.parts.get("train")
    if case is None or train is None or not train.rows or train.positives is None:
        return
    for baseline in case.baseline:
        name = f"score.{baseline.name}"
        if isinstance(baseline, BaseRate) and name in frame.columns:
            rate = train.positives / train.rows
            for found in (frame[name].min(), frame[name].max()):
                if not same_value(rate, found):
                    what = f"the base rate {baseline.name!r} is not the sealed training part's"
                    yield bad("outcomes", what, path, rate, found)
                    break


def _numbers(
    piece: Piece, plan: Plan, path: str, frame: pl.DataFrame, done: Recomputed
) -> Iterator[Check]:
    from trackrecord.evaluation.evaluate import evaluate_outcomes

    if not bearable(plan):
        yield bad("numbers", "its plan asks for more than can be recomputed here", piece.file)
        return
    key = (path, msgspec.json.encode(plan))
    if key not in done.known:
        try:
            done.known[key] = msgspec.to_builtins(evaluate_outcomes(frame, plan))
        except TrackrecordError as error:
            what = f"nothing can be computed from {path}: {error.what}"
            yield bad("numbers", what, piece.file)
            return
    expected, found = done.known[key], msgspec.to_builtins(piece.predicate.result)
    done.numbers += count_numbers(expected)
    tool = piece.predicate.tool
    yield from named(piece.file, path, "/predicate/result", expected, found, tool)
