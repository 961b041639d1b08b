"""What a version met before it was served: the validation rows of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackrecord.cases.spec import Case
from trackrecord.errors import DataError
from trackrecord.ledger import read_evidence
from trackrecord.modeling.export.bundle import Bundle
from trackrecord.modeling.reproduce import case_of
from trackrecord.modeling.run import RunPredicate
from trackrecord.stats.unlabelled import IDENTITY, Calibrated, calibrated_on
from trackrecord.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

DAY = "day"


@dataclass(frozen=True)
class Reference:
    """Rows that the model was not trained on, as they were before it was served.

    ``frame`` has the bundle's features, ``probability``, ``truth`` and, where the case's rows are
    not independent, ``day``: which rows are alike. ``calibrated`` is the line from the model's
    probabilities to what came true.
    """

    case: Case
    frame: pl.DataFrame
    calibrated: Calibrated
    clustered: bool


def reference_of(workspace: Workspace, bundle: Bundle) -> Reference:
    """The validation rows of the run that a bundle comes from.

    Raises
    ------
    DataError
        When the run's predictions are gone, or the data has changed.
    """
    import msgspec
    import polars as pl

    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    run = msgspec.convert(
        read_evidence(workspace.evidence, bundle.evidence).predicate, RunPredicate
    )
    case = case_of(workspace, run)
    table = load_case_table(case, workspace.root)
    parts = assign_parts(table.frame, case)
    path = workspace.runs(case.name) / run.run / "predictions.parquet"
    score = f"score.{bundle.model}"
    try:
        scores = pl.read_parquet(path, columns=["id", "part", score])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"the predictions of run {run.run} cannot be read",
            where=str(path),
            why=str(error).partition("\n")[0][:200],
            next=f"train it again: trackrecord run {case.name}, then register it",
        ) from None
    names = [feature.name for feature in bundle.features]
    cluster = case.evaluation.cluster
    kept = table.frame.filter((parts == "validation").fill_null(False)).select(
        "id", "truth", *names, *([pl.col(cluster).alias(DAY)] if cluster else [])
    )
    frame = kept.join(
        scores.filter(pl.col("part") == "validation").select("id", probability=score),
        on="id",
        how="inner",
        maintain_order="left",
    )
    if frame.height < kept.height:
        raise DataError(
            f"run {run.run} has no predictions for {kept.height - frame.height:,} rows",
            where=str(path),
            why="the data has changed since, or the file has",
            next=f"trackrecord reproduce {case.name}@{run.run}",
        )
    truth, probability = frame["truth"].to_numpy(), frame["probability"].to_numpy()
    days = frame[DAY].cast(pl.String).to_numpy() if cluster else None
    both = 0 < int(truth.sum()) < len(truth)
    return Reference(
        case=case,
        frame=frame.drop("id"),
        calibrated=calibrated_on(truth, probability, cluster=days) if both else IDENTITY,
        clustered=cluster is not None,
    )
