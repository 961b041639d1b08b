"""What a leaky or random protocol would have claimed for the same models.

A contrast retrains the case's candidate under another split, or with columns known later than
they honestly were, and measures it there. It says nothing about the model; it measures the
protocol. It comes after the verdict and counts as a look, since it sees truth of the test part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.seal import Life, life_of
from trackrecord.cases.spec import Case, Contrast
from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.case import (
    EvaluationPredicate,
    check_same_question,
    latest_run,
    record_look,
)
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.joining import join_outcomes
from trackrecord.evaluation.outcomes import canonical_outcomes, read_outcomes, write_outcomes
from trackrecord.evaluation.plan import Plan
from trackrecord.ledger import Entry, Statement, Subject, read_chain, read_evidence, record
from trackrecord.ledger.store import file_sha256
from trackrecord.stats.estimate import Absence, Estimate

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable
    from trackrecord.workspace import Workspace

# Name and words of the honest row.
AS_SEALED = ("as sealed", "the case as it was sealed")


class ContrastResult(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol's numbers for the candidate, and the outcomes file they can be made from."""

    name: str
    what: str
    rows: int
    prediction_mean: float
    rate: float
    estimates: list[Estimate]
    absent: list[Absence]
    outcomes: str


class ContrastPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``contrast``: the honest numbers beside those of worse protocols.

    ``evaluation`` is the digest of the evaluation that ``honest`` is from; ``plan`` is what every
    protocol was measured by. Each result's ``outcomes`` is the name of a subject, the honest
    one's of a subject of the evaluation.
    """

    case: str
    look: int
    evaluation: str
    honest: ContrastResult
    contrasts: list[ContrastResult]
    plan: Plan
    tool: str


def contrast_case(
    workspace: Workspace,
    case: Case,
    table: CaseTable,
    *,
    tool: str,
    progress: Callable[[str, float], None],
) -> tuple[Entry, ContrastPredicate]:
    """Measure every contrast of the case and record them beside the honest result.

    Raises BadInput when the case has no contrast, when the sealed test is not evaluated yet, or
    when there is nothing that could be trained again.
    """
    if not case.contrast:
        raise BadInput(
            f"the case '{case.name}' has no [[contrast]]",
            next='add one to case.toml: a name, and split = { kind = "random" }',
        )
    evidence = workspace.evidence
    life = life_of(read_chain(evidence), case.name)
    digest, statement = _latest_test_evaluation(evidence, case, life)
    evaluation = msgspec.convert(statement.predicate, EvaluationPredicate)
    run = latest_run(evidence, case.name, life)
    if run.digest != evaluation.run:
        raise BadInput(
            f"run {run.facts.run} has not been evaluated on the sealed test",
            why="a contrast sees the test's truth; before the verdict that would spoil it",
            next=f"trackrecord evaluate {case.name} --part test",
        )
    check_same_question(evidence, life, run, case, table)
    alone = _candidate_alone(case)
    plan = bare_plan(evaluation.plan)
    honest = _honest_result(workspace.root, statement, plan, case)
    protocols = protocols_of(workspace.root, alone, table)
    _, life = record_look(workspace, case.name, run.digest, part="contrast", tool=tool)
    folder = workspace.runs(case.name) / run.facts.run
    beside = workspace.case_folder(case.name)
    results = []
    subjects = []
    for number, (contrast, protocol) in enumerate(zip(case.contrast, protocols, strict=True), 1):
        progress(f"contrast: {contrast.name}", (number - 1) / len(protocols))
        outcomes = contrast_outcomes(protocol, beside, seed=run.facts.seed)
        path = folder / f"outcomes-contrast-{number}.parquet"
        write_outcomes(outcomes, path)
        name = path.relative_to(workspace.root).as_posix()
        subjects.append(Subject(name=name, digest={"sha256": file_sha256(path)}))
        what = protocol_in_words(case, contrast)
        results.append(measure_protocol(contrast.name, what, outcomes, plan, name))
    predicate = ContrastPredicate(
        case=case.name,
        look=life.looks,
        evaluation=digest,
        honest=honest,
        contrasts=results,
        plan=plan,
        tool=tool,
    )
    entry = record(
        evidence,
        kind="contrast",
        predicate=predicate,
        subjects=[*subjects, Subject(name="evaluation", digest={"sha256": digest})],
        case=case.name,
        lock_path=workspace.cache / "lock",
    )
    return entry, predicate


def measure_protocol(
    name: str, what: str, outcomes: pl.DataFrame, plan: Plan, file: str
) -> ContrastResult:
    """The candidate's numbers under one protocol; pure, so that a stranger can repeat it."""
    evaluation = evaluate_outcomes(outcomes, plan)
    (model,) = evaluation.models
    scores = canonical_outcomes(outcomes)[f"score.{plan.candidate}"].to_numpy()
    return ContrastResult(
        name=name,
        what=what,
        rows=evaluation.rows,
        prediction_mean=float(scores.mean()),
        rate=(evaluation.positives or 0) / evaluation.rows,
        estimates=model.estimates,
        absent=model.absent,
        outcomes=file,
    )


def bare_plan(plan: Plan) -> Plan:
    """The same metrics, level and clusters, for the candidate alone."""
    return msgspec.structs.replace(
        plan,
        models=[plan.candidate],
        baselines=[],
        reference=None,
        slices=[],
        criteria=[],
        simultaneous=False,
        decision=None,
    )


@dataclass(frozen=True)
class Protocol:
    """How a contrast trains and tests: its case, its table, and each row's part."""

    case: Case
    table: CaseTable
    parts: pl.Series


def protocols_of(root: Path, alone: Case, table: CaseTable) -> list[Protocol]:
    """Each contrast's own split and joins. Raises DataError for what these data do not allow.

    ``alone`` is the case with its candidate only. Contrasts with one ``known_by`` share a table.
    """
    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    tables = {"": table}
    protocols = []
    for contrast in alone.contrast:
        known = contrast.known_by
        if known not in tables:
            tables[known] = load_case_table(alone, root, known_by=known)
        changed = msgspec.structs.replace(alone, split=contrast.split or alone.split)
        protocols.append(
            Protocol(changed, tables[known], assign_parts(tables[known].frame, changed))
        )
    return protocols


def contrast_outcomes(protocol: Protocol, case_folder: Path, *, seed: int) -> pl.DataFrame:
    """Outcomes of the candidate, trained and tested under the protocol with the run's seed."""
    from trackrecord.modeling.train import train_and_predict

    case = protocol.case
    trained = train_and_predict(
        case,
        protocol.table,
        protocol.parts,
        case_folder=case_folder,
        progress=lambda _step, _share: None,
        seed=seed,
    )
    outcomes = join_outcomes(case, protocol.table, protocol.parts, trained.predictions, "test")
    kept = ("id", "truth", "time", "cluster", f"score.{case.candidate_name()}")
    return outcomes.select(name for name in outcomes.columns if name in kept)


def _candidate_alone(case: Case) -> Case:
    """The case with its candidate, no slices, and the cheapest baseline, since one is needed."""
    candidate = next(model for model in case.model if model.name == case.candidate_name())
    if not candidate.estimator and not candidate.python:
        raise BadInput(
            f"the candidate '{candidate.name}' was trained by another program",
            why="a contrast trains it again, under another protocol",
            next="leave the [[contrast]] out, or bring those predictions as a case of their own",
        )
    return msgspec.structs.replace(
        case,
        model=[candidate],
        baseline=case.baseline[:1],
        evaluation=msgspec.structs.replace(case.evaluation, slices=[]),
    )


def protocol_in_words(case: Case, contrast: Contrast) -> str:
    """What sets a contrast apart from the case as it is sealed."""
    said = []
    if contrast.split is not None:
        kind = msgspec.to_builtins(contrast.split)["kind"]
        sealed = msgspec.to_builtins(case.split)["kind"]
        said.append(f"a {kind} split instead of the {sealed} split")
    if contrast.known_by:
        said.append(f"joined columns known {contrast.known_by}")
    return " and ".join(said) or "the same protocol, trained again"


def _latest_test_evaluation(evidence: Path, case: Case, life: Life) -> tuple[str, Statement]:
    for digest in reversed(life.evaluations):
        statement = read_evidence(evidence, digest)
        if statement.predicate["part"] == "test":
            return digest, statement
    raise BadInput(
        f"the sealed test of '{case.name}' has not been evaluated yet",
        why="a contrast sees the test's truth; before the verdict that would spoil it",
        next=f"trackrecord evaluate {case.name} --part test",
    )


def _honest_result(root: Path, evaluated: Statement, plan: Plan, case: Case) -> ContrastResult:
    """The sealed protocol's numbers, measured again from the evaluation's own outcomes."""
    subject = evaluated.subject[0]
    path = root / subject.name
    if not path.exists() or file_sha256(path) != subject.digest["sha256"]:
        raise DataError(
            "the outcomes of the sealed test are not what the evaluation wrote",
            where=subject.name,
            next=f"trackrecord evaluate {case.name} --part test",
        )
    return measure_protocol(*AS_SEALED, read_outcomes(path), plan, subject.name)
