"""A run: a case's baselines and models trained, their predictions written, and the ledger told."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trackrecord.cases.reader import case_document
from trackrecord.cases.spec import Case
from trackrecord.data.digest import scores_digest
from trackrecord.ledger import Entry, Subject, record, write_atomic
from trackrecord.modeling.environment import Environment, peak_memory_mb, take_environment
from trackrecord.modeling.folders import claimed_folder
from trackrecord.modeling.outcomes import Given, GivenFile, read_given
from trackrecord.modeling.tracking import (
    finish_tracking,
    start_tracking,
    stop_tracking,
    tracked_run,
    validation_metrics,
)
from trackrecord.modeling.train import Trained, TrainedModel, checked_seed, train_and_predict
from trackrecord.version import __version__
from trackrecord.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable

ROW_GROUP = 1 << 17


class RunPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``run``: what was trained, from what, with which seed, where, and how long it took.

    The first subject is the run's ``predictions.parquet``. ``seal`` is the digest of the seal (or
    amendment) that the run stands on; None where it was made without one, and then ``spec`` is the
    case's document, which no seal holds. ``scores`` has the content digest of each predicted
    part's ids and scores: outcomes that are published later show that they are this run's.
    ``seconds`` is wall time; ``peak_memory_mb`` (10^6 bytes) is the process's largest, since it
    began – or that of the process of the Python files, where that was larger.
    """

    case: str
    run: str
    sealed: bool
    seal: str | None
    seed: int
    source: Literal["trained", "outcomes"]
    outcomes: GivenFile | None
    rows: dict[str, int]
    features: list[str]
    models: list[TrainedModel]
    environment: Environment
    seconds: float
    peak_memory_mb: float | None
    mlflow_run: str | None
    mlflow_problem: str | None
    tool: str
    spec: dict[str, Any] | None = None
    scores: dict[str, str] = {}


class RunResult(msgspec.Struct, frozen=True):
    """The run's entry in the chain, its predicate, and where its predictions are.

    ``tracking_seconds`` is what of the predicate's ``seconds`` was spent on waiting for MLflow.
    """

    entry: Entry
    predicate: RunPredicate
    predictions: str
    tracking_seconds: float


def run_case(
    workspace: Workspace,
    case: Case,
    loaded: CaseTable,
    parts: pl.Series,
    *,
    seal: str | None,
    seed: int,
    progress: Callable[[str, float], None],
    outcomes: Path | None = None,
    outcomes_model: str | None = None,
    isolated: bool = True,
) -> RunResult:
    """Train, predict, write ``runs/CASE/NNNN/predictions.parquet``, and record.

    Nothing is written before everything is trained. An error, Ctrl-C or a kill before the ledger
    has the run leaves no run.

    Parameters
    ----------
    workspace:
        Where the case and its files are. Its ``tracking_uri`` says where MLflow remembers: None is
        a store of its own, ``"none"`` nowhere.
    seal:
        Digest of the seal that the run stands on; None for an unsealed run.
    outcomes, outcomes_model:
        Another program's predictions, and the model whose they are.
    isolated:
        Python files in a process of their own, which may fall without this one.

    Raises
    ------
    CaseError, DataError
        For models, data or predictions that cannot be used; nothing has changed.
    LedgerError
        When the chain cannot be written to; nothing has changed.
    """
    began, clock = time.time(), time.perf_counter()
    seed = checked_seed(seed)
    given: Given | None = None
    if outcomes is not None:
        progress("reading the predictions", 0.1)
        given = read_given(outcomes, case, loaded, parts, model=outcomes_model)
    tracker = start_tracking(workspace.root, workspace.tracking_uri)
    try:
        trained = train_and_predict(
            case,
            loaded,
            parts,
            case_folder=workspace.case_folder(case.name),
            progress=lambda step, share: progress(step, 0.1 + 0.8 * share),
            seed=seed,
            given=given.scores if given else None,
            isolated=isolated,
        )
        environment = take_environment(
            workspace.root, trained.threads, [model.kind for model in trained.models]
        )
        with claimed_folder(workspace, case.name) as folder:
            progress("writing the predictions", 0.9)
            data = predictions_bytes(trained.predictions)
            write_atomic(folder.part / "predictions.parquet", data)
            progress("telling MLflow", 0.92)
            told = time.perf_counter()
            tracked = finish_tracking(
                tracker,
                _for_mlflow(case, folder.number, began, loaded, parts, trained, environment, seed),
            )
            waited = time.perf_counter() - told
            predicate = RunPredicate(
                case=case.name,
                run=folder.number,
                sealed=seal is not None,
                seal=seal,
                seed=seed,
                source="trained" if given is None else "outcomes",
                outcomes=given.file if given else None,
                rows={name: int((parts == name).sum()) for name in ("train", "validation", "test")},
                features=case.features,
                models=trained.models,
                environment=environment,
                seconds=round(time.perf_counter() - clock, 3),
                peak_memory_mb=_largest(peak_memory_mb(), trained.child_memory_mb),
                mlflow_run=tracked.run,
                mlflow_problem=tracked.problem,
                tool=__version__,
                spec=case_document(case) if seal is None else None,
                scores=scores_of(trained.predictions),
            )
            progress("recording", 0.98)
            folder.publish()
            shown = (folder.final / "predictions.parquet").relative_to(workspace.root).as_posix()
            entry = record(
                workspace.evidence,
                kind="run",
                predicate=predicate,
                subjects=_subjects(shown, data, predicate),
                case=case.name,
                lock_path=workspace.cache / "lock",
            )
            folder.keep()
    finally:
        stop_tracking(tracker)
    return RunResult(entry, predicate, shown, waited)


def predictions_bytes(predictions: pl.DataFrame) -> bytes:
    """The predictions as Parquet; the same predictions give the same bytes.

    One writer, no pandas or Polars metadata, plain strings, row groups of a fixed size.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = predictions.rechunk().to_arrow()
    fields = [
        pa.field(name, pa.float64() if name.startswith("score.") else pa.string())
        for name in table.column_names
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(pa.schema(fields)).combine_chunks(),
        sink,
        row_group_size=ROW_GROUP,
        compression="zstd",
        use_dictionary=["part"],
        write_statistics=False,
        store_schema=False,
    )
    return bytes(sink.getvalue())


def _largest(*sizes: float | None) -> float | None:
    return max((size for size in sizes if size is not None), default=None)


def _subjects(shown: str, data: bytes, predicate: RunPredicate) -> list[Subject]:
    """The predictions first; then what they were made from, besides the sealed data."""
    found = [Subject(name=shown, digest={"sha256": hashlib.sha256(data).hexdigest()})]
    named = {source.path: source.sha256 for model in predicate.models for source in model.sources}
    found += [Subject(name=path, digest={"sha256": sha256}) for path, sha256 in named.items()]
    if predicate.outcomes is not None:
        given = predicate.outcomes
        found.append(Subject(name=given.name, digest={"sha256": given.sha256}))
    return found


def scores_of(predictions: pl.DataFrame) -> dict[str, str]:
    """The digest of each part's scores."""
    return {
        str(part): scores_digest(rows)
        for (part,), rows in predictions.partition_by("part", as_dict=True).items()
    }


def _for_mlflow(
    case: Case,
    run: str,
    began: float,
    loaded: CaseTable,
    parts: pl.Series,
    trained: Trained,
    environment: Environment,
    seed: int,
) -> dict[str, Any]:
    truth = loaded.frame.filter((parts == "validation").fill_null(False)).select("id", "truth")
    return tracked_run(
        case.name,
        run,
        began=began,
        models=trained.models,
        metrics=validation_metrics(trained.predictions, truth),
        facts={
            "seed": seed,
            "candidate": case.candidate_name(),
            "features": len(case.features),
            "train_rows": int((parts == "train").sum()),
            "git_commit": environment.git.commit or environment.git.absent or "",
        },
        files={
            "case.json": case_document(case),
            "environment.json": msgspec.to_builtins(environment),
        },
    )
