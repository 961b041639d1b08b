"""Checks that a run trained what the case names, and that each statement's subjects are its own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trackrecord.cases.spec import Case, Model
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad

Subjects = list[tuple[str, dict[str, str]]]


def check_subjects(record: Record) -> list[Check]:
    """Each statement is about what its predicate says that it is about."""
    findings: list[Check] = []
    for piece in record.of_kind("run"):
        name = f"runs/{piece.predicate.case}/{piece.predicate.run}/predictions.parquet"
        if piece.subjects[0][0] != name:
            what = "its first subject is not its predictions"
            findings.append(bad("subjects", what, piece.file, name, piece.subjects[0][0]))
    for piece in record.of_kind("look"):
        findings += _exactly(piece, [("run", {"sha256": piece.predicate.run})])
    for piece in record.of_kind("evaluation"):
        if len(piece.subjects) != 1:
            what = "it has other subjects than its outcomes"
            findings.append(bad("subjects", what, piece.file, 1, len(piece.subjects)))
    for piece in record.of_kind("contrast"):
        said = piece.predicate
        names = [row.outcomes for row in said.contrasts]
        found = [name for name, _ in piece.subjects]
        if found != [*names, "evaluation"]:
            what = "its subjects are not its protocols' outcomes and the evaluation"
            findings.append(bad("subjects", what, piece.file, names, found))
        elif piece.subjects[-1][1] != {"sha256": said.evaluation}:
            what = "its subject is another evaluation"
            findings.append(
                bad("subjects", what, piece.file, said.evaluation, piece.subjects[-1][1])
            )
    return findings


def _exactly(piece: Piece, expected: Subjects) -> list[Check]:
    if piece.subjects == expected:
        return []
    what = "its subject is not what its predicate says"
    return [bad("subjects", what, piece.file, expected, piece.subjects)]


def check_models(run: Piece, case: Case) -> Iterator[Check]:
    """Kinds, features and declared parameters of what was trained are those of the case."""
    named = {item.name: item for item in [*case.baseline, *case.model]}
    for index, model in enumerate(run.predicate.models):
        at = f"/predicate/models/{index}"
        spec = named.get(model.name)
        if spec is None:
            yield bad("plan", f"{at}: the case names no {model.name!r}", run.file)
            continue
        if isinstance(spec, Model):
            role, kinds = "model", [spec.estimator or f"python {spec.python}"]
            if run.predicate.source == "outcomes":
                kinds.append("outcomes")
        else:
            role, kinds = "baseline", [str(msgspec.to_builtins(spec)["kind"])]
        if model.kind not in kinds:
            yield bad("plan", f"{at}/kind is not the case's", run.file, kinds[0], model.kind)
            continue
        if model.role != role:
            yield bad("plan", f"{at}/role is not the case's", run.file, role, model.role)
        if not isinstance(spec, Model) or model.kind == "outcomes":
            continue
        features = spec.features or case.features
        if model.features != features:
            what = f"{at}/features are not the case's"
            yield bad("plan", what, run.file, features, model.features)
        for key, value in spec.parameters.items() if spec.estimator else ():
            if model.parameters.get(key) != value:
                what = f"{at}/parameters/{key} is not the case's"
                yield bad("plan", what, run.file, value, model.parameters.get(key))
