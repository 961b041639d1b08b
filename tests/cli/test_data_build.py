"""``trackrecord data build``: what it prints, its exit codes, its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.workspace import make_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_workspace(tmp_path / "shop").root
    pl.DataFrame(
        {"id": [1, 2, 3, 4], "shop": ["a", "b", "a", "c"], "price": [10.0, None, 5.0, 1.0]}
    ).write_parquet(root / "data/orders.parquet")
    (root / "pipeline").mkdir()
    (root / "pipeline/10_priced.sql").write_text("FROM orders WHERE price IS NOT NULL AND id < 4")
    (root / "pipeline/20_totals.sql").write_text(
        "SELECT shop, sum(price) AS total FROM priced GROUP BY shop"
    )
    return root


def build(root: Path, *words: str) -> int:
    return main(["data", "build", *words, "-C", str(root)])


def as_json(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = build(root, "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def test_a_build_tells_rows_in_out_and_why(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(root) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "✓ built priced: 2 rows (it was not built yet) rows in: 4 of orders" in out
    assert "WHERE price IS NOT NULL 4 3 −1" in out
    assert "WHERE id < 4 3 2 −1" in out
    assert "GROUP BY shop 2 1" in out
    assert "next: trackrecord -C" in out
    assert build(root) == 0
    assert "✓ nothing to do: 2 steps fresh" in capsys.readouterr().out


def test_a_dry_run_says_what_would_run_and_runs_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = as_json(root, capsys, "--dry-run")
    assert code == 0
    assert [(one["step"], one["state"]) for one in said["steps"]] == [
        ("priced", "would"), ("totals", "would"),
    ]  # fmt: skip
    assert not (root / "data/built").exists()
    build(root)
    (root / "pipeline/10_priced.sql").write_text("FROM orders WHERE price IS NOT NULL")
    capsys.readouterr()
    assert build(root, "--dry-run") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "priced runs the SQL changed" in out
    assert "totals may run if its input priced comes out otherwise" in out


def test_json_has_each_step(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = as_json(root, capsys)
    assert code == 0
    assert said["holds"] is True
    first = said["steps"][0]
    assert (first["state"], first["rows"], first["inputs"][0]["rows"]) == ("built", 2, 4)
    assert [one["lost"] for one in first["effects"]] == [1, 1]
    assert first["evidence"]


def test_a_broken_contract_is_exit_1(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert build(root) == 0
    assert main(["data", "contract", "totals", "--draft", "-C", str(root)]) == 0
    (root / "pipeline/20_totals.sql").write_text("SELECT shop, -sum(price) AS total FROM priced "
                                                 "GROUP BY shop")  # fmt: skip
    capsys.readouterr()
    assert build(root) == 1
    out = capsys.readouterr().out
    assert "✗ totals breaks data/totals.contract.toml 1.0.0: not kept" in out
    assert "✗ total.range" in out
    assert pl.read_parquet(root / "data/built/totals.parquet")["total"].to_list() == [15.0]
    code, said = as_json(root, capsys)
    assert (code, said["holds"], said["steps"][-1]["state"]) == (1, False, "refused")


def test_a_failing_step_is_exit_2_with_its_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "pipeline/20_totals.sql").write_text("SELECT shop,\n  sum(prise)\nFROM priced")
    assert build(root) == 2
    said = capsys.readouterr()
    assert "✓ built priced" in said.out
    assert "✗ pipeline/20_totals.sql failed" in said.err
    assert "pipeline/20_totals.sql:2" in said.err
    assert 'Referenced column "prise" not found' in said.err


def test_numbers_that_do_not_fit_the_order_are_said(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "pipeline/10_priced.sql").rename(root / "pipeline/30_priced.sql")
    assert build(root) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "! pipeline/20_totals.sql reads priced, which pipeline/30_priced.sql makes" in out


def test_what_is_not_settled_is_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pipeline/10_priced.sql").write_text("SELECT *, random() AS r FROM orders LIMIT 3")
    assert build(root, "priced") == 0
    out = capsys.readouterr().out
    assert "! random() gives other values each time" in out
    assert "! LIMIT without ORDER BY" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["total"], "did you mean 'totals'"),
        (["--minutes", "0"], "--minutes 0 is no limit"),
        (["--memory", "-1"], "--memory -1 is no limit"),
        (["--memory", "nan"], "--memory nan is no limit"),
    ],
)
def test_what_cannot_be_asked_is_exit_2(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert build(root, *words) == 2
    assert said in capsys.readouterr().err


def test_a_built_table_is_a_table_of_the_workspace(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(root)
    assert main(["data", "profile", "totals", "-C", str(root)]) == 0
    assert "totals: 1 row, 2 columns" in capsys.readouterr().out
