"""A small real case, from its CSV file to the published folder, kept at every stage."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from trackrecord.cli.main import main

NAME = "tumours"

# What a person decides in the draft: (as drafted, as decided).
DECISIONS = [
    ('question = "Will diagnosis be malignant for this unit?"',
     'question = "Is this tumour malignant, asked before the biopsy?"'),
    ('intended_use = "Not decided yet: a draft from the data."',
     'intended_use = "Order the queue for biopsies."'),
    ("Drafted from the data; nobody has thought about its limits yet.", "One hospital, 1995."),
    ('license = ""', 'license = "CC-BY-4.0"'),
    ('origin = ""', 'origin = "UCI: Breast Cancer Wisconsin (Diagnostic)"'),
    ("sklearn.ensemble.HistGradientBoostingClassifier", "sklearn.naive_bayes.GaussianNB"),
    ('name = "boosted"\n', 'name = "bayes"\n'),
    ("test = 0.2\n", "test = 0.4\n"),
    ("calibration_slope in [0.8, 1.25]", "calibration_slope in [0.1, 3.0]"),
    ("bias in [-0.02, 0.02]", "bias in [-0.2, 0.2]"),
    ("# decide:", "# decided:"),
]  # fmt: skip


class Told(NamedTuple):
    """What a command answered: ``out`` and ``err`` without the ``-C`` that hints repeat."""

    code: int
    out: str
    err: str
    printed: str

    @property
    def json(self) -> Any:
        """What it said to a program."""
        return json.loads(self.out)


def trackrecord(*words: str | Path, at: Path | None = None) -> Told:
    """Run one command as if started in the folder ``at``."""
    out, err = io.StringIO(), io.StringIO()
    where = ["-C", str(at)] if at else []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, words), *where])
    printed = (out.getvalue(), err.getvalue())
    plain = [re.sub(r"trackrecord -C \S+ ", "trackrecord ", text) for text in printed]
    return Told(code, *plain, "".join(printed))


def cancer(rows: int = 569) -> str:
    """The breast cancer table as CSV text: five measures, a clinic, and the diagnosis."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    measures = ["mean texture", "mean smoothness", "mean symmetry", "mean compactness"]
    frame = data.frame[measures].rename(columns=lambda name: name.replace(" ", "_"))
    frame.insert(0, "patient", [f"P{row:04d}" for row in range(len(frame))])
    frame["clinic"] = ["ABC"[row % 3] for row in range(len(frame))]
    frame["diagnosis"] = ["benign" if target else "malignant" for target in data.target]
    return str(frame.head(rows).to_csv(index=False))


def edit(root: Path, *changes: tuple[str, str], name: str = NAME) -> None:
    """Replace pieces of a case file, each of which must be there."""
    path = root / "cases" / name / "case.toml"
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder.

    The cache does not count, nor does a chain without a line: it is made before the first evidence.
    """
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".trackrecord" not in path.parts
        if path.name != "chain.jsonl" or path.stat().st_size
    }


def predictions(root: Path) -> pl.DataFrame:
    """A row a patient: id and score, as another program would write them."""
    table = pl.read_csv(root / "data/cancer.csv")
    risk = 1 / (1 + (-(pl.col("mean_compactness") - 0.1) * 30).exp())
    return table.select(pl.col("patient").alias("id"), risk.alias("score"))


class Journey(NamedTuple):
    """Every command of a case's life with its answer, and a copy of the workspace after each."""

    told: dict[str, Told]
    folder: Path

    def copy(self, stage: str, to: Path) -> Path:
        """The workspace as it was after a stage."""
        return Path(shutil.copytree(self.folder / stage, to))


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """From an empty folder to a verified publication."""
    folder = tmp_path_factory.mktemp("journey")
    source = folder / "cancer.csv"
    source.write_text(cancer(), "utf-8")
    root = folder / "workspace"
    told: dict[str, Told] = {}

    def step(stage: str, *words: str | Path, at: Path | None = root) -> None:
        told[stage] = trackrecord(*words, at=at)
        told[f"{stage}: status"] = trackrecord("status", at=root)
        shutil.copytree(root, folder / stage)

    step("init", "init", root, at=None)
    with (root / "trackrecord.toml").open("a") as settings:
        settings.write('tracking_uri = "none"\n')
    step("new", "case", "new", NAME, "--from", source)
    edit(root, *DECISIONS)
    step("check", "case", "check", NAME)
    step("seal", "seal", NAME)
    step("run", "run", NAME)
    step("validation", "evaluate", NAME)
    step("test", "evaluate", NAME, "--part", "test")
    step("claim", "claim", "draft", NAME)
    step("publish", "publish", NAME, "--yes")
    told["verify"] = trackrecord("verify", root / "published" / NAME)
    return Journey(told, folder)


@pytest.fixture
def at_stage(journey: Journey, tmp_path: Path) -> Callable[[str], Path]:
    """A workspace of one's own, as it was after a stage."""
    return lambda stage: journey.copy(stage, tmp_path / "workspace")
