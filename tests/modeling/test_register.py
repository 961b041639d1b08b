"""A run's model becomes files that answer as it does, and only if it is the run's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.modeling.export.bundle import read_bundle
from trackrecord.modeling.export.export import answering
from trackrecord.modeling.registry import read_aliases, set_alias, version_folder, versions
from trackrecord.modeling.tracking import NONE
from trackrecord.workspace import Workspace

from .conftest import PYTHON, Load, model


@pytest.fixture(autouse=True)
def _without_mlflow(root: Path) -> None:
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + f'tracking_uri = "{NONE}"\n')


def trackrecord(root: Path, *words: str) -> int:
    return main([*words, "-C", str(root)])


def ran(root: Path, load: Load, *changes: Any, file: str | None = None) -> Workspace:
    load(*changes, file=file)
    assert trackrecord(root, "seal", "tumour") == 0
    assert trackrecord(root, "run", "tumour") == 0
    return Workspace(root)


def test_a_registered_model_answers_as_the_run_did(root: Path, load: Load) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour") == 0
    folder = version_folder(workspace, "tumour", 1)
    bundle = read_bundle(folder)
    predictions = pl.read_parquet(root / "runs/tumour/0001/predictions.parquet")
    rows = load().table.frame.select("id", *(feature.name for feature in bundle.features))
    asked = predictions.select("id").join(rows, on="id", maintain_order="left")
    answers = answering(folder, bundle)(asked.to_dicts())
    np.testing.assert_allclose(answers, predictions["score.boosted"].to_numpy(), atol=1e-6)
    assert bundle.parity.rows == 569
    assert bundle.parity.flips == 0
    assert read_aliases(workspace, "tumour").champion == 1


def test_the_ledger_knows_which_files_were_registered(root: Path, load: Load) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour", "--threshold", "0.3") == 0
    registration, alias = read_chain(workspace.evidence)[-2:]
    assert (registration.kind, alias.kind) == ("registration", "alias")
    statement = read_evidence(workspace.evidence, registration.evidence or "")
    assert statement.predicate["threshold"] == 0.3
    names = {subject.name for subject in statement.subject}
    assert names == {"models/tumour/1/model.onnx", "models/tumour/1/bundle.json"}


@pytest.mark.parametrize("name", ["logistic", "boosted"])
def test_baselines_can_be_served_too(root: Path, load: Load, name: str) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour", "--model", name) == 0
    assert read_bundle(version_folder(workspace, "tumour", 1)).model == name


def test_what_onnx_cannot_say_goes_as_skops(root: Path, load: Load) -> None:
    naive = model(
        '[[model]]\nname = "boosted"\nestimator = "sklearn.naive_bayes.CategoricalNB"\n'
        'encode = "one_hot"\nfeatures = ["clinic", "biopsied"]\nparameters = { min_categories = 3 }'
    )
    workspace = ran(root, load, naive)
    code = trackrecord(root, "register", "tumour")
    assert code in (0, 2)
    if code == 0:
        assert read_bundle(version_folder(workspace, "tumour", 1)).format in ("onnx", "skops")


def test_the_second_version_is_the_challenger(root: Path, load: Load) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour") == 0
    assert trackrecord(root, "register", "tumour") == 0
    assert versions(workspace, "tumour") == [1, 2]
    aliases = read_aliases(workspace, "tumour")
    assert (aliases.champion, aliases.challenger) == (1, 2)


def test_a_model_that_is_not_deterministic_is_not_registered(
    root: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = """
import os
import numpy as np

class Wild:
    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.random.default_rng(int.from_bytes(os.urandom(8))).random(len(X))

def build(seed):
    return Wild()
"""
    workspace = ran(root, load, PYTHON, file=wild)
    assert trackrecord(root, "reproduce", "tumour") == 1
    assert "the model itself is not deterministic" in capsys.readouterr().out
    assert trackrecord(root, "register", "tumour", "--model", "logistic") == 1
    assert versions(workspace, "tumour") == []


def test_code_of_ones_own_is_refused_with_a_way_out(
    root: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    own = """
from sklearn.dummy import DummyClassifier

def build(seed):
    return DummyClassifier()
"""
    workspace = ran(root, load, PYTHON, file=own)
    assert trackrecord(root, "register", "tumour") == 2
    assert "cannot be exported" in capsys.readouterr().err
    assert versions(workspace, "tumour") == []


def test_other_data_is_refused(root: Path, load: Load) -> None:
    ran(root, load)
    path = root / "data" / "tumours.csv"
    text = path.read_text()
    path.write_text(text[: text.rindex("\n", 0, -1) + 1])
    assert trackrecord(root, "reproduce", "tumour") == 2


def test_a_changed_model_file_is_not_opened(root: Path, load: Load) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour") == 0
    folder = version_folder(workspace, "tumour", 1)
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"\0")
    with pytest.raises(DataError, match="not the one that was registered"):
        read_bundle(folder)
    with pytest.raises(DataError):
        set_alias(workspace, "tumour", "challenger", 1, reason="a test", tool="test")
    with pytest.raises(BadInput, match="no version 9"):
        version_folder(workspace, "tumour", 9)


def test_a_rollback_is_one_rename_and_one_piece_of_evidence(root: Path, load: Load) -> None:
    workspace = ran(root, load)
    assert trackrecord(root, "register", "tumour") == 0
    assert trackrecord(root, "register", "tumour", "--alias", "champion") == 0
    before = len(read_chain(workspace.evidence))
    set_alias(workspace, "tumour", "champion", 1, reason="version 2 is slow", tool="test")
    entries = read_chain(workspace.evidence)
    assert len(entries) == before + 1
    predicate = read_evidence(workspace.evidence, entries[-1].evidence or "").predicate
    assert (predicate["version"], predicate["previous"]) == (1, 2)
    assert json.loads((root / "models/tumour/aliases.json").read_text()) == {"champion": 1}


@pytest.mark.slow
def test_mlflow_has_the_version_and_its_files(root: Path, load: Load) -> None:
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text().replace(f'tracking_uri = "{NONE}"\n', ""))
    ran(root, load)
    assert trackrecord(root, "register", "tumour") == 0
    import sqlite3

    with sqlite3.connect(root / ".trackrecord" / "mlflow.db") as store:
        rows = store.execute("SELECT name, version FROM model_versions").fetchall()
        aliases = store.execute("SELECT alias, version FROM registered_model_aliases").fetchall()
    assert rows == [("trackrecord.tumour", 1)]
    assert aliases == [("champion", 1)]
    assert list((root / ".trackrecord" / "mlflow-artifacts").rglob("model.onnx"))
