"""The process that talks to MLflow: ``python -m trackrecord.modeling.mlflow_child``.

``import mlflow`` takes seconds, and a tracking server may be slow or gone. So a process of its own
imports while models are trained, and is ended when it takes too long. It reads two lines of JSON
from standard input – where to, and what – and writes one to standard output. When the first
process dies, its input ends, and it goes without having written anything.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

STORE = "sqlite:///.trackrecord/mlflow.db"
ARTIFACTS = ".trackrecord/mlflow-artifacts"
BATCH = 100


def main() -> None:
    """Read, track, answer."""
    answer = sys.stdout
    # Whatever a library prints must not become part of the answer.
    sys.stdout = sys.stderr
    try:
        where = json.loads(sys.stdin.readline())
        # Nothing leaves the machine that the person did not send.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ["DO_NOT_TRACK"] = "true"
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(where["request_seconds"])
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
        from mlflow.tracking import MlflowClient

        if where["uri"] is None:
            # Loaded beside the training; by itself the client would do it after, when asked.
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
        line = sys.stdin.readline()
        if not line:
            return
        result = {"run": _locked(MlflowClient, where, json.loads(line))}
    except BaseException as error:
        said = (str(error).strip().splitlines() or [""])[0]
        result = {"problem": f"{type(error).__name__}: {said}"}
    answer.write(json.dumps(result) + "\n")
    answer.flush()


def _locked(client_of: Any, where: dict[str, Any], run: dict[str, Any]) -> str:
    """With the workspace's own store, one at a time: two would both create its tables."""
    uri = where["uri"]
    do = _track if "experiment" in run else _register if "register" in run else _move_alias
    if uri is not None:
        return do(client_of(tracking_uri=uri), run, artifacts=None)
    from filelock import FileLock

    Path(ARTIFACTS).mkdir(parents=True, exist_ok=True)
    with FileLock(".trackrecord/mlflow.lock", timeout=where["lock_seconds"]):
        folder = Path(ARTIFACTS, run["case"]).absolute()
        return do(client_of(tracking_uri=STORE), run, artifacts=folder)


def _track(client: Any, run: dict[str, Any], artifacts: Path | None) -> str:
    """One MLflow run for the run, and one inside it for each model; returns the outer one's id."""
    experiment = _experiment(client, run["experiment"], artifacts)
    began = run["began"]
    outer = _log(client, experiment, run, began)
    for model in run["models"]:
        model["tags"]["mlflow.parentRunId"] = outer
        _log(client, experiment, model, began)
    if artifacts:
        for name, document in run["files"].items():
            client.log_dict(outer, document, name)
    return outer


def _experiment(client: Any, name: str, artifacts: Path | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        location = artifacts.as_uri() if artifacts else None
        return str(client.create_experiment(name, artifact_location=location))
    return str(found.experiment_id)


def _register(client: Any, item: dict[str, Any], artifacts: Path | None) -> str:
    """A version in MLflow's registry, with the bundle's files; returns its number there."""
    from mlflow.exceptions import MlflowException

    experiment = _experiment(client, f"trackrecord/{item['case']}", artifacts)
    name = item["register"]
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    run = client.create_run(experiment, run_name=f"version {item['tags']['trackrecord.version']}")
    client.log_artifacts(run.info.run_id, item["folder"], "model")
    client.set_terminated(run.info.run_id, status="FINISHED")
    made = client.create_model_version(
        name,
        source=f"{run.info.artifact_uri}/model",
        run_id=run.info.run_id,
        tags=item["tags"],
        description=item["description"],
    )
    client.set_registered_model_alias(name, item["alias"], made.version)
    return str(made.version)


def _move_alias(client: Any, item: dict[str, Any], artifacts: Path | None) -> str:
    """The alias of the version that has our number as its tag; its number in MLflow."""
    name, alias = item["alias_of"], item["alias"]
    if item["version"] is None:
        client.delete_registered_model_alias(name, alias)
        return ""
    for made in client.search_model_versions(f"name = '{name}'"):
        if made.tags.get("trackrecord.version") == str(item["version"]):
            client.set_registered_model_alias(name, alias, made.version)
            return str(made.version)
    raise LookupError(f"MLflow's registry has no version {item['version']} of {name}")


def _log(client: Any, experiment: str, item: dict[str, Any], began: int) -> str:
    from mlflow.entities import Metric, Param

    made = client.create_run(
        experiment, start_time=began, run_name=item["name"], tags=dict(item["tags"])
    )
    identity: str = made.info.run_id
    now = int(time.time() * 1000)
    params = [Param(key, str(value)) for key, value in item["params"].items()]
    metrics = [Metric(key, value, now, 0) for key, value in item["metrics"].items()]
    for start in range(0, max(len(params), len(metrics)), BATCH):
        stop = start + BATCH
        client.log_batch(identity, metrics=metrics[start:stop], params=params[start:stop])
    client.set_terminated(identity, status="FINISHED", end_time=now)
    return identity


if __name__ == "__main__":
    main()
