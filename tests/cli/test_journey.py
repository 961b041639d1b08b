from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NAME, Journey, digests, edit, predictions, trackrecord

AtStage = Callable[[str], Path]


@pytest.mark.parametrize(
    ("stage", "code", "said"),
    [
        ("init", 0, ["is a workspace now", "next: cd"]),
        ("new", 0, ["copied", "drafted cases/tumours/case.toml: 11 places"]),
        ("check", 0, ["nothing is wrong with 'tumours'", "next: trackrecord seal tumours"]),
        ("seal", 0, ["✓ sealed 'tumours' as entry 0 of the chain", "569 rows", "power"]),
        ("run", 0, ["✓ run 0001", "bayes", "evaluate tumours --part test"]),
        ("validation", 0, ["validation part", "roc_auc", "bayes − table"]),
        ("test", 0, ["test part · look 1", "accepted"]),
        ("claim", 0, ["drafted", "every number is a pointer"]),
        ("publish", 0, ["This will be revealed", "published:", "next: trackrecord verify"]),
        ("verify", 0, ["✓ L1", "claims hold"]),
    ],
)
def test_each_step_does_its_work_and_names_the_next(
    journey: Journey, stage: str, code: int, said: list[str]
) -> None:
    told = journey.told[stage]
    assert told.code == code, told.err
    assert told.err == ""
    for piece in said:
        assert piece in told.out


@pytest.mark.parametrize(
    ("stage", "stands", "next_step"),
    [
        ("init", "no case yet", "trackrecord case new NAME --from DATA"),
        ("new", "draft", "trackrecord case check tumours, then: trackrecord seal tumours"),
        ("seal", "sealed", "trackrecord run tumours"),
        ("run", "run", "trackrecord evaluate tumours --part test"),
        ("validation", "validated", "trackrecord evaluate tumours --part test"),
        ("test", "evaluated, 1 look at the test", "trackrecord publish tumours"),
        ("publish", "published, 1 look at the test", "trackrecord verify published/tumours"),
    ],
)
def test_status_says_where_one_stands_at_each_stage(
    journey: Journey, stage: str, stands: str, next_step: str
) -> None:
    told = journey.told[f"{stage}: status"]
    assert told.code == 0
    if stage != "init":
        assert told.out.startswith("tumours  ")
    assert stands in told.out
    assert told.out.rstrip().endswith(f"next: {next_step}")


def test_the_draft_asks_for_eleven_decisions_and_is_a_case_already(at_stage: AtStage) -> None:
    root = at_stage("new")
    text = (root / "cases/tumours/case.toml").read_text()
    assert text.count("# decide:") == 11
    told = trackrecord("case", "check", NAME, "--json", at=root)
    assert told.code == 0
    assert {finding["severity"] for finding in told.json["findings"]} == {"doubt"}


def test_the_only_case_need_not_be_named(at_stage: AtStage) -> None:
    root = at_stage("check")
    assert trackrecord("case", "check", at=root).code == 0
    assert trackrecord("seal", at=root / "data").code == 0  # from any folder inside


def test_a_second_test_evaluation_is_look_two(at_stage: AtStage) -> None:
    told = trackrecord("evaluate", NAME, "--part", "test", at=at_stage("test"))
    assert "test part · look 2" in told.out


def test_an_amendment_after_a_look_is_said_with_every_later_number(at_stage: AtStage) -> None:
    root = at_stage("test")
    edit(root, ("bias in [-0.2, 0.2]", "bias in [-0.3, 0.3]"))
    refused = trackrecord("run", NAME, at=root)
    assert refused.code == 2
    assert "criterion.3.require" in refused.err
    assert "trackrecord amend tumours --reason" in refused.err
    amended = trackrecord("amend", NAME, "--reason", "the limit was too narrow", at=root)
    assert amended.code == 0
    assert "every later number says so" in amended.out
    stale = trackrecord("evaluate", NAME, "--part", "test", at=root)
    assert stale.code == 2  # that run answered the older question
    assert "trackrecord run tumours" in stale.err
    assert trackrecord("run", NAME, at=root).code == 0
    told = trackrecord("evaluate", NAME, at=root)
    assert "amended after 1 look" in told.out
    told = trackrecord("evaluate", NAME, "--part", "test", at=root)
    assert "look 2" in told.out
    assert "amended after 1 look" in told.out
    assert "amended 1×" in trackrecord("status", at=root).out


def test_changed_data_is_drift_too(at_stage: AtStage) -> None:
    root = at_stage("seal")
    path = root / "data/cancer.csv"
    path.write_text(path.read_text().replace("P0000,", "P0000x,", 1))
    before = digests(root)
    refused = trackrecord("run", NAME, at=root)
    assert refused.code == 2
    assert "data/cancer.csv" in refused.err
    assert digests(root) == before


def test_an_unsealed_run_is_refused_or_says_so_for_ever(at_stage: AtStage) -> None:
    root = at_stage("check")
    refused = trackrecord("run", NAME, at=root)
    assert refused.code == 2
    assert "next:" in refused.err
    assert "trackrecord seal tumours" in refused.err
    told = trackrecord("run", NAME, "--unsealed", at=root)
    assert told.code == 0
    assert "UNSEALED" in told.out
    assert "UNSEALED" in trackrecord("status", at=root).out
    assert "UNSEALED" in trackrecord("evaluate", NAME, "--part", "test", at=root).out
    sealed = trackrecord("seal", NAME, at=root)
    assert sealed.code == 0
    assert "! sealed after 1 unsealed run and 1 look at the test" in sealed.out


def test_another_programs_predictions_are_taken_in(at_stage: AtStage, tmp_path: Path) -> None:
    root = at_stage("check")
    edit(root, ("[[model]]", '[[model]]\nname = "mine"\n\n[[model]]'))
    edit(root, ('task = "binary"', 'task = "binary"\ncandidate = "mine"'))
    assert trackrecord("seal", NAME, at=root).code == 0
    file = tmp_path / "mine.parquet"
    predictions(root).write_parquet(file)
    told = trackrecord("run", NAME, "--outcomes", file, "--model", "mine", at=root)
    assert told.code == 0, told.err
    evaluated = trackrecord("evaluate", NAME, "--part", "test", "--json", at=root)
    assert {model["name"] for model in evaluated.json["result"]["models"]} >= {"table", "mine"}


def test_a_file_of_predictions_needs_no_workspace(tmp_path: Path) -> None:
    rows = ["id,truth,score"] + [f"r{i},{i % 2},{(i * 37 % 100) / 100}" for i in range(60)]
    file = tmp_path / "predictions.csv"
    file.write_text("\n".join(rows))
    told = trackrecord("evaluate", file)
    assert told.code == 0, told.err
    assert "60 rows" in told.out


@pytest.mark.parametrize("stage", ["seal", "run", "publish"])
def test_doctor_finds_the_ledger_whole(at_stage: AtStage, stage: str) -> None:
    told = trackrecord("doctor", at=at_stage(stage))
    assert told.code == 0
    assert "✓ the ledger is whole" in told.out


def test_doctor_finds_missing_evidence_and_exits_1(at_stage: AtStage) -> None:
    root = at_stage("run")
    lost = next(path for path in sorted((root / "evidence").glob("*.json")))
    lost.unlink()
    told = trackrecord("doctor", at=root)
    assert told.code == 1
    assert lost.name in told.out


def test_nobody_to_ask_means_nothing_is_published(at_stage: AtStage) -> None:
    root = at_stage("claim")
    before = digests(root)
    told = trackrecord("publish", NAME, at=root)
    assert told.code == 2
    assert "This will be revealed" in told.out
    assert "trackrecord publish tumours --yes" in told.err
    assert digests(root) == before


JSON_STEPS: list[tuple[str, list[str], list[str]]] = [
    ("init", ["status"], ["cases", "workspace"]),
    ("init", ["doctor"], ["findings"]),
    ("new", ["case", "check"], ["case", "findings"]),
    ("check", ["seal"], ["case", "entry", "evidence", "time"]),
    ("seal", ["run"], ["evidence", "run", "models", "sealed"]),
    ("run", ["evaluate"], ["evidence", "result", "plan", "part"]),
    ("test", ["claim", "draft"], ["claims", "file"]),
    ("claim", ["publish", "--yes"], ["written", "folder", "reveals"]),
]


@pytest.mark.parametrize(("stage", "words", "keys"), JSON_STEPS)
def test_with_json_a_program_reads_one_document_and_nothing_else(
    at_stage: AtStage, stage: str, words: list[str], keys: list[str]
) -> None:
    told = trackrecord(*words, "--json", at=at_stage(stage))
    assert told.code == 0, told.out
    assert set(keys) <= told.json.keys()


def test_with_json_errors_are_json_too(at_stage: AtStage) -> None:
    told = trackrecord("run", "tumors", "--json", at=at_stage("check"))
    assert told.code == 2
    assert told.err == ""
    assert told.json["error"]["what"] == "there is no case 'tumors' in this workspace"
    assert told.json["error"]["why"] == "did you mean 'tumours'?"


def test_the_same_case_data_and_seed_give_the_same_predictions(at_stage: AtStage) -> None:
    root = at_stage("run")
    assert trackrecord("run", NAME, at=root).code == 0
    first, second = (root / f"runs/tumours/{run}/predictions.parquet" for run in ("0001", "0002"))
    assert first.read_bytes() == second.read_bytes()


def test_a_verified_folder_needs_nothing_else(journey: Journey, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    shutil.copytree(journey.folder / "publish" / "published" / NAME, folder)
    told = trackrecord("verify", folder)
    assert told.code == 0, told.out
    page = folder / "index.html"
    page.write_text(page.read_text("utf-8").replace("malignant", "benign", 1), "utf-8")
    told = trackrecord("verify", folder)
    assert told.code == 1
    assert "index.html" in told.out


def test_a_contrast_comes_after_the_verdict_and_is_a_look(at_stage: AtStage) -> None:
    root = at_stage("check")
    contrast = '[[contrast]]\nname = "another split"\nsplit = { kind = "random", seed = 9 }\n\n'
    first = '[[criterion]]\nname = "ranks'
    edit(root, (first, contrast + first))
    assert trackrecord("seal", NAME, at=root).code == 0
    assert trackrecord("run", NAME, at=root).code == 0
    early = trackrecord("contrast", NAME, at=root)
    assert early.code == 2
    assert "trackrecord evaluate tumours --part test" in early.err
    assert trackrecord("evaluate", NAME, "--part", "test", at=root).code == 0
    told = trackrecord("contrast", NAME, at=root)
    assert told.code == 0, told.err
    assert "another split" in told.out
    assert "2 looks at the test" in trackrecord("status", at=root).out


def test_the_folder_may_come_before_the_verb(at_stage: AtStage) -> None:
    root = at_stage("check")
    assert trackrecord("-C", root, "case", "check", NAME).code == 0
    assert trackrecord("-C", root, "status") == trackrecord("status", at=root)
