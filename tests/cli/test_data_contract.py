"""``trackrecord data contract``: draft, check, diff, export, import, and the evidence of it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.ledger import check_chain, read_chain, read_evidence
from trackrecord.workspace import make_workspace

TRIPS = pl.DataFrame({"id": range(60), "line": ["a", "b", "c"] * 20, "delay": [1.5, 30.0] * 30})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_workspace(tmp_path).root
    (root / "data").mkdir(exist_ok=True)
    TRIPS.write_parquet(root / "data" / "trips.parquet")
    return root


def contract(root: Path, *words: str) -> int:
    return main(["data", "contract", "trips", *words, "-C", str(root)])


def edit(root: Path, old: str, new: str) -> None:
    path = root / "data" / "trips.contract.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_draft_holds_on_its_own_data_and_is_never_written_over(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert contract(root, "--draft") == 0
    assert contract(root, "--check") == 0
    assert "rules held" in capsys.readouterr().out
    edit(root, 'version = "1.0.0"', 'version = "1.0.1"')
    assert contract(root, "--draft") == 2
    assert "is not written over" in capsys.readouterr().err
    assert '"1.0.1"' in (root / "data" / "trips.contract.toml").read_text("utf-8")


def test_a_built_table_has_a_contract_by_its_name(root: Path) -> None:
    (root / "data" / "built").mkdir()
    (root / "data" / "trips.parquet").rename(root / "data" / "built" / "trips.parquet")
    assert contract(root, "--draft") == 0
    assert contract(root, "--check") == 0
    edit(root, 'allowed = ["a", "b", "c"]', 'allowed = ["a", "b"]')
    assert contract(root, "--check") == 1
    (kept,) = (root / "data" / "quarantine").iterdir()
    assert pl.read_parquet(kept)["line"].unique().to_list() == ["c"]


def test_new_data_that_break_it_are_named_kept_aside_and_recorded_without_values(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract(root, "--draft")
    (root / "new.csv").write_text(
        "id,line,delay\n" + "".join(f"{n},{'secret' if n < 9 else 'a'},2\n" for n in range(40))
    )
    capsys.readouterr()
    assert contract(root, "--check", "--data", "new.csv") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "✗ line.allowed: is one of a, b, c; broken by 9 rows of 40, 22.5 % [12.3 %, 37.5 %]" in out
    )
    assert "rows 1, 2, 3, 4, 5 … values secret (9×)" in out
    assert pl.read_parquet(root / "data/quarantine/trips-line.allowed.parquet").height == 9
    (entry,) = read_chain(root / "evidence")
    statement = read_evidence(root / "evidence", str(entry.evidence))
    assert [one.name for one in statement.subject] == ["data/trips.contract.toml", "new.csv"]
    assert "secret" not in json.dumps(statement.predicate)
    broken = [one for one in statement.predicate["rules"] if one["status"] == "failed"]
    assert [(one["name"], one["failed"]) for one in broken] == [("line.allowed", 9)]
    assert check_chain(root / "evidence").problems == []


def test_a_check_says_what_has_changed_since_the_last(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract(root, "--draft")
    contract(root, "--check")
    edit(root, "max = 30.0", "max = 40.0")
    capsys.readouterr()
    assert contract(root, "--check") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "max of 'delay': 30.0 → 40.0, loosened: breaks readers" in out
    assert "needs version 2.0.0" in out
    edit(root, 'version = "1.0.0"', 'version = "2.0.0"')
    contract(root, "--check")
    assert "change" not in capsys.readouterr().out


def test_diff_fails_until_the_version_announces_the_break(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract(root, "--draft")
    path = root / "data" / "trips.contract.toml"
    (root / "old.toml").write_text(path.read_text("utf-8"), "utf-8")
    assert contract(root, "--diff", "old.toml") == 0
    edit(root, '["a", "b", "c"]', '["a", "b"]')
    assert contract(root, "--diff", "old.toml") == 1
    assert "may no longer be 'c'" in capsys.readouterr().out
    edit(root, 'version = "1.0.0"', 'version = "2.0.0"')
    assert contract(root, "--diff", "old.toml", "--json") == 0
    assert json.loads(capsys.readouterr().out)["breaking"] is True


def test_export_and_import_go_round(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract(root, "--draft")
    assert contract(root, "--export", "trips.odcs.yaml") == 0
    path = root / "data" / "trips.contract.toml"
    path.rename(root / "old.toml")
    assert contract(root, "--import", "trips.odcs.yaml") == 0
    capsys.readouterr()
    assert contract(root, "--diff", "old.toml") == 0
    assert "nothing that means anything" in capsys.readouterr().out


def test_without_a_workspace_files_alone_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TRIPS.write_csv(tmp_path / "t.csv")
    assert contract(tmp_path, "--draft", "--data", "t.csv") == 0
    assert contract(tmp_path, "--check", "--data", "t.csv") == 0
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--check"], "there is no contract"),
        (["--check", "--draft"], "not allowed with"),
        ([], "required"),
        (["--diff", "old.toml"], "there is no contract"),
        (["--draft", "--data", "nothing.csv"], "no file nothing.csv"),
        (["--export", "o.yaml", "--data", "t.csv"], "--data goes with"),
        (["--import", "o.yaml"], "cannot read o.yaml"),
    ],
)
def test_what_cannot_be_done_is_exit_2_and_says_why(
    words: list[str], said: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert contract(root, *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_bounds_beyond_what_json_can_say_are_recorded_and_compared(root: Path) -> None:
    pl.DataFrame({"x": [-(2**60), 2**62], "y": [0.5, float("inf")]}).write_parquet(
        root / "data" / "trips.parquet"
    )
    contract(root, "--draft")
    assert contract(root, "--check") == 0
    assert contract(root, "--check") == 0
    last = read_chain(root / "evidence")[-1]
    assert read_evidence(root / "evidence", str(last.evidence)).predicate["changes"] == []


def test_a_rule_that_does_not_parse_is_marked_in_its_file(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract(root, "--draft")
    path = root / "data" / "trips.contract.toml"
    text = path.read_text("utf-8") + '\n[[rule]]\nname = "r"\nsql = "dely > 0"\n'
    path.write_text(text, "utf-8")
    assert contract(root, "--check") == 2
    error = " ".join(capsys.readouterr().err.split())
    line = text.split("\n").index('sql = "dely > 0"') + 1
    assert f"trips.contract.toml:{line}, column 1: ▸dely > 0" in error
    assert "did you mean 'delay'" in error
    assert not (root / "evidence" / "chain.jsonl").exists()
