"""A table has one place, be it a source or built."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackrecord.data.named import built_names, find_table, named_table, source_names, table_names
from trackrecord.errors import BadInput


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data/built").mkdir(parents=True)
    for name in ("orders", "built/daily", "built/Odd-name", "photos.v2"):
        (tmp_path / f"data/{name}.parquet").touch()
    return tmp_path


def test_sources_and_built_tables_are_found_by_name(root: Path) -> None:
    assert source_names(root) == ["orders"]
    assert built_names(root) == ["daily"]
    assert table_names(root) == ["daily", "orders"]
    assert named_table(root, "orders") == root / "data/orders.parquet"
    assert named_table(root, "daily") == root / "data/built/daily.parquet"
    assert named_table(root, "../data/orders") is None
    assert table_names(None) == []


def test_a_name_that_is_none_is_a_file_or_told_with_its_neighbour(root: Path) -> None:
    assert find_table("data/photos.v2.parquet", root, root) == root / "data/photos.v2.parquet"
    with pytest.raises(BadInput, match="no table and no file 'dailly'") as caught:
        find_table("dailly", root, root)
    assert caught.value.why == "did you mean 'daily'?"


def test_without_a_workspace_there_are_only_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert find_table("a.csv", None, tmp_path) == tmp_path / "a.csv"
    with pytest.raises(BadInput, match="tables: none yet"):
        find_table("b.csv", None, tmp_path)
