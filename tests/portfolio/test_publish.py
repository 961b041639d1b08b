"""Publishing: said first, written whole or not at all, recorded once."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.portfolio.example import example_workspace, outcomes

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.outcomes import write_outcomes
from trackrecord.ledger import Subject, read_chain, read_evidence, record
from trackrecord.portfolio import folders
from trackrecord.portfolio.publish import (
    PublicationPredicate,
    plan_publication,
    refuse_foreign,
    write_publication,
)
from trackrecord.portfolio.verify import verify_folder
from trackrecord.workspace import Workspace, open_workspace

CLAIMS = """\
claims = 1
[[claim]]
text = "It was asked of {rows} rows."
[claim.numbers]
rows = { at = "evaluation/predicate/result/rows", form = "integer" }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("publish") / "w"
    example_workspace(root, rows=900)
    return root


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "w")
    return open_workspace(tmp_path / "w")


def publish(workspace: Workspace, out: Path | None = None) -> Path:
    folder = out or workspace.root / "published" / "flights"
    write_publication(plan_publication(workspace.root, "flights"), folder)
    return folder


def publications(workspace: Workspace) -> int:
    return sum(entry.kind == "publication" for entry in read_chain(workspace.evidence))


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def write_claims_file(workspace: Workspace, text: str) -> None:
    folder = workspace.case_folder("flights")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "claims.toml").write_text(text, "utf-8")


def test_a_stranger_can_verify_what_was_published(workspace: Workspace) -> None:
    report = verify_folder(publish(workspace))
    assert [check for check in report.checks if not check.ok] == []
    assert report.exit_code == 0
    assert all(claim.level == "L1" for claim in report.claims)


def test_the_list_says_files_rows_columns_machine_and_other_cases(workspace: Workspace) -> None:
    record(workspace.evidence, kind="run", predicate={"x": 1}, subjects=[], case="secret")
    said = "\n".join(plan_publication(workspace.root, "flights").reveals)
    assert "runs/flights/0001/outcomes-test.parquet" in said
    assert "900 rows, each with id, truth, cluster, time" in said
    assert "scores of base_rate, table, logistic, boosted; slices origin, carrier, hour" in said
    assert "Example CPU" in said
    assert "uncommitted changes" in said
    assert "numpy 2.1.3" in said
    assert "1 entry of 1 other case" in said
    assert "secret" not in said


def test_planning_writes_nothing(workspace: Workspace) -> None:
    before = content(workspace.root)
    plan_publication(workspace.root, "flights")
    assert content(workspace.root) == before


def test_other_cases_are_there_as_digests_only(workspace: Workspace) -> None:
    other = record(workspace.evidence, kind="run", predicate={"x": 1}, subjects=[], case="secret")
    folder = publish(workspace)
    assert not (folder / "evidence" / f"{other.evidence}.json").exists()
    assert any(entry.evidence == other.evidence for entry in read_chain(folder / "evidence"))
    assert b"secret" not in b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_the_publication_is_the_last_line_and_its_subjects_are_the_files(
    workspace: Workspace,
) -> None:
    folder = publish(workspace)
    last = read_chain(folder / "evidence")[-1]
    assert last.kind == "publication"
    statement = read_evidence(folder / "evidence", str(last.evidence))
    subjects = {s.name: s.digest["sha256"] for s in statement.subject}
    files = {name: digest for name, digest in content(folder).items() if name[:9] != "evidence/"}
    assert subjects == files
    assert set(statement.predicate) == set(PublicationPredicate.__struct_fields__)


def test_publishing_the_same_state_again_is_the_same_publication(workspace: Workspace) -> None:
    first = content(publish(workspace))
    assert content(publish(workspace)) == first
    assert publications(workspace) == 1


def test_the_same_state_elsewhere_stays_the_same_after_other_cases_went_on(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = content(publish(workspace))
    record(workspace.evidence, kind="run", predicate={"x": 1}, subjects=[], case="other")
    assert content(publish(workspace, tmp_path / "elsewhere")) == first


def test_a_changed_claim_is_a_new_publication_that_replaces_the_old(workspace: Workspace) -> None:
    publish(workspace)
    write_claims_file(workspace, CLAIMS)
    folder = publish(workspace)
    assert publications(workspace) == 2
    assert "It was asked of" in (folder / "index.html").read_text("utf-8")
    assert verify_folder(folder).exit_code == 0
    assert "an earlier version of this page" in (folder / "index.html").read_text("utf-8")


def test_claims_that_cannot_be_shown_stop_it_before_anything_is_written(
    workspace: Workspace,
) -> None:
    write_claims_file(workspace, CLAIMS.replace("result/rows", "result/cows"))
    before = content(workspace.root)
    with pytest.raises(BadInput, match="leads nowhere"):
        publish(workspace)
    assert content(workspace.root) == before


def test_before_the_test_is_evaluated_there_is_nothing_to_publish(tmp_path: Path) -> None:
    from trackrecord.workspace import make_workspace

    workspace = make_workspace(tmp_path / "w")
    record(workspace.evidence, kind="run", predicate={"x": 1}, subjects=[], case="flights")
    with pytest.raises(BadInput, match="has not been evaluated"):
        publish(workspace)


def test_changed_rows_are_not_published(workspace: Workspace) -> None:
    write_outcomes(outcomes(900, 5), workspace.root / "runs/flights/0001/outcomes-test.parquet")
    with pytest.raises(DataError, match="not those that the evidence was computed from"):
        publish(workspace)


def test_missing_rows_are_named(workspace: Workspace) -> None:
    (workspace.root / "runs/flights/0001/outcomes-contrast-1.parquet").unlink()
    with pytest.raises(DataError, match="are gone") as caught:
        publish(workspace)
    assert caught.value.where == "runs/flights/0001/outcomes-contrast-1.parquet"


def test_a_case_that_went_on_meanwhile_is_planned_again(workspace: Workspace) -> None:
    plan = plan_publication(workspace.root, "flights")
    record(workspace.evidence, kind="look", predicate={"x": 1}, subjects=[], case="flights")
    with pytest.raises(BadInput, match="has changed since this was planned"):
        write_publication(plan, workspace.root / "published" / "flights")
    assert publications(workspace) == 0
    assert not (workspace.root / "published" / "flights").exists()


def foreign_file(out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("mine")


def foreign_folder(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "thesis.tex").write_text("mine")


def broken_publication(out: Path) -> None:
    (out / "evidence").mkdir(parents=True)
    (out / "index.html").write_text("mine")
    (out / "evidence" / "chain.jsonl").write_text("no chain")


@pytest.mark.parametrize("put", [foreign_file, foreign_folder, broken_publication])
def test_what_is_no_publication_is_never_overwritten(
    workspace: Workspace, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    out = tmp_path / "mine"
    put(out)
    before = content(tmp_path / "mine") if out.is_dir() else out.read_text()
    with pytest.raises(BadInput):
        publish(workspace, out)
    assert (content(out) if out.is_dir() else out.read_text()) == before
    assert publications(workspace) == 0


def test_the_publication_of_another_case_is_not_overwritten(workspace: Workspace) -> None:
    out = publish(workspace)
    with pytest.raises(BadInput, match="holds the publication of 'flights'"):
        refuse_foreign(out, "trains")


def test_files_that_a_person_put_beside_the_page_are_not_lost(workspace: Workspace) -> None:
    out = publish(workspace)
    (out / "CNAME").write_text("example.org")
    write_claims_file(workspace, CLAIMS)
    with pytest.raises(BadInput, match="trackrecord did not write") as caught:
        publish(workspace)
    assert "CNAME" in str(caught.value.where)
    assert (out / "CNAME").exists()


def test_an_empty_folder_is_a_place(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert verify_folder(publish(workspace, tmp_path / "empty")).exit_code == 0


def test_a_link_to_a_folder_is_written_through(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    publish(workspace, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "index.html").exists()


def test_without_a_way_to_exchange_names_it_is_still_replaced(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda _one, _other: False)
    publish(workspace)
    write_claims_file(workspace, CLAIMS)
    out = publish(workspace)
    assert verify_folder(out).exit_code == 0
    assert [p.name for p in out.parent.iterdir()] == ["flights"]


def test_a_place_that_cannot_be_written_is_an_error_for_a_person(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match="cannot write"):
        publish(workspace, Path("/proc/trackrecord/flights"))


def test_of_two_that_publish_at_once_one_is_told_to_look_again(workspace: Workspace) -> None:
    out = workspace.root / "published" / "flights"
    one, other = (plan_publication(workspace.root, "flights") for _ in range(2))
    write_publication(one, out)
    with pytest.raises(BadInput, match="has changed since"):
        write_publication(other, out)
    assert publications(workspace) == 1
    assert whole(out)


def test_the_root_of_the_disk_is_no_place(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match="no place"):
        publish(workspace, Path("/"))


def test_the_workspace_itself_is_no_place(workspace: Workspace) -> None:
    publish(workspace)
    write_claims_file(workspace, CLAIMS)
    with pytest.raises(BadInput):
        publish(workspace, workspace.root)


def test_a_disk_that_fills_up_leaves_the_older_publication_and_no_litter(
    workspace: Workspace,
) -> None:
    out = publish(workspace)
    old = content(out)
    write_claims_file(workspace, CLAIMS)
    plan = plan_publication(workspace.root, "flights")
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # the page is larger
        try:
            write_publication(plan, out)
        except BadInput as error:
            os._exit(0 if "cannot write" in error.what else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert content(out) == old
    assert [p.name for p in out.parent.iterdir()] == ["flights"]
    publish(workspace)
    assert publications(workspace) == 2


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a child that is killed at its ``point``-th fsync or rename. Was it?"""
    child = os.fork()
    if child == 0:
        left = point

        def counted(real: Any) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return call

        os.fsync, os.rename, os.replace = map(counted, (os.fsync, os.rename, os.replace))
        folders._exchange = counted(folders._exchange)
        shutil.rmtree = counted(shutil.rmtree)
        try:
            work()
        except BaseException:
            os._exit(9)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def whole(folder: Path) -> bool:
    """Whether a folder is a publication with each of its subjects, and nothing else."""
    last = read_chain(folder / "evidence")[-1]
    subjects = read_evidence(folder / "evidence", str(last.evidence)).subject
    files = {name: digest for name, digest in content(folder).items() if name[:9] != "evidence/"}
    return last.kind == "publication" and files == {s.name: s.digest["sha256"] for s in subjects}


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_a_kill_at_any_instant_leaves_a_whole_publication_and_counts_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(folders, "_exchange", lambda _one, _other: False)
    out = publish(workspace)
    old = content(out)
    write_claims_file(workspace, CLAIMS)
    planned = plan_publication(workspace.root, "flights")
    points = absent = 0
    while True:
        trial = tmp_path / f"trial-{points}"
        shutil.copytree(workspace.root, trial)
        target = trial / "published" / "flights"
        plan = msgspec.structs.replace(planned, workspace=open_workspace(trial))
        if not killed_at(points, lambda plan=plan, target=target: write_publication(plan, target)):
            break
        if target.exists():
            assert content(target) == old or whole(target), points
        else:
            absent += 1
        if points % 4 == 0 or not target.exists():
            publish(open_workspace(trial))
            assert whole(target)
            assert publications(open_workspace(trial)) == 2
            assert [p.name for p in target.parent.iterdir()] == ["flights"]
        shutil.rmtree(trial)
        points += 1
    assert points > 30
    # Exchanging two names leaves no instant without a folder; two renames leave one.
    assert absent == 0 if exchange else absent <= 2
    print(json.dumps({"kill points": points}))


def test_evidence_that_is_missing_is_an_error_and_not_left_out(workspace: Workspace) -> None:
    from trackrecord.errors import LedgerError

    looks = [e for e in read_chain(workspace.evidence) if e.kind == "look"]
    (workspace.evidence / f"{looks[0].evidence}.json").unlink()
    with pytest.raises(LedgerError):
        publish(workspace)


def test_the_evidence_of_a_subject_outside_runs_is_not_opened(workspace: Workspace) -> None:
    plan = plan_publication(workspace.root, "flights")
    assert all(name.startswith("runs/flights/") for name in plan.files if "/" in name)
    assert Subject(name="x", digest={}).name not in plan.files
