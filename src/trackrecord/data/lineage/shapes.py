"""The least that evidence says, as far as lineage reads it: whatever says less is not read.

Rooms above this one own what runs, evaluations and publications say; here is only what is read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from trackrecord.cases.seal import AmendmentPredicate, SealPredicate
from trackrecord.data.build.record import BuildPredicate
from trackrecord.data.contract.record import ContractPredicate
from trackrecord.data.features.record import FeaturesPredicate
from trackrecord.data.ingest.record import IngestPredicate


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Verdict(msgspec.Struct, frozen=True):
    verdict: str


class _Result(msgspec.Struct, frozen=True):
    verdicts: list[_Verdict] = []


class _Run(msgspec.Struct, frozen=True):
    case: str
    run: str
    seal: str | None = None
    seed: int = 0
    rows: dict[str, int] = {}
    models: list[_Named] = []


class _Evaluation(msgspec.Struct, frozen=True):
    case: str
    run: str
    part: str
    look: int = 0
    result: _Result = _Result()


class _Publication(msgspec.Struct, frozen=True):
    case: str
    evaluation: str


class _Audit(msgspec.Struct, frozen=True):
    case: str


SHAPES: dict[str, Any] = {
    "ingest": IngestPredicate,
    "contract": ContractPredicate,
    "build": BuildPredicate,
    "features": FeaturesPredicate,
    "audit": _Audit,
    "seal": SealPredicate,
    "amendment": AmendmentPredicate,
    "run": _Run,
    "evaluation": _Evaluation,
    "publication": _Publication,
}


def amiss(kind: str, predicate: dict[str, Any], subjects: int) -> str:
    """Why evidence of a kind cannot be read; empty where it can."""
    try:
        msgspec.convert(predicate, SHAPES[kind])
    except msgspec.ValidationError as error:
        return str(error)
    return "" if subjects else "it is about nothing"
