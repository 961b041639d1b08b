"""Small workspaces with a pipeline in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.data.build.build import Limits, Outcome, Said, build
from trackrecord.workspace import make_workspace


class Bench:
    """A workspace whose steps a test writes, builds and looks at."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[Said] = []

    def source(self, name: str, **columns: Any) -> None:
        pl.DataFrame(columns).write_parquet(self.root / f"data/{name}.parquet")

    def step(self, file: str, text: str) -> Path:
        path = self.root / "pipeline" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def build(self, *names: str, **options: Any) -> dict[str, Outcome]:
        self.said = []
        found = build(self.root, list(names), tool="1", say=self.said.append, **options)
        return {one.step: one for one in found}

    def states(self, *names: str, **options: Any) -> dict[str, str]:
        return {name: one.state for name, one in self.build(*names, **options).items()}

    def built(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.root / f"data/built/{name}.parquet")

    def files(self) -> list[str]:
        """What is in data/built and data/quarantine, hidden files too."""
        folders = (self.root / "data/built", self.root / "data/quarantine")
        return sorted(path.name for folder in folders for path in folder.glob("*"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A workspace with a table ``orders`` of six rows, one of them without a price."""
    made = Bench(make_workspace(tmp_path / "shop").root)
    made.source(
        "orders",
        id=[1, 2, 3, 4, 5, 6],
        shop=["a", "b", "a", "c", "a", "b"],
        price=[10.0, 20.0, None, 5.0, 1.0, 7.0],
    )
    made.source("shops", shop=["a", "b"], town=["Ulm", "Bonn"])
    return made


@pytest.fixture
def minute() -> Callable[[float], Limits]:
    return lambda seconds: Limits(seconds=seconds)
