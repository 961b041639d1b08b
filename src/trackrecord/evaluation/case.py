"""Evaluates a case's latest run, and keeps count of who looked at the sealed test.

The look is written to the ledger before any truth of the test part is joined to a prediction: a
process that dies in between has still looked.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.outcomes import write_outcomes
from trackrecord.evaluation.plan import Criterion, Plan
from trackrecord.evaluation.result import Evaluation
from trackrecord.ledger import Entry, Subject, canonical, read_chain, read_evidence, record

from trackrecord.cases.seal import Life, life_of, sealed_case
from trackrecord.cases.spec import Case
from trackrecord.errors import BadInput, DataError

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable

PartName = Literal["validation", "test"]


class RunEvidence(msgspec.Struct, frozen=True):
    """The run that is evaluated: its evidence digest and what it says."""

    digest: str
    predicate: dict[str, Any]


class Evaluated(msgspec.Struct, frozen=True):
    """What came out: the evaluation's evidence entry, its predicate, and where the outcomes are."""

    entry: Entry
    predicate: dict[str, Any]
    evaluation: Evaluation
    outcomes: str


def latest_run(evidence: Path, case: str, life: Life, *, run: str | None = None) -> RunEvidence:
    """The run to evaluate: the latest, or the one called ``run`` (e.g. ``0002``)."""
    for digest in reversed(life.runs):
        predicate = read_evidence(evidence, digest).predicate
        if run is None or predicate["run"] == run:
            return RunEvidence(digest, predicate)
    raise BadInput(
        f"the case '{case}' has no run" + (f" {run}" if run else " yet"),
        next=f"trackrecord run {case}",
    )


def plan_of(case: Case, models: list[str]) -> Plan:
    """The evaluation plan that a case asks for, for the models that a run has."""
    baselines = [item.name for item in case.baseline if item.name in models]
    return Plan(
        metrics=case.evaluation.metrics,
        models=[name for name in models if name not in baselines],
        baselines=baselines,
        candidate=case.candidate_name(),
        slices=case.evaluation.slices,
        criteria=[Criterion(name=item.name, require=item.require) for item in case.criterion],
        level=case.evaluation.level,
        clustered=case.evaluation.cluster is not None,
    )


def evaluate_run(
    root: Path,
    evidence: Path,
    case: Case,
    table: CaseTable,
    parts: pl.Series,
    *,
    part: PartName,
    run: str | None,
    tool: str,
    lock: Path | None = None,
) -> Evaluated:
    """Join predictions and truth for one part, measure, and record.

    ``part="test"`` opens the sealed test: a ``look`` is recorded first.
    """
    life = life_of(read_chain(evidence), case.name)
    chosen = latest_run(evidence, case.name, life, run=run)
    sealed = bool(chosen.predicate["sealed"])
    if sealed and chosen.predicate["seal"] != life.seal:
        raise BadInput(
            f"run {chosen.predicate['run']} was made before the case was amended",
            why="its models answer the question as it was sealed then",
            next=f"trackrecord run {case.name}",
        )
    if sealed and life.seal is not None:
        _same_question(evidence, life.seal, case)
    folder = root / "runs" / case.name / str(chosen.predicate["run"])
    predictions = read_predictions(folder / "predictions.parquet", chosen, evidence)
    models = [c.removeprefix("score.") for c in predictions.columns if c.startswith("score.")]
    plan = plan_of(case, models)
    look: Entry | None = None
    looks = life.looks
    if part == "test":
        looks += 1
        look = record(
            evidence,
            kind="look",
            predicate={"case": case.name, "run": chosen.digest, "part": part, "look": looks},
            subjects=[Subject(name="run", digest={"sha256": chosen.digest})],
            case=case.name,
            lock_path=lock,
        )
    outcomes = join_outcomes(case, table, parts, predictions, part)
    path = folder / f"outcomes-{part}.parquet"
    write_outcomes(outcomes, path)
    evaluation = evaluate_outcomes(outcomes, plan)
    predicate = {
        "case": case.name,
        "run": chosen.digest,
        "seal": chosen.predicate["seal"],
        "sealed": sealed,
        "amendments": len(life.amendments),
        "looks_before_amendment": life.looks_before_amendment,
        "look": looks,
        "look_evidence": look.evidence if look else None,
        "part": part,
        "plan": msgspec.to_builtins(plan),
        "result": msgspec.to_builtins(evaluation),
        "tool": tool,
    }
    shown = path.relative_to(root).as_posix()
    entry = record(
        evidence,
        kind="evaluation",
        predicate=predicate,
        subjects=[Subject(name=shown, digest={"sha256": _sha256(path)})],
        case=case.name,
        lock_path=lock,
    )
    return Evaluated(entry, predicate, evaluation, shown)


def read_predictions(path: Path, run: RunEvidence, evidence: Path) -> pl.DataFrame:
    """A run's predictions, if they still are what the run's evidence says."""
    import polars as pl

    expected = read_evidence(evidence, run.digest).subject[0].digest["sha256"]
    if not path.exists():
        raise DataError("the run's predictions are gone", where=str(path), next="trackrecord run")
    if (found := _sha256(path)) != expected:
        raise DataError(
            "the run's predictions are not what the run wrote",
            where=str(path),
            why=f"expected SHA-256 {expected[:16]}…, found {found[:16]}…",
            next="restore the file, or run again: trackrecord run",
        )
    return pl.read_parquet(path)


def join_outcomes(
    case: Case, table: CaseTable, parts: pl.Series, predictions: pl.DataFrame, part: str
) -> pl.DataFrame:
    """The Outcomes table of one part: a row per unit with truth, scores, cluster, time, slices."""
    import polars as pl

    frame = table.frame.with_columns(parts.alias("__part")).filter(pl.col("__part") == part)
    columns = [pl.col("id"), pl.col("truth").cast(pl.Int8)]
    if case.data.time is not None:
        columns.append(pl.col(case.data.time).alias("time"))
    if case.evaluation.cluster is not None:
        columns.append(pl.col(case.evaluation.cluster).cast(pl.String).alias("cluster"))
    for name in slice_columns(case):
        columns.append(pl.col(name).alias(f"slice.{name}"))
    scores = predictions.filter(pl.col("part") == part).drop("part")
    joined = frame.select(columns).join(scores, on="id", how="left", maintain_order="left")
    if joined.height != scores.height:
        raise DataError(
            f"the run predicted {scores.height:,} units of the {part} part, "
            f"and the data has {joined.height:,}",
            next=f"trackrecord run {case.name}",
        )
    return joined


def slice_columns(case: Case) -> list[str]:
    """The columns that the case's slices are made of, each once, in order."""
    names: list[str] = []
    for text in case.evaluation.slices:
        name = text.split()[0] if any(op in text for op in ("<", ">", "=")) else text
        if name not in names:
            names.append(name)
    return names


def case_bytes(case: Case) -> bytes:
    """The case's canonical bytes, as sealed."""
    return canonical(msgspec.to_builtins(case))


def _same_question(evidence: Path, seal: str, case: Case) -> None:
    from trackrecord.cases.seal import drift_since_seal

    drift = drift_since_seal(sealed_case(evidence, seal), case, None)
    if drift:
        raise BadInput(
            f"the case '{case.name}' has changed since it was sealed",
            where=", ".join(what for _, what in drift),
            next=f'undo the change, or: trackrecord amend {case.name} --reason "…"',
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
