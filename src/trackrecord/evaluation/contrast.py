"""What a leaky or random protocol would have claimed for the same models.

A contrast retrains the case's candidate under another split, or with columns known later than
they honestly were, and measures it there. It says nothing about the model; it measures the
protocol. It comes after the verdict and counts as a look, since it sees truth of the test months.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.result import Evaluation
from trackrecord.ledger import Entry, Subject, read_chain, read_evidence, record

from trackrecord.cases.seal import life_of
from trackrecord.cases.spec import Case, Contrast
from trackrecord.errors import BadInput
from trackrecord.evaluation.case import join_outcomes, plan_of

if TYPE_CHECKING:
    from trackrecord.data.table import CaseTable


class ContrastResult(msgspec.Struct, frozen=True):
    """One protocol's numbers for the candidate."""

    name: str
    what: str
    rows: int
    prediction_mean: float
    rate: float
    estimates: list[Any]


def contrast_case(
    root: Path,
    evidence: Path,
    case: Case,
    case_folder: Path,
    table: CaseTable,
    *,
    tool: str,
    progress: Callable[[str, float], None],
    lock: Path | None = None,
) -> tuple[Entry, dict[str, Any]]:
    """Measure every contrast of the case and record them beside the honest result.

    Raises BadInput when the case has no contrast, or when the sealed test is not evaluated yet.
    """
    if not case.contrast:
        raise BadInput(
            f"the case '{case.name}' has no [[contrast]]",
            next='add one to case.toml, like: name = "random split" with [contrast.split] kind = "random"',
        )
    life = life_of(read_chain(evidence), case.name)
    honest, digest = _honest_result(evidence, case, life.evaluations)
    looks = life.looks + 1
    record(
        evidence,
        kind="look",
        predicate={"case": case.name, "run": honest["run"], "part": "contrast", "look": looks},
        subjects=[Subject(name="run", digest={"sha256": honest["run"]})],
        case=case.name,
        lock_path=lock,
    )
    results = []
    for index, contrast in enumerate(case.contrast):
        progress(f"contrast: {contrast.name}", index / len(case.contrast))
        results.append(measure_contrast(root, case, case_folder, table, contrast))
    predicate = {
        "case": case.name,
        "look": looks,
        "evaluation": digest,
        "contrasts": msgspec.to_builtins(results),
        "honest": msgspec.to_builtins(_honest_row(honest)),
        "tool": tool,
    }
    entry = record(
        evidence,
        kind="contrast",
        predicate=predicate,
        subjects=[Subject(name="evaluation", digest={"sha256": digest})],
        case=case.name,
        lock_path=lock,
    )
    return entry, predicate


def measure_contrast(
    root: Path, case: Case, case_folder: Path, table: CaseTable, contrast: Contrast
) -> ContrastResult:
    """The candidate under the contrast's protocol, measured on that protocol's test part."""
    from trackrecord.modeling.train import train_and_predict

    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    candidate = case.candidate_name()
    alone = msgspec.structs.replace(
        case,
        split=contrast.split or case.split,
        model=[model for model in case.model if model.name == candidate],
        baseline=case.baseline[:1],
    )
    if contrast.known_by:
        table = load_case_table(case, root, known_by=contrast.known_by)
    parts = assign_parts(table.frame, alone)
    trained = train_and_predict(
        alone, table, parts, case_folder=case_folder, progress=lambda _step, _share: None
    )
    outcomes = join_outcomes(alone, table, parts, trained.predictions, "test")
    plan = plan_of(alone, [alone.baseline[0].name, candidate])
    bare = Plan(
        metrics=plan.metrics,
        models=[candidate],
        baselines=[],
        candidate=candidate,
        slices=[],
        criteria=[],
        level=plan.level,
        clustered=plan.clustered,
    )
    evaluation = evaluate_outcomes(outcomes.drop(f"score.{alone.baseline[0].name}"), bare)
    return _row(contrast.name, _protocol(case, contrast), evaluation, candidate, outcomes)


def _protocol(case: Case, contrast: Contrast) -> str:
    said = []
    if contrast.split is not None:
        kind = msgspec.to_builtins(contrast.split)["kind"]
        sealed = msgspec.to_builtins(case.split)["kind"]
        said.append(f"a {kind} split instead of the {sealed} split")
    if contrast.known_by:
        said.append(f"joined columns known {contrast.known_by}")
    return " and ".join(said)


def _row(
    name: str, what: str, evaluation: Evaluation, candidate: str, outcomes: Any
) -> ContrastResult:
    estimates = next(model.estimates for model in evaluation.models if model.name == candidate)
    return ContrastResult(
        name=name,
        what=what,
        rows=evaluation.rows,
        prediction_mean=float(outcomes[f"score.{candidate}"].mean()),
        rate=evaluation.positives / evaluation.rows,
        estimates=list(estimates),
    )


def _honest_result(
    evidence: Path, case: Case, evaluations: list[str]
) -> tuple[dict[str, Any], str]:
    for digest in reversed(evaluations):
        predicate = read_evidence(evidence, digest).predicate
        if predicate["part"] == "test":
            return predicate, digest
    raise BadInput(
        f"the sealed test of '{case.name}' has not been evaluated yet",
        why="a contrast sees the test's truth; before the verdict that would spoil it",
        next=f"trackrecord evaluate {case.name} --part test",
    )


def _honest_row(predicate: dict[str, Any]) -> ContrastResult:
    result = predicate["result"]
    candidate = predicate["plan"]["candidate"]
    estimates = next(m["estimates"] for m in result["models"] if m["name"] == candidate)
    rate = result["positives"] / result["rows"]
    bias = next((e["value"] for e in estimates if e["metric"] == "bias" and "value" in e), 0.0)
    return ContrastResult(
        name="as sealed",
        what="the case as it was sealed",
        rows=result["rows"],
        prediction_mean=rate + bias,
        rate=rate,
        estimates=estimates,
    )
