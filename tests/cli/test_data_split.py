"""A split of a table that the workspace knows by name; many classes have a table of their own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.workspace import make_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_workspace(tmp_path)
    built = tmp_path / "data" / "built"
    built.mkdir(parents=True)
    rows = range(500)
    pl.DataFrame(
        {"id": [f"r{row}" for row in rows], "kind": ["abcde"[row % 5] for row in rows]}
    ).write_parquet(built / "days.parquet")
    return tmp_path


def test_a_built_table_is_divided_by_its_name(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--kind", "random", "--validation", "0.2", "--test", "0.2", "--unit", "id"]
    assert main(["data", "split", "days", *words, "--target", "kind", "-C", str(root)]) == 0
    out = capsys.readouterr().out
    assert "random split of 500 rows" in out
    shares = [line for line in out.splitlines() if line.strip().startswith("class ")]
    assert len(shares) == 5


def test_a_name_that_nothing_has_is_neither_file_nor_table(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "split", "dais", "--kind", "random", "-C", str(root)]) == 2
    assert "no file and no table dais" in capsys.readouterr().err
