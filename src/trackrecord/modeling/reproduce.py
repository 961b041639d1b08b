"""Trains a run again and compares: the same case, data, seed and packages give the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.seal import sealed_case
from trackrecord.cases.spec import Case
from trackrecord.errors import BadInput, DataError
from trackrecord.modeling.environment import Environment, take_environment
from trackrecord.modeling.run import RunPredicate, predictions_bytes, scores_of
from trackrecord.modeling.train import Trained, train_and_predict
from trackrecord.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable


class Difference(msgspec.Struct, frozen=True):
    """A model whose scores are not the run's: in how many rows, and by how much at most.

    ``rows`` and ``largest`` are None where the run's own predictions are gone.
    """

    model: str
    rows: int | None
    largest: float | None


class Changed(msgspec.Struct, frozen=True):
    """Something about the place that is not as it was: a package's version, the processor."""

    what: str
    then: str
    now: str


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """What training again gave.

    ``equal`` says that every score is the same to the last bit; ``bytes_equal`` that the file of
    predictions is too, as its SHA-256 in the record shows.
    """

    case: str
    run: str
    equal: bool
    bytes_equal: bool
    parts: dict[str, bool]
    differences: list[Difference]
    environment: list[Changed]
    seconds: float


@dataclass(frozen=True)
class Retrained:
    """The comparison, and what it was made of: for who wants to keep the model."""

    found: Reproduction
    case: Case
    table: CaseTable
    parts: pl.Series
    trained: Trained


def reproduce_run(
    workspace: Workspace,
    run: RunPredicate,
    predictions: str,
    *,
    progress: Callable[[str, float], None],
) -> Retrained:
    """Train what ``run`` trained, from the case as it was then, and compare every score.

    Parameters
    ----------
    run:
        What the ledger says of it.
    predictions:
        SHA-256 of its file of predictions.

    Raises
    ------
    BadInput
        For a run whose predictions another program brought.
    DataError
        When the data is no longer what was sealed.
    """
    import time

    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    if run.source != "trained":
        raise BadInput(
            f"run {run.run} of '{run.case}' cannot be trained again here",
            why="another program brought its predictions",
            next=f"run that program again, then: trackrecord run {run.case} --outcomes FILE",
        )
    began = time.perf_counter()
    case = case_of(workspace, run)
    progress("reading the data", 0.02)
    table = load_case_table(case, workspace.root)
    parts = assign_parts(table.frame, case)
    _check_data(workspace, run, table)
    trained = train_and_predict(
        case,
        table,
        parts,
        case_folder=workspace.case_folder(case.name),
        progress=lambda step, share: progress(step, 0.1 + 0.8 * share),
        seed=run.seed,
    )
    progress("comparing", 0.95)
    scores = scores_of(trained.predictions)
    same = {part: scores.get(part) == digest for part, digest in run.scores.items()}
    sha256 = hashlib.sha256(predictions_bytes(trained.predictions)).hexdigest()
    equal = all(same.values()) and scores.keys() == run.scores.keys()
    now = take_environment(workspace.root, trained.threads, [m.kind for m in trained.models])
    found = Reproduction(
        case=case.name,
        run=run.run,
        # Runs of 0.1.0 have no digests of scores; their file's says as much.
        equal=equal if run.scores else sha256 == predictions,
        bytes_equal=sha256 == predictions,
        parts=same,
        differences=[] if equal else _differences(workspace, run, trained.predictions),
        environment=changed_since(run.environment, now),
        seconds=round(time.perf_counter() - began, 1),
    )
    return Retrained(found, case, table, parts, trained)


def case_of(workspace: Workspace, run: RunPredicate) -> Case:
    """The case that a run answered, as the ledger has it."""
    spec = run.spec if run.seal is None else sealed_case(workspace.evidence, run.seal).case.spec
    try:
        return msgspec.convert(spec, Case)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"the case of run {run.run} cannot be read by this version",
            why=str(error)[:200],
            next="install the version of trackrecord that made the run",
        ) from None


def _check_data(workspace: Workspace, run: RunPredicate, table: CaseTable) -> None:
    if run.seal is None:
        return
    sealed = {s.path: s.table for s in sealed_case(workspace.evidence, run.seal).data}
    other = [path for path, digest in table.digests.items() if sealed.get(path) != digest]
    if other:
        raise DataError(
            f"the data of run {run.run} is not as it was sealed",
            where=", ".join(other),
            why="another table gives another model",
            next="put the sealed files back (git knows them), then try again",
        )


def changed_since(then: Environment, now: Environment) -> list[Changed]:
    """What is different about the place; threads and cores count too, for sums take their order."""
    before, after = _flat(then), _flat(now)
    return [
        Changed(what, before.get(what, "–"), after.get(what, "–"))
        for what in sorted(before.keys() | after.keys())
        if before.get(what) != after.get(what)
    ]


def _flat(environment: Environment) -> dict[str, str]:
    plain: dict[str, Any] = msgspec.to_builtins(environment)
    found = {name: str(plain[name]) for name in ("python", "platform", "cpu", "cores")}
    found |= {f"package {name}": version for name, version in plain["packages"].items()}
    found |= {f"lock {lock['path']}": lock["sha256"][:16] for lock in plain["locks"]}
    found |= {f"threads {name}": str(count) for name, count in plain["threads"].items()}
    return found


def _differences(workspace: Workspace, run: RunPredicate, now: pl.DataFrame) -> list[Difference]:
    """Each model's rows that differ, against the run's own file where it is still there."""
    import polars as pl

    names = [name for name in now.columns if name.startswith("score.")]
    path = workspace.runs(run.case) / run.run / "predictions.parquet"
    try:
        then = pl.read_parquet(path)
        joined = now.join(then, on=["id", "part"], how="full", suffix=".then", coalesce=True)
    except (OSError, pl.exceptions.PolarsError):
        return [Difference(name.removeprefix("score."), None, None) for name in names]
    found = []
    for name in names:
        if f"{name}.then" not in joined.columns:
            found.append(Difference(name.removeprefix("score."), None, None))
            continue
        far = (joined[name] - joined[f"{name}.then"]).abs()
        rows = int(far.fill_null(1.0).gt(0).sum())
        if rows:
            largest = far.max()
            found.append(Difference(name.removeprefix("score."), rows, float(str(largest))))
    return found
