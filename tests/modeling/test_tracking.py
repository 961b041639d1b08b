from __future__ import annotations

import json
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from trackrecord.modeling.tracking import (
    NONE,
    Tracked,
    _without_secrets,
    finish_tracking,
    start_tracking,
    stop_tracking,
    tracked_run,
    validation_metrics,
)
from trackrecord.modeling.train import TrainedModel
from trackrecord.workspace import make_workspace

from .conftest import Load

# A machine that runs all tests at once is slow to start MLflow.
PATIENT = 240.0


def run() -> dict[str, Any]:
    model = TrainedModel(
        name="boosted",
        role="model",
        kind="sklearn.Booster",
        features=["x"],
        parameters={"max_iter": 20, "depth": None},
        seconds=1.5,
    )
    return tracked_run(
        "trips",
        "0001",
        began=1_700_000_000.0,
        models=[model],
        metrics={"boosted": {"validation_brier": 0.125}},
        facts={"seed": 7},
        files={"case.json": {"name": "trips"}},
    )


@pytest.mark.slow
def test_mlflow_remembers_runs_and_their_models_though_two_create_its_store_at_once(
    tmp_path: Path,
) -> None:
    root = make_workspace(tmp_path / "a 100% 'odd' # name?").root
    one, other = start_tracking(root, None), start_tracking(root, None)
    assert other.process is not None
    assert other.process.stdin is not None
    other.process.stdin.write(json.dumps(run()) + "\n")
    other.process.stdin.flush()
    first = finish_tracking(one, run(), seconds=PATIENT)
    again = finish_tracking(other, {}, seconds=PATIENT)
    assert (first.problem, again.problem) == (None, None)
    assert first.run != again.run
    with sqlite3.connect(root / ".trackrecord" / "mlflow.db") as store:
        names = store.execute("select name, status from runs order by name").fetchall()
        params = dict(store.execute("select key, value from params").fetchall())
        metrics = dict(store.execute("select key, value from metrics").fetchall())
        (experiment,) = store.execute("select name from experiments where experiment_id > 0")
    assert names == [("0001", "FINISHED")] * 2 + [("0001 boosted", "FINISHED")] * 2
    assert params["seed"] == "7"
    assert params["max_iter"] == "20"
    assert metrics["validation_brier"] == metrics["boosted.validation_brier"] == 0.125
    assert experiment == ("trackrecord/trips",)
    (kept,) = (root / ".trackrecord").glob(f"mlflow-artifacts/trips/{first.run}/*/case.json")
    assert "trips" in kept.read_text()
    assert not (root / "mlruns").exists()


@pytest.mark.slow
def test_a_server_that_is_gone_is_a_problem_and_nothing_more(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "work").root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tracked = finish_tracking(
        start_tracking(root, f"http://me:secret@127.0.0.1:{port}"), run(), seconds=PATIENT
    )
    assert tracked.run is None
    assert "MlflowException" in (tracked.problem or "")
    assert "secret" not in (tracked.problem or "")
    assert not (root / ".trackrecord" / "mlflow.db").exists()


def test_a_server_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "work").root
    began = time.monotonic()
    tracked = finish_tracking(start_tracking(root, None), run(), seconds=0.3)
    assert tracked == Tracked(None, "no answer within 0 seconds")
    assert time.monotonic() - began < 20


def test_a_tracker_that_was_stopped_has_written_nothing(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "work").root
    tracker = start_tracking(root, None)
    stop_tracking(tracker)
    stop_tracking(tracker)
    assert tracker.process is not None
    assert tracker.process.returncode is not None
    assert not (root / ".trackrecord").exists()


def test_a_tracker_that_died_early_is_a_problem_and_nothing_more(tmp_path: Path) -> None:
    tracker = start_tracking(make_workspace(tmp_path / "work").root, None)
    assert tracker.process is not None
    tracker.process.kill()
    tracker.process.wait()
    tracked = finish_tracking(tracker, run())
    assert tracked.run is None
    assert "ended" in (tracked.problem or "")


def test_tracking_can_be_switched_off(tmp_path: Path) -> None:
    assert finish_tracking(start_tracking(tmp_path, NONE), run()) == Tracked(None, None)


def test_a_problem_does_not_carry_a_password_into_the_record() -> None:
    text = "no host: postgresql://me:s3cret@db.example.org/mlflow " + "x" * 400
    assert _without_secrets(text).startswith("no host: postgresql://…@db.example.org/mlflow")
    assert len(_without_secrets(text)) == 300


def test_points_for_finding_ones_way_are_of_validation_only(load: Load) -> None:
    from sklearn.metrics import roc_auc_score

    loaded = load()
    predictions = loaded.train().predictions
    truth = loaded.table.frame.filter(loaded.parts == "validation").select("id", "truth")
    points = validation_metrics(predictions, truth)
    score = predictions.filter(predictions["part"] == "validation")["score.boosted"]
    assert points["boosted"]["validation_roc_auc"] == roc_auc_score(truth["truth"], score)
    assert points["base_rate"]["validation_roc_auc"] == 0.5
    only = truth.filter(truth["truth"] == 1)
    assert "validation_roc_auc" not in validation_metrics(predictions, only)["boosted"]
