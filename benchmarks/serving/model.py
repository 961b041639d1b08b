"""The model that all servers of the race serve: boosted trees on 20 numbers, as ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import Bundle, Feature, Number, Parity, Probe, write_bundle
from trackrecord.modeling.export.encoding import compiled
from trackrecord.modeling.export.onnx_file import onnx_bytes
from trackrecord.modeling.export.opened import open_model
from trackrecord.workspace import make_workspace

CASE = "race"
COLUMNS = [f"x{place:02d}" for place in range(20)]


def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 20 numbers (float32) and their truths."""
    made, truth = make_classification(count, 20, n_informative=12, random_state=1)
    return made.astype("f4"), truth


def write_workspace(root: Path, versions: int = 1, trees: int = 100) -> Path:
    """A workspace with versions of the race's model, the first of them the champion."""
    models = make_workspace(root).root / "models" / CASE
    matrix, truth = rows(20_000)
    for version in range(1, versions + 1):
        learner = HistGradientBoostingClassifier(max_iter=trees, random_state=version)
        _write(models / str(version), learner.fit(matrix, truth), matrix)
    champion(models, 1)
    return models


def champion(models: Path, version: int) -> None:
    """Let a version answer."""
    new = models / "aliases.json.new"
    new.write_text(json.dumps({"champion": version}))
    new.replace(models / "aliases.json")


def _write(folder: Path, estimator: Any, matrix: np.ndarray) -> None:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_bytes(estimator, len(COLUMNS)))
    bundle = Bundle(
        case=CASE,
        question="Which class is it?",
        model="boosted",
        estimator="HistGradientBoostingClassifier",
        run="0001",
        seal=None,
        evidence="0" * 64,
        format="onnx",
        file="model.onnx",
        sha256=file_sha256(folder / "model.onnx"),
        features=[Feature(name=name, kind="number") for name in COLUMNS],
        encoding=[Number(name) for name in COLUMNS],
        width=len(COLUMNS),
        positive="class 1",
        parity=Parity(rows=0, largest=0.0, mean=0.0, flips=0, threshold=0.5),
        probe=Probe([], []),
        made="2026-01-01T00:00:00Z",
        tool="race",
    )
    asked = [dict(zip(COLUMNS, map(float, row), strict=True)) for row in matrix[:8]]
    answers = open_model(folder, bundle)(compiled(bundle.encoding, bundle.width)(asked))
    write_bundle(
        folder, msgspec.structs.replace(bundle, probe=Probe(asked, [float(p) for p in answers]))
    )


def one_row() -> dict[str, float]:
    """The row of all single-row requests."""
    return {
        name: round(float(value), 4) for name, value in zip(COLUMNS, rows(10)[0][0], strict=True)
    }
