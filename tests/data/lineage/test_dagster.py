"""The pipeline as Dagster assets: readable as written, and materialised by Dagster itself."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from tests.data.lineage.example import CLEAN, copy_of_shop, shop, write_step

from trackrecord.data.lineage.dagster import dagster_module
from trackrecord.errors import BadInput, DataError
from trackrecord.workspace import make_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_of_shop(tmp_path)


def assets_of(text: str) -> dict[str, list[str]]:
    """Assets and checks of the module with what each depends on."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and "AssetSpec" in ast.unparse(node):
            found[ast.unparse(node.targets[0])] = list[str]()
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            (call,) = node.decorator_list
            assert isinstance(call, ast.Call)
            deps = [key.value for key in call.keywords if key.arg in ("deps", "asset")]
            names = [n.id for one in deps for n in ast.walk(one) if isinstance(n, ast.Name)]
            found[node.name] = names
    return found


def test_the_module_has_the_same_graph(root: Path) -> None:
    text = dagster_module(root, root / "assets.py")
    assert assets_of(text) == {
        "source_customers": [],
        "source_orders": [],
        "make_clean": ["source_orders", "source_customers"],
        "make_cities": ["make_clean"],
        "make_daily": ["make_clean"],
        "check_orders": ["source_orders"],
    }
    assert len(text.splitlines()) < 130
    assert max(len(line) for line in text.splitlines()) <= 100


def test_the_module_finds_the_workspace_from_where_it_is_written(tmp_path: Path) -> None:
    root = copy_of_shop(tmp_path)
    (tmp_path / "else").mkdir()
    text = dagster_module(root, tmp_path / "else" / "assets.py")
    assert 'ROOT = Path(__file__).resolve().parent / "shop"' not in text
    assert "parent / '..' / 'shop'" in text or 'parent / ".." / "shop"' in text


@pytest.mark.parametrize("name", ['a"""b', "x\\", "a b\nc", "日本", "9 lives"])
def test_a_folder_of_any_name_gives_a_module_that_parses(tmp_path: Path, name: str) -> None:
    root = make_workspace(tmp_path / name).root
    (root / "pipeline").mkdir()
    write_step(root, "10_one.sql", "SELECT 1 AS x")
    write_step(root, "20_class.sql", "SELECT x FROM one")
    assert "make_class" in assets_of(dagster_module(root, root / "assets.py"))


def test_a_pipeline_that_cannot_run_is_refused_with_its_place(root: Path) -> None:
    write_step(root, "10_clean.sql", "SELECT FROM (")
    with pytest.raises(DataError) as caught:
        dagster_module(root, root / "assets.py")
    assert "pipeline/10_clean.sql" in str(caught.value.where)


def test_a_workspace_without_steps_is_refused(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    with pytest.raises(BadInput, match="no steps"):
        dagster_module(root, root / "assets.py")


def loaded(root: Path) -> Any:
    path = root / "assets.py"
    path.write_text(dagster_module(root, path), "utf-8")
    spec = importlib.util.spec_from_file_location("assets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dagster_materialises_it_with_rows_digests_columns_and_checks(tmp_path: Path) -> None:
    dg = pytest.importorskip("dagster", reason="dagster is not installed")
    root = shop(tmp_path / "shop", built=False)
    module = loaded(root)
    with dg.DagsterInstance.ephemeral() as instance:
        job = module.defs.get_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=instance)
        assert done.success
        made = {
            event.asset_key.path[-1]: event.materialization
            for event in done.get_asset_materialization_events()
        }
        assert set(made) == {"clean", "cities", "daily"}
        clean = made["clean"].metadata
        assert clean["dagster/row_count"].value == 3
        assert clean["state"].value == "built"
        assert len(clean["sha256"].value) == 64
        lineage = made["cities"].metadata["dagster/column_lineage"].value.deps_by_column
        assert [(d.asset_key.path[-1], d.column_name) for d in lineage["share_large"]] == [
            ("clean", "large")
        ]
        assert made["clean"].tags["dagster/data_version"]
        (check,) = done.get_asset_check_evaluations()
        assert not check.passed
        assert check.metadata["broken"].value == "amount.range"
        again = job.execute_in_process(instance=instance)
        states = [
            event.materialization.metadata["state"].value
            for event in again.get_asset_materialization_events()
        ]
        assert states == ["fresh"] * 3


def test_in_dagster_a_step_that_fails_fails_with_our_words(tmp_path: Path) -> None:
    dg = pytest.importorskip("dagster", reason="dagster is not installed")
    root = copy_of_shop(tmp_path)
    module = loaded(root)
    write_step(root, "10_clean.sql", CLEAN.replace("amount > 0", "amount > 1000"))
    with dg.DagsterInstance.ephemeral() as instance:
        job = module.defs.get_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not done.success
    failed = next(e for e in done.all_events if e.is_step_failure)
    assert "gave no rows" in failed.event_specific_data.error.to_string()
