from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import CASE, trips
from tests.data.leakage.planting import diabetes

from trackrecord.cli.main import main


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data/trips.csv").write_text(trips())
    (tmp_path / "cases/trips").mkdir(parents=True)
    (tmp_path / "cases/trips/case.toml").write_text(CASE)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict]:  # type: ignore[type-arg]
    capsys.readouterr()
    code = main(["audit", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_honest_case_is_clean_and_its_audit_is_on_the_chain(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, "trips", "-C", workspace)
    assert (code, said["verdict"]) == (0, "clean")
    assert {finding["verdict"] for finding in said["findings"]} <= {"note"}
    last = json.loads((workspace / "evidence/chain.jsonl").read_text().splitlines()[-1])
    assert last["kind"] == "audit"
    statement = json.loads((workspace / f"evidence/{last['evidence']}.json").read_text())
    assert statement["predicate"]["case"] == "trips"
    assert statement["predicate"]["audit"]["verdict"] == "clean"
    assert [subject["name"] for subject in statement["subject"]] == ["data/trips.csv", "split"]


def test_a_feature_of_a_case_that_gives_the_target_away_is_found(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace / "cases/trips/case.toml"
    path.write_text(CASE.replace('known_later = ["arrived"]', "known_later = []").replace(
        '"load"]', '"load", "arrived"]', 1))  # fmt: skip
    code, said = run(capsys, "trips", "-C", workspace)
    assert code == 1
    found = {finding["detector"]: finding for finding in said["findings"]}
    assert found["near-perfect"]["columns"] == ["arrived"]
    assert found["near-perfect"]["kind"] == "L2"


def test_what_a_case_declares_as_known_later_is_a_leak_where_a_baseline_uses_it(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace / "cases/trips/case.toml"
    path.write_text(CASE.replace('by = ["line"]', 'by = ["arrived"]'))
    code, said = run(capsys, "trips", "-C", workspace)
    assert code == 1
    (finding,) = [one for one in said["findings"] if one["detector"] == "known-later"]
    assert finding["what"].startswith("TR102")


def test_two_files_are_audited_without_a_workspace_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = diabetes()
    train.write_csv(tmp_path / "a.csv")
    test.write_parquet(tmp_path / "b.parquet")
    words = ["--train", "a.csv", "--test", "b.parquet", "--target", "worse", "-C", tmp_path]
    code, said = run(capsys, *words)
    assert (code, said["verdict"], said["entry"]) == (0, "clean", None)
    (tmp_path / "p.toml").write_text("[sex]\nx = 0.5\n")
    assert run(capsys, *words, "--population", "p.toml")[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.parquet", "p.toml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--train", "a.parquet"], "two files need --test and --target too"),
        (["case", "--train", "a.parquet"], "not both"),
        (["--train", "a.parquet", "--test", "no.csv", "--target", "worse"], "no file no.csv"),
        (["--train", "a.parquet", "--test", "a.parquet", "--target", "wors"], "'wors'"),
        (
            ["--train", "a.parquet", "--test", "a.parquet", "--target", "worse", "--population",
             "a.parquet"],
            "declares no population",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_audited_is_said_with_the_next_step(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diabetes()[0].write_parquet(tmp_path / "a.parquet")
    code, answer = run(capsys, *words, "-C", tmp_path)
    assert code == 2
    assert said in answer["error"]["what"]
    assert answer["error"]["next"]


def test_hostile_names_and_values_reach_no_terminal_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = diabetes()
    name = "\x1b[31mred\u202e"
    for part, file in ((train, "a.parquet"), (test, "b.parquet")):
        part.with_columns(pl.col("worse").alias(name)).write_parquet(tmp_path / file)
    words = ["--train", "a.parquet", "--test", "b.parquet", "--target", "worse"]
    assert main(["audit", *words, "-C", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
