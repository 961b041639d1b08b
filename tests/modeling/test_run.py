from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.errors import DataError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.modeling.folders import find_leftovers
from trackrecord.modeling.run import RunPredicate
from trackrecord.modeling.tracking import NONE
from trackrecord.workspace import Workspace

from .conftest import ELSEWHERE, PYTHON, Load, Loaded

COMMAND = "from trackrecord.cli.main import main; raise SystemExit(main())"
SLOW_MODEL = """\
import time

class Slow:
    def fit(self, X, y):
        print("fitting", flush=True)
        time.sleep(60)

    def predict_proba(self, X):
        return [0.5] * len(X)

def build(seed):
    return Slow()
"""


@pytest.fixture(autouse=True)
def _without_mlflow(root: Path) -> None:
    """Its own tests are in test_tracking; here it would only take seconds."""
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + f'tracking_uri = "{NONE}"\n')


def everything(root: Path) -> dict[str, str]:
    """Digest of each file of the workspace that is not a cache."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".trackrecord" not in path.parts
    }


def run(root: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["run", "-C", str(root), "tumour", "--unsealed", "--json", *words]) == code
    said = capsys.readouterr()
    return json.loads(said.out) if code == 0 else said.out + said.err


def test_a_run_leaves_predictions_and_evidence_that_names_them(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    root = load().root
    said = run(root, capsys)
    path = root / "runs" / "tumour" / "0001" / "predictions.parquet"
    statement = read_evidence(root / "evidence", said["evidence"])
    assert statement.subject[0].name == "runs/tumour/0001/predictions.parquet"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert statement.subject[0].digest["sha256"] == digest
    predicate = msgspec.convert(statement.predicate, RunPredicate)
    assert (predicate.run, predicate.sealed, predicate.seal) == ("0001", False, None)
    assert predicate.source == "trained"
    assert [m.name for m in predicate.models] == ["base_rate", "table", "logistic", "boosted"]
    assert sum(predicate.rows.values()) == 569
    assert pl.read_parquet(path).height == predicate.rows["validation"] + predicate.rows["test"]
    assert find_leftovers(Workspace(root=root), "tumour") == []


def test_the_predicate_has_a_json_schema_that_its_evidence_fits(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    import jsonschema

    root = load().root
    statement = read_evidence(root / "evidence", run(root, capsys)["evidence"])
    jsonschema.validate(statement.predicate, msgspec.json.schema(RunPredicate))


def test_two_runs_have_the_same_predictions_and_numbers_of_their_own(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    root = load().root
    first, again = run(root, capsys), run(root, capsys)
    assert (first["run"], again["run"]) == ("0001", "0002")
    files = everything(root)
    one = files["runs/tumour/0001/predictions.parquet"]
    assert one == files["runs/tumour/0002/predictions.parquet"]
    other = run(root, capsys, "--seed", "8")
    assert other["seed"] == 8
    assert [entry.kind for entry in read_chain(root / "evidence")] == ["run"] * 3


def test_the_parquet_file_has_no_metadata_that_varies(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.parquet as pq

    root = load().root
    run(root, capsys)
    file = pq.ParquetFile(root / "runs/tumour/0001/predictions.parquet")
    assert file.metadata.metadata is None
    assert file.schema_arrow.names[:2] == ["id", "part"]


def test_a_persons_own_file_is_a_subject_of_the_run(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SLOW_MODEL.replace("time.sleep(60)", "pass")
    root = load(PYTHON, file=text).root
    subjects = read_evidence(root / "evidence", run(root, capsys)["evidence"]).subject
    assert subjects[1].name == "cases/tumour/model.py"
    assert subjects[1].digest["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def given(loaded: Loaded) -> Path:
    frame = loaded.table.frame.select("id", score=pl.lit(0.5))
    path = loaded.root / "given.csv"
    frame.write_csv(path)
    return path


def test_another_programs_predictions_become_a_run(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load(ELSEWHERE)
    path = given(loaded)
    said = run(loaded.root, capsys, "--outcomes", path.name, "--model", "mine")
    assert (said["source"], said["models"][-1]["kind"]) == ("outcomes", "outcomes")
    assert said["outcomes"]["name"] == "given.csv"
    statement = read_evidence(loaded.root / "evidence", said["evidence"])
    assert statement.subject[-1].name == "given.csv"
    assert main(["run", "-C", str(loaded.root), "--unsealed", "--outcomes", str(path)]) == 0
    told = capsys.readouterr().out
    assert "taken in: given.csv, 569 rows" in told
    assert "UNSEALED" in told


@pytest.mark.parametrize(
    ("changes", "words", "told"),
    [
        ([('"clinic", "biopsied"', '"clinc", "biopsied"')], [], "did you mean 'clinic'?"),
        ([("max_iter = 20", "max_itr = 20")], [], "did you mean 'max_iter'?"),
        ([("max_iter = 20", "max_iter = -1")], [], "could not be trained"),
        ([ELSEWHERE], [], "is made by another program"),
        ([ELSEWHERE], ["--outcomes", "gone.csv"], "there is no file gone.csv"),
        ([ELSEWHERE], ["--outcomes", "data/tumours.csv"], "has no column 'score'"),
        ([ELSEWHERE], ["--model", "mine"], "there is no file"),
        ([], ["--seed", "-1"], "is not between 0 and"),
    ],
)
def test_bad_input_ends_with_2_and_changes_nothing(
    root: Path,
    load: Load,
    capsys: pytest.CaptureFixture[str],
    changes: list[tuple[str, str]],
    words: list[str],
    told: str,
) -> None:
    with suppress(DataError):  # a case that cannot be loaded is told by the command, too
        load(*changes)
    before = everything(root)
    assert told in run(root, capsys, *words, code=2)
    assert everything(root) == before


def test_a_broken_ledger_stops_a_run_and_leaves_no_folder(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    root = load().root
    run(root, capsys)
    chain = root / "evidence" / "chain.jsonl"
    chain.write_bytes(chain.read_bytes()[:-9])
    before = everything(root)
    run(root, capsys, code=2)
    assert everything(root) == before


def start(root: Path) -> subprocess.Popen[str]:
    """A run in a process of its own that has begun to train."""
    running = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", "--unsealed"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "fitting" in line:
            return running
    raise AssertionError(running.communicate())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_ends_at_once_and_leaves_nothing(
    load: Load, number: signal.Signals
) -> None:
    root = load(PYTHON, file=SLOW_MODEL).root
    before = everything(root)
    running = start(root)
    running.send_signal(number)
    began = time.monotonic()
    _, said = running.communicate(timeout=50)
    assert time.monotonic() - began < 20  # of the 60 that it would take
    assert everything(root) == before
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert "stopped" in said
        assert "Traceback" not in said
