"""``POST /predict``: rows with named columns in, probabilities out."""

from __future__ import annotations

from typing import Any

import msgspec

from trackrecord.serving.batching import RowFault
from trackrecord.serving.exchange import Refused, Reply, Request, as_json, read_body
from trackrecord.serving.rows import Fault, NotRows
from trackrecord.serving.service import Asked, Service
from trackrecord.serving.shelf import Chosen

SHOWN = 20


class One(msgspec.Struct, frozen=True):
    """The answer to one row. ``label`` is whether the probability reaches ``threshold``."""

    probability: float
    label: bool
    threshold: float
    model: str
    version: int
    request_id: str


class Answer(msgspec.Struct, frozen=True):
    """A row's answer among many."""

    probability: float
    label: bool


class Failure(msgspec.Struct, frozen=True):
    """A row without an answer, and why."""

    errors: list[Fault]


class Many(msgspec.Struct, frozen=True):
    """The answers to rows, in their order; ``failed`` counts those that have none."""

    predictions: list[Answer | Failure]
    failed: int
    threshold: float
    model: str
    version: int
    request_id: str


class Wrong(msgspec.Struct, frozen=True):
    """Why nothing was answered."""

    error: str
    errors: list[Fault]
    request_id: str


async def predict(service: Service, request: Request) -> Reply:
    """Answer one row, or rows of which each may fail alone."""
    body = await read_body(request, service.limits.body)
    chosen = service.choose(request)
    loaded = chosen.answer.loaded
    try:
        read = loaded.read(body)
    except NotRows as error:
        return Reply(400, as_json(Wrong(str(error), [], request.id)))
    if not read.many:
        if read.faults:
            return _wrong(request, read.faults)
        scores = await service.ask(request, chosen, Asked(1, read.rows))
        if scores.faults:
            return _unanswered(request, scores.faults[0])
        probability = float(scores.probability[0])
        threshold = loaded.bundle.threshold
        one = One(
            probability, probability >= threshold, threshold, loaded.bundle.case, loaded.version,
            request.id,
        )  # fmt: skip
        return Reply(200, msgspec.json.encode(one))
    return await _many(service, request, chosen, read.rows, read.faults)


async def _many(
    service: Service, request: Request, chosen: Chosen, rows: list[Any], faults: list[Fault]
) -> Reply:
    asked = [row for row in rows if row is not None]
    if rows and not asked:
        return _wrong(request, faults)
    scores = await service.ask(request, chosen, Asked(len(asked), asked))
    loaded = chosen.answer.loaded
    threshold = loaded.bundle.threshold
    if asked and len(scores.faults) == len(asked):
        return _none(request, rows, faults, scores.faults)
    wrong: dict[int, list[Fault]] = {}
    for fault in faults:
        wrong.setdefault(fault.row, []).append(fault)
    found = iter(enumerate(scores.probability.tolist()))
    predictions: list[Answer | Failure] = []
    failed = 0
    for index, row in enumerate(rows):
        if row is None:
            predictions.append(Failure(wrong[index]))
            failed += 1
            continue
        at, probability = next(found)
        if at in scores.faults:
            predictions.append(Failure([Fault(index, scores.faults[at].why)]))
            failed += 1
        else:
            predictions.append(Answer(probability, probability >= threshold))
    answer = Many(predictions, failed, threshold, loaded.bundle.case, loaded.version, request.id)
    return Reply(200, as_json(answer))


def _wrong(request: Request, faults: list[Fault]) -> Reply:
    rows = {fault.row for fault in faults}
    first = faults[0]
    column = f"column {first.column!r} " if first.column else ""
    what = f"{column}{first.why}"
    if len(faults) > 1:
        what += f" (and {len(faults) - 1} more)"
    if len(rows) > 1:
        what = f"no row can be answered: row {first.row}: {what}"
    return Reply(422, as_json(Wrong(what, faults[:SHOWN], request.id)))


def _none(
    request: Request, rows: list[Any], faults: list[Fault], found: dict[int, RowFault]
) -> Reply:
    """The reply where no row has an answer."""
    if not all(fault.own for fault in found.values()):
        raise Refused(500, "the model fails on every row that could be asked")
    asked = [index for index, row in enumerate(rows) if row is not None]
    found_faults = [Fault(asked[at], fault.why) for at, fault in found.items()]
    return _wrong(request, sorted([*faults, *found_faults], key=lambda fault: fault.row))


def _unanswered(request: Request, fault: Any) -> Reply:
    if fault.own:
        return Reply(422, as_json(Wrong(f"the row {fault.why}", [Fault(0, fault.why)], request.id)))
    raise Refused(500, fault.why)
