from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trackrecord.cli.main import VERBS
from trackrecord.cli.parsing import make_parser
from trackrecord.cli.printing import hint, stand_in
from trackrecord.workspace import find_workspace

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
        ("new", "draft", "trackrecord case check tumours"),
        ("seal", "sealed", "trackrecord run tumours"),
        ("run", "run", "trackrecord evaluate tumours --part test"),
        ("validation", "validated", "trackrecord evaluate tumours --part test"),
        ("test", "evaluated, 1 look at the test", "trackrecord publish tumours"),
        ("publish", "published, 1 look at the test", "trackrecord verify …/published/tumours"),
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
    shown = re.sub(r"(verify ).*/published/", r"\1…/published/", told.out.rstrip())
    assert " ".join(shown.split()).endswith(f"next: {next_step}")


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


def typed(printed: str) -> list[list[str]]:
    """The commands of every ``next:``, as words."""
    found = []
    for line in printed.splitlines():
        _, label, hint = line.partition("next:")
        if label or line.lstrip().startswith("trackrecord "):
            for command in re.split(r", then:|   \(", hint if label else line):
                if "trackrecord " in command:
                    found.append(shlex.split(command[command.index("trackrecord ") :])[1:])
    return found


def test_every_hint_can_be_typed_where_the_person_stands(
    journey: Journey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_in = Path.cwd()  # where the journey was typed, to which its hints are relative
    monkeypatch.chdir(tmp_path)
    hints = [words for told in journey.told.values() for words in typed(told.printed)]
    outside = trackrecord("status", at=journey.folder)
    assert ["-C", str(journey.folder), "init"] in typed(outside.printed)
    assert len(hints) >= 15
    for words in hints:
        folder = words[1] if words[0] == "-C" else None
        verb, *rest = words[2:] if folder else words
        options = make_parser(verb, VERBS[verb][0])[0].parse_args(rest)
        if verb == "verify":
            assert (began_in / options.published / "index.html").exists()
        elif "NAME" not in rest or folder is not None:
            assert folder is not None, words
            assert find_workspace(Path(folder)).root == journey.folder / "workspace"


def test_a_hint_repeats_the_folder_once_and_not_for_verify() -> None:
    stand_in("my work")
    try:
        assert hint("trackrecord seal x") == "trackrecord -C 'my work' seal x"
        assert hint("mend that, then: trackrecord run x (twice)") == (
            "mend that, then: trackrecord -C 'my work' run x (twice)"
        )
        both = "trackrecord case check x, then: trackrecord seal x"
        assert hint(both).count("-C 'my work'") == 2
        for same in (
            "trackrecord seal x -C other",
            "trackrecord verify published/x",
            "cd a && trackrecord case new NAME",
            "what `trackrecord publish` wrote",
        ):
            assert hint(same) == same
    finally:
        stand_in(None)
    assert hint("trackrecord seal x") == "trackrecord seal x"


def test_a_draft_is_checked_with_doubts_and_not_sealed(at_stage: AtStage) -> None:
    root = at_stage("new")
    text = (root / "cases/tumours/case.toml").read_text().splitlines()
    marks = [number for number, line in enumerate(text, 1) if line.startswith("# decide:")]
    told = trackrecord("case", "check", NAME, "--json", at=root)
    found = [f for f in told.json["findings"] if f["code"] == "TR040"]
    assert [f["line"] for f in found] == marks
    assert "who acts on the answer, and how? (intended_use is still" in found[1]["what"]
    said = trackrecord("case", "check", NAME, at=root).out
    assert f"next: decide what the draft left open in {len(marks)} places" in said
    before = digests(root)
    refused = trackrecord("seal", NAME, at=root)
    assert refused.code == 2
    assert f"cases/tumours/case.toml:{marks[0]}" in refused.err
    assert digests(root) == before
    edit(root, ("# decide:", "# decided:"))
    refused = trackrecord("seal", NAME, at=root)  # nobody wrote a question of their own
    assert "question is still the draft's" in refused.err
    assert "✗ TR040" in refused.out


def test_check_says_what_can_be_done_with_the_case_next(at_stage: AtStage) -> None:
    root = at_stage("seal")
    assert "next: trackrecord run tumours" in trackrecord("case", "check", NAME, at=root).out
    edit(root, ("bias in [-0.2, 0.2]", "bias in [-0.3, 0.3]"))
    told = trackrecord("case", "check", NAME, at=root)
    assert "next: trackrecord amend tumours --reason" in told.out
    chain = root / "evidence/chain.jsonl"
    chain.write_text(chain.read_text().replace("seal", "saal", 1))
    assert "trackrecord doctor" in trackrecord("case", "check", NAME, at=root).out


def test_claims_of_an_earlier_evaluation_are_written_again_and_kept(at_stage: AtStage) -> None:
    root = at_stage("claim")
    assert "next: trackrecord publish tumours" in trackrecord("status", at=root).out
    told = trackrecord("evaluate", NAME, "--part", "test", at=root)
    step = "next: trackrecord claim draft tumours --again"
    assert step in told.out
    assert step in trackrecord("status", at=root).out
    assert "--again" in trackrecord("publish", NAME, "--yes", at=root).err
    refused = trackrecord("claim", "draft", NAME, at=root)
    assert refused.code == 2
    assert "next:  trackrecord claim draft tumours --again" in refused.err
    old = (root / "cases/tumours/claims.toml").read_bytes()
    told = trackrecord("claim", "draft", NAME, "--again", at=root)
    assert told.code == 0
    assert "kept the claims there were as cases/tumours/claims.toml.old" in told.out
    assert (root / "cases/tumours/claims.toml.old").read_bytes() == old
    assert trackrecord("claim", "draft", NAME, "--again", at=root).code == 0
    assert (root / "cases/tumours/claims.toml.old").read_bytes() == old
    assert (root / "cases/tumours/claims.toml.old-2").exists()
    assert trackrecord("publish", NAME, "--yes", at=root).code == 0


def test_status_says_when_the_test_was_evaluated_after_it_was_published(at_stage: AtStage) -> None:
    root = at_stage("publish")
    assert trackrecord("evaluate", NAME, at=root).code == 0  # validation is on no page
    assert "published, 1 look" in trackrecord("status", at=root).out
    assert trackrecord("evaluate", NAME, "--part", "test", at=root).code in (0, 1)
    told = trackrecord("status", at=root).out
    assert "published, evaluated since, 2 looks at the test" in told
    assert "next: trackrecord claim draft tumours --again" in told
    assert trackrecord("claim", "draft", NAME, "--again", at=root).code == 0
    assert "next: trackrecord publish tumours" in trackrecord("status", at=root).out
    assert trackrecord("publish", NAME, "--yes", at=root).code == 0
    told = trackrecord("status", at=root).out
    assert "published, 2 looks at the test" in told
    assert "verify" in told


def no_check(*_: object, **__: object) -> None:
    raise AssertionError("the whole check was run")


def test_what_needs_no_check_is_refused_without_one(
    at_stage: AtStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = at_stage("seal")
    data = root / "data/cancer.csv"
    monkeypatch.setattr("trackrecord.cli.findings.findings_of", no_check)
    amend = ["amend", NAME, "--reason", "it has to change"]

    def refused(*words: str, said: str) -> None:
        before = digests(root)
        told = trackrecord(*words, at=root)
        assert (told.code, digests(root)) == (2, before)
        assert said in told.err, told.err

    with monkeypatch.context() as unread:
        unread.setattr("trackrecord.data.table.load_case_table", no_check)
        refused("seal", NAME, said="is sealed already, and unchanged since")
        refused(*amend, said="is as it was sealed: nothing to amend")
        refused("amend", NAME, "--reason", "typo", said="a reason that a reader can weigh")
    data.write_bytes(data.read_bytes().replace(b"\n", b"\r\n"))  # other bytes, the same rows
    refused("seal", NAME, said="is sealed already, and unchanged since")
    refused(*amend, said="is as it was sealed: nothing to amend")
    data.write_text(data.read_text().replace("P0000,", "P0000x,", 1))
    refused("seal", NAME, said="changed: data data/cancer.csv")
    assert "the whole check was run" in trackrecord(*amend, at=root).err
