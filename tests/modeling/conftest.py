"""A workspace with scikit-learn's breast cancer data (569 rows), for tests to change."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.cases.spec import Case
from trackrecord.data.split import assign_parts
from trackrecord.data.table import CaseTable, load_case_table
from trackrecord.modeling.train import Trained, train_and_predict
from trackrecord.workspace import make_workspace

# As training itself does, here before scikit-learn loads: tests share the machine's cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

CASE = """\
spec = 1
name = "tumour"
question = "Is the tumour malignant?"
task = "binary"
seed = 7
features = ["mean radius", "mean texture", "worst area", "clinic", "biopsied"]
intended_use = "A test."
limits = ["One hospital."]

[data]
path = "data/tumours.csv"
unit = "patient"
known_later = ["grade"]

[target]
column = "malignant"
positive = "yes"

[split]
kind = "random"
validation = 0.2
test = 0.3

[evaluation]
metrics = ["roc_auc"]

[[baseline]]
name = "base_rate"
kind = "base_rate"

[[baseline]]
name = "table"
kind = "table"
by = ["clinic"]

[[baseline]]
name = "logistic"
kind = "logistic"

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
encode = "ordinal"
parameters = { max_iter = 20 }

[[criterion]]
name = "ranks better"
require = "roc_auc difference to table > 0"
"""

MODEL = CASE[CASE.index("[[model]]") : CASE.index("[[criterion]]")]


def tumours() -> pl.DataFrame:
    """Real measurements; a clinic (missing in every 17th row) and a flag of our own."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    rows = range(len(data.target))
    return pl.DataFrame(data.data, schema=list(data.feature_names)).with_columns(
        patient=pl.Series([f"P{row:04d}" for row in rows]),
        clinic=pl.Series([None if row % 17 == 3 else "ABCD"[(row // 3) % 4] for row in rows]),
        biopsied=pl.Series([row % 5 == 0 for row in rows]),
        malignant=pl.Series(["no" if label else "yes" for label in data.target]),
        grade=pl.Series([int(label) for label in data.target]),
    )


@dataclass(frozen=True)
class Loaded:
    """A case, loaded and split, and the folder it is in."""

    root: Path
    case: Case
    table: CaseTable
    parts: pl.Series
    folder: Path

    def train(self, *, isolated: bool = False, **options: Any) -> Trained:
        """Python files run in this process, which is quicker, unless ``isolated``."""
        return train_and_predict(
            self.case,
            self.table,
            self.parts,
            case_folder=self.folder,
            progress=lambda step, share: None,
            isolated=isolated,
            **options,
        )


Load = Callable[..., Loaded]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace's root with the data in it."""
    make_workspace(tmp_path)
    tumours().write_csv(tmp_path / "data" / "tumours.csv")
    return tmp_path


@pytest.fixture
def load(root: Path) -> Load:
    """Loads the case after replacing pieces of its text, each of which must be there.

    ``file`` is the text of ``model.py`` beside the case.
    """

    def loaded(*changes: tuple[str, str], file: str | None = None) -> Loaded:
        text = CASE
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        folder = root / "cases" / "tumour"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "case.toml").write_text(text, "utf-8")
        if file is not None:
            (folder / "model.py").write_text(file, "utf-8")
        case, _ = decode_case(text, "cases/tumour/case.toml")
        table = load_case_table(case, root)
        return Loaded(root, case, table, assign_parts(table.frame, case), folder)

    return loaded


def model(text: str) -> tuple[str, str]:
    """A change that puts other models in place of the case's own."""
    return MODEL, text + "\n"


PYTHON = model('[[model]]\nname = "mine"\npython = "model.py:build"\n')
ELSEWHERE = model('[[model]]\nname = "mine"\n')
