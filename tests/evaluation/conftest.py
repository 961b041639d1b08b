"""A real case on scikit-learn's breast cancer table, from data to a run, for tests to evaluate."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.cases.seal import amend_case, seal_case
from trackrecord.cases.spec import Case
from trackrecord.data.fingerprint import take_fingerprint
from trackrecord.data.split import assign_parts
from trackrecord.data.table import CaseTable, load_case_table
from trackrecord.evaluation.case import Evaluated, evaluate_run
from trackrecord.modeling.run import run_case
from trackrecord.workspace import Workspace, make_workspace

CASE = """\
spec = 1
name = "tumours"
question = "Is the tumour malignant?"
task = "binary"
features = ["mean_radius", "mean_texture", "mean_smoothness"]
intended_use = "Show how a case is evaluated."
limits = ["One hospital."]

[data]
path = "data/tumours.csv"
unit = "patient"

[target]
column = "diagnosis"
positive = "malignant"

[split]
kind = "random"
validation = 0.2
test = 0.4

[evaluation]
metrics = ["roc_auc", "brier"]
cluster = "ward"
slices = ["site", "mean_radius > 14"]

[[baseline]]
name = "base_rate"
kind = "base_rate"

[[baseline]]
name = "table"
kind = "table"
by = ["site"]

[[model]]
name = "logistic"
estimator = "sklearn.linear_model.LogisticRegression"

[[criterion]]
name = "ranks better than the table"
require = "roc_auc difference to table > 0"

[[criterion]]
name = "predicts the right share"
require = "bias in [-0.2, 0.2]"

[[contrast]]
name = "another random split"
split = { kind = "random", seed = 7 }
"""


@dataclass(frozen=True)
class Bench:
    """A workspace with one case, and the steps of its life."""

    workspace: Workspace
    text: str

    @property
    def case(self) -> Case:
        return decode_case(self.text, "cases/tumours/case.toml")[0]

    def changed(self, old: str, new: str) -> Bench:
        """The same workspace with another text of the case."""
        assert old in self.text, old
        text = self.text.replace(old, new)
        (self.workspace.case_folder("tumours") / "case.toml").write_text(text, "utf-8")
        return replace(self, text=text)

    def loaded(self) -> tuple[CaseTable, pl.Series]:
        table = load_case_table(self.case, self.workspace.root)
        return table, assign_parts(table.frame, self.case)

    def seal(self) -> None:
        table, parts = self.loaded()
        fingerprint = take_fingerprint(self.case, table, parts)
        seal_case(self.workspace.evidence, self.case, fingerprint, tool="test")

    def amend(self, reason: str) -> None:
        table, parts = self.loaded()
        fingerprint = take_fingerprint(self.case, table, parts)
        amend_case(self.workspace.evidence, self.case, fingerprint, reason=reason, tool="test")

    def run(self, *, seal: str | None, **options: Any) -> None:
        table, parts = self.loaded()
        run_case(
            self.workspace._replace(tracking_uri="none"),
            self.case,
            table,
            parts,
            seal=seal,
            seed=0,
            progress=lambda _step, _share: None,
            **options,
        )

    def evaluate(self, part: str = "test", run: str | None = None) -> Evaluated:
        table, parts = self.loaded()
        return evaluate_run(
            self.workspace,
            self.case,
            table,
            parts,
            part=part,  # type: ignore[arg-type]
            run=run,
            tool="test",
        )


def life(bench: Bench) -> Any:
    """What the ledger remembers of the case."""
    from trackrecord.cases.seal import life_of
    from trackrecord.ledger import read_chain

    return life_of(read_chain(bench.workspace.evidence), "tumours")


def lay_bench(root: Path) -> Bench:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [name.replace(" ", "_") for name in found.feature_names]
    frame = pl.DataFrame(found.data, schema=names).select(
        [(pl.int_range(pl.len()) * 7 + 1).cast(pl.String).alias("patient"), *names[:6]]
    )
    site = [("north", "south", "east", "west")[row % 4] for row in range(569)]
    frame = frame.with_columns(
        pl.Series("site", site),
        pl.Series("ward", [f"{name} {row // 40}" for row, name in enumerate(site)]),
        pl.Series("diagnosis", ["malignant" if t == 0 else "benign" for t in found.target]),
    )
    workspace = make_workspace(root)
    frame.write_csv(root / "data" / "tumours.csv")
    folder = workspace.case_folder("tumours")
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(CASE, "utf-8")
    return Bench(workspace, CASE)


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed case with one run, made once."""
    bench = lay_bench(tmp_path_factory.mktemp("ran"))
    bench.seal()
    bench.run(seal=life(bench).seal)
    return bench.workspace.root


@pytest.fixture
def ran(ran_once: Path, tmp_path: Path) -> Bench:
    """A copy of the workspace in which the case is sealed and has run."""
    root = tmp_path / "workspace"
    shutil.copytree(ran_once, root)
    return Bench(Workspace(root), CASE)


@pytest.fixture
def laid(tmp_path: Path) -> Bench:
    """A workspace with data and a case, and nothing done yet."""
    return lay_bench(tmp_path / "fresh")
