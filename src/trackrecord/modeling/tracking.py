"""Experiments are remembered by MLflow; a run never depends on it.

By default in a SQLite store in the workspace (``.trackrecord/mlflow.db``), or at the
``tracking_uri`` of ``trackrecord.toml``; with ``tracking_uri = "none"`` not at all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.modeling.train import TrainedModel

NONE = "none"
# How long a run waits for MLflow once it has everything else.
FINISH_SECONDS = 45.0
REQUEST_SECONDS = 5
LOCK_SECONDS = 20


@dataclass(frozen=True)
class Tracker:
    """A process that is importing MLflow, or the reason why there is none."""

    process: subprocess.Popen[str] | None
    problem: str | None = None


@dataclass(frozen=True)
class Tracked:
    """The MLflow run's id, or what went wrong; neither where tracking is off."""

    run: str | None
    problem: str | None


def start_tracking(root: Path, uri: str | None) -> Tracker:
    """Begin importing MLflow in a process of its own. Writes nothing yet."""
    if uri == NONE:
        return Tracker(None)
    try:
        process = subprocess.Popen(
            # -P keeps the workspace's own files from being imported in place of packages.
            [sys.executable, "-P", "-m", "trackrecord.modeling.mlflow_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=root,
            # Ctrl-C is for the first process, which ends this one.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # so on Windows
        )
    except OSError as error:
        return Tracker(None, f"its process could not be started: {error.strerror}")
    where = {"uri": uri, "request_seconds": REQUEST_SECONDS, "lock_seconds": LOCK_SECONDS}
    try:
        # Not on the command line, where others could read a password in the address.
        assert process.stdin is not None
        process.stdin.write(json.dumps(where) + "\n")
        process.stdin.flush()
    except OSError:
        pass  # it has died; its end is told when it is asked for
    return Tracker(process)


def finish_tracking(
    tracker: Tracker, run: dict[str, Any], *, seconds: float = FINISH_SECONDS
) -> Tracked:
    """Hand over what to remember, and wait for the answer at most ``seconds``."""
    process = tracker.process
    if process is None:
        return Tracked(None, tracker.problem)
    try:
        said, _ = process.communicate(json.dumps(run) + "\n", timeout=seconds)
    except subprocess.TimeoutExpired:
        stop_tracking(tracker)
        return Tracked(None, f"no answer within {seconds:.0f} seconds")
    except OSError as error:
        stop_tracking(tracker)
        return Tracked(None, f"its process ended early: {error.strerror}")
    try:
        answer = json.loads(said)
    except ValueError:
        return Tracked(None, f"its process ended with code {process.returncode}")
    problem = answer.get("problem")
    return Tracked(answer.get("run"), _without_secrets(problem) if problem else None)


def stop_tracking(tracker: Tracker) -> None:
    """End the process, if it still runs. What it has not written is not written."""
    process = tracker.process
    if process is None or process.poll() is not None:
        return
    process.kill()
    process.communicate()


def tracked_run(
    case: str,
    run: str,
    *,
    began: float,
    models: list[TrainedModel],
    metrics: dict[str, dict[str, float]],
    facts: dict[str, Any],
    files: dict[str, Any],
) -> dict[str, Any]:
    """What MLflow remembers of a run. ``began`` is seconds since 1970; ``metrics`` by model."""
    return {
        "case": case,
        "experiment": f"trackrecord/{case}",
        "name": run,
        "began": int(began * 1000),
        "tags": {"trackrecord.case": case, "trackrecord.run": run},
        "params": facts,
        "metrics": {f"{m.name}.{k}": v for m in models for k, v in metrics[m.name].items()},
        "files": files,
        "models": [
            {
                "name": f"{run} {model.name}",
                "tags": {"trackrecord.case": case, "trackrecord.role": model.role},
                "params": {"kind": model.kind, **model.parameters},
                "metrics": metrics[model.name]
                | ({"seconds": model.seconds} if model.seconds is not None else {}),
            }
            for model in models
        ],
    }


def validation_metrics(
    predictions: pl.DataFrame, truth: pl.DataFrame
) -> dict[str, dict[str, float]]:
    """Points for MLflow's tables: log loss, Brier score and ROC AUC of each model on validation.

    ``truth`` has id and truth of the validation rows. They are for finding one's way among
    experiments; what counts has an interval, and comes from ``trackrecord evaluate``.
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    joined = truth.join(predictions, on="id", how="inner", maintain_order="left")
    true = joined["truth"].to_numpy()
    both = 0 < int(true.sum()) < len(true)
    found = {}
    for column in predictions.columns:
        if not column.startswith("score."):
            continue
        score = joined[column].to_numpy()
        points = {
            "validation_brier": float(brier_score_loss(true, score, pos_label=1)),
            "validation_log_loss": float(log_loss(true, score, labels=[0, 1])),
        }
        if both:
            points["validation_roc_auc"] = float(roc_auc_score(true, score))
        found[column.removeprefix("score.")] = points
    return found


def _without_secrets(text: str) -> str:
    """A problem's text as the record may hold it: cut, and without user:password@ in addresses."""
    return re.sub(r"(?<=//)[^/@\s]+@", "…@", text)[:300]
