"""Evaluates a case's run, and keeps count of who looked at the sealed test.

The look is written to the ledger before any truth of the test part is joined to a prediction: a
process that dies in between has still looked. What can be found wrong without looking is found
before.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.seal import Life, drift_since_seal, life_of, sealed_case
from trackrecord.cases.spec import Case
from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.evaluate import check_plan, evaluate_outcomes
from trackrecord.evaluation.joining import join_outcomes
from trackrecord.evaluation.outcomes import write_outcomes
from trackrecord.evaluation.plan import Plan, PlannedRequirement
from trackrecord.evaluation.result import Evaluation
from trackrecord.ledger import Entry, Subject, read_chain, read_evidence, record
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.run import RunPredicate

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable
    from trackrecord.workspace import Workspace

PartName = Literal["validation", "test"]


class LookPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``look``: somebody opened the sealed test, and for what.

    Which look it is follows from its place in the chain. ``token`` is random, so that two looks
    at one run are two pieces of evidence.
    """

    case: str
    run: str
    part: Literal["test", "contrast"]
    token: str
    tool: str


class EvaluationPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``evaluation``: what a run's predictions are worth on one part.

    ``run``, ``seal`` and ``look_evidence`` are evidence digests. ``look`` is how many looks the
    chain had with this one; on the validation part, how many it had. ``amendments`` counts changes
    of the case since its seal, and ``looks_before_amendment`` the looks before the last of them.
    """

    case: str
    run: str
    seal: str | None
    sealed: bool
    amendments: int
    looks_before_amendment: int
    look: int
    look_evidence: str | None
    part: PartName
    plan: Plan
    result: Evaluation
    tool: str


class RunEvidence(msgspec.Struct, frozen=True):
    """The run that is evaluated: its evidence digest, what it says, and its predictions' digest."""

    digest: str
    facts: RunPredicate
    predictions: str


class Evaluated(msgspec.Struct, frozen=True):
    """What came out: the evaluation's entry, its predicate, and where the outcomes are."""

    entry: Entry
    predicate: EvaluationPredicate
    outcomes: str


def latest_run(evidence: Path, case: str, life: Life, *, run: str | None = None) -> RunEvidence:
    """The run to evaluate: the latest, or the one called ``run`` (e.g. ``0002``)."""
    known = []
    for digest in reversed(life.runs):
        statement = read_evidence(evidence, digest)
        facts = msgspec.convert(statement.predicate, RunPredicate)
        if run is None or facts.run == run:
            return RunEvidence(digest, facts, statement.subject[0].digest["sha256"])
        known.append(facts.run)
    if run is None:
        raise BadInput(f"the case '{case}' has no run yet", next=f"trackrecord run {case}")
    raise BadInput(
        f"the case '{case}' has no run {run}",
        why=f"runs: {', '.join(reversed(known)) or 'none yet'}",
        next=f"trackrecord run {case}",
    )


def plan_of(case: Case, models: list[str]) -> Plan:
    """The evaluation plan that a case asks for, for the models that a run has.

    Metrics are the case's and those that its criteria judge. Slices are compared with the baseline
    that the first criterion on a difference names, else with the last baseline.
    """
    baselines = [item.name for item in case.baseline if item.name in models]
    requirements = [parse_requirement(item.require) for item in case.criterion]
    metrics = list(case.evaluation.metrics)
    metrics += [asked.metric for asked in requirements]
    named: list[str | None] = [a.baseline for a in requirements if a.baseline in baselines]
    return Plan(
        metrics=list(dict.fromkeys(metrics)),
        models=[name for name in models if name not in baselines],
        baselines=baselines,
        candidate=case.candidate_name(),
        reference=[*named, *baselines[-1:], None][0],
        slices=list(case.evaluation.slices),
        criteria=[
            PlannedRequirement(name=item.name, require=item.require) for item in case.criterion
        ],
        level=case.evaluation.level,
        clustered=case.evaluation.cluster is not None,
        simultaneous=case.evaluation.simultaneous,
        decision=case.evaluation.decision,
    )


def evaluate_run(
    workspace: Workspace,
    case: Case,
    table: CaseTable,
    parts: pl.Series,
    *,
    part: PartName,
    run: str | None,
    tool: str,
) -> Evaluated:
    """Join predictions and truth for one part, measure, and record.

    ``part="test"`` opens the sealed test: a ``look`` is recorded first.

    Raises
    ------
    BadInput
        When there is no such run, or the case or its data are not as they were sealed.
    DataError
        When the predictions are gone, changed, or not of these units; when the truth has one class.
    """
    evidence = workspace.evidence
    life = life_of(read_chain(evidence), case.name)
    chosen = latest_run(evidence, case.name, life, run=run)
    check_same_question(evidence, life, chosen, case, table)
    folder = workspace.runs(case.name) / chosen.facts.run
    predictions = read_predictions(folder / "predictions.parquet", chosen.predictions, case.name)
    plan = plan_of(case, models_of(predictions))
    check_candidate(plan, case, chosen.facts.run)
    check_plan(plan)
    look: Entry | None = None
    if part == "test":
        look, life = record_look(workspace, case.name, chosen.digest, part="test", tool=tool)
    outcomes = join_outcomes(case, table, parts, predictions, part)
    path = folder / f"outcomes-{part}.parquet"
    write_outcomes(outcomes, path)
    predicate = EvaluationPredicate(
        case=case.name,
        run=chosen.digest,
        seal=chosen.facts.seal,
        sealed=chosen.facts.sealed,
        amendments=len(life.amendments),
        looks_before_amendment=life.looks_before_amendment,
        look=life.looks,
        look_evidence=look.evidence if look else None,
        part=part,
        plan=plan,
        result=evaluate_outcomes(outcomes, plan),
        tool=tool,
    )
    shown = path.relative_to(workspace.root).as_posix()
    entry = record(
        evidence,
        kind="evaluation",
        predicate=predicate,
        subjects=[Subject(name=shown, digest={"sha256": file_sha256(path)})],
        case=case.name,
        lock_path=workspace.cache / "lock",
    )
    return Evaluated(entry, predicate, shown)


def record_look(
    workspace: Workspace, case: str, run: str, *, part: Literal["test", "contrast"], tool: str
) -> tuple[Entry, Life]:
    """Write a look, and the case's life up to and including it.

    Looks are counted in the chain after the look has its place there, so that two processes that
    look at once are two looks.
    """
    entry = record(
        workspace.evidence,
        kind="look",
        predicate=LookPredicate(
            case=case, run=run, part=part, token=secrets.token_hex(8), tool=tool
        ),
        subjects=[Subject(name="run", digest={"sha256": run})],
        case=case,
        lock_path=workspace.cache / "lock",
    )
    chain = read_chain(workspace.evidence)
    return entry, life_of([known for known in chain if known.seq <= entry.seq], case)


def check_same_question(
    evidence: Path, life: Life, run: RunEvidence, case: Case, table: CaseTable
) -> None:
    """Raise BadInput unless the run answers the case as it is sealed, on the data sealed with it.

    An unsealed run has nothing to be compared with.
    """
    if not run.facts.sealed or life.seal is None:
        return
    if run.facts.seal != life.seal:
        raise BadInput(
            f"run {run.facts.run} was made before the case was amended",
            why="its models answer the question as it was sealed then",
            next=f"trackrecord run {case.name}",
        )
    seal = sealed_case(evidence, life.seal)
    if drift := drift_since_seal(seal, case, table.digests, None):
        raise BadInput(
            f"the case '{case.name}' is not as it was sealed",
            where=", ".join(what for _, what in drift),
            next=f'undo the change, or: trackrecord amend {case.name} --reason "…"',
        )


def check_candidate(plan: Plan, case: Case, run: str) -> None:
    """Raise BadInput when the run has no predictions of the case's candidate."""
    if plan.candidate not in plan.models:
        raise BadInput(
            f"run {run} has no predictions of the candidate '{plan.candidate}'",
            why=f"it has those of {', '.join(plan.models + plan.baselines) or 'no model'}",
            next=f"trackrecord run {case.name} --outcomes FILE --model {plan.candidate}",
        )


def models_of(predictions: pl.DataFrame) -> list[str]:
    """Names of the models that a table has scores of, in order."""
    return [c.removeprefix("score.") for c in predictions.columns if c.startswith("score.")]


def read_predictions(path: Path, expected: str, case: str) -> pl.DataFrame:
    """A run's predictions, if they still have the SHA-256 that the run's evidence says."""
    import polars as pl

    again = f"restore the file, or run again: trackrecord run {case}"
    if not path.exists():
        raise DataError("the run's predictions are gone", where=str(path), next=again)
    if (found := file_sha256(path)) != expected:
        raise DataError(
            "the run's predictions are not what the run wrote",
            where=str(path),
            why=f"expected SHA-256 {expected[:16]}…, found {found[:16]}…",
            next=again,
        )
    return pl.read_parquet(path)
