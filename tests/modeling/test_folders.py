from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.errors import LedgerError
from trackrecord.ledger import Subject, record
from trackrecord.modeling.folders import claimed_folder, find_leftovers, recorded_runs
from trackrecord.workspace import Workspace, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "work")


def write(workspace: Workspace) -> str:
    with claimed_folder(workspace, "trips") as folder:
        (folder.part / "predictions.parquet").write_bytes(b"P")
        folder.publish()
        folder.keep()
    return folder.number


def tell_ledger(workspace: Workspace, number: str) -> None:
    record(
        workspace.evidence,
        kind="run",
        predicate={"run": number},
        subjects=[Subject(name=f"runs/trips/{number}", digest={"sha256": "0" * 64})],
        case="trips",
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_runs_are_numbered_from_one(workspace: Workspace) -> None:
    assert [write(workspace) for _ in range(3)] == ["0001", "0002", "0003"]
    assert names(workspace.runs("trips")) == ["0001", "0002", "0003"]
    assert names(workspace.cache / "runs") == ["trips next.lock"]


def test_a_number_is_never_given_twice_even_if_a_run_was_deleted_in_between(
    workspace: Workspace,
) -> None:
    write(workspace)
    write(workspace)
    (workspace.runs("trips") / "0001" / "predictions.parquet").unlink()
    (workspace.runs("trips") / "0001").rmdir()
    assert write(workspace) == "0003"


def test_a_deleted_folder_of_a_recorded_run_keeps_its_number(workspace: Workspace) -> None:
    tell_ledger(workspace, write(workspace))
    (workspace.runs("trips") / "0001" / "predictions.parquet").unlink()
    (workspace.runs("trips") / "0001").rmdir()
    assert write(workspace) == "0002"


def fail(workspace: Workspace, error: BaseException, *, publish: bool, tell: bool = False) -> None:
    with claimed_folder(workspace, "trips") as folder:
        if publish:
            folder.publish()
        if tell:
            tell_ledger(workspace, folder.number)
        raise error


@pytest.mark.parametrize("publish", [False, True])
def test_an_error_leaves_no_folder_behind(workspace: Workspace, publish: bool) -> None:
    with pytest.raises(RuntimeError):
        fail(workspace, RuntimeError(), publish=publish)
    assert not (workspace.root / "runs").exists()


def test_a_run_that_the_ledger_has_stays_whatever_happens_next(workspace: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail(workspace, KeyboardInterrupt(), publish=True, tell=True)
    assert names(workspace.runs("trips")) == ["0001"]


def test_a_broken_chain_is_an_error_before_a_folder_is_made(workspace: Workspace) -> None:
    tell_ledger(workspace, "0001")
    chain = workspace.evidence / "chain.jsonl"
    chain.write_bytes(chain.read_bytes()[:-5])
    with pytest.raises(LedgerError):
        write(workspace)
    assert not (workspace.root / "runs").exists()


def test_evidence_that_is_gone_does_not_stop_a_run(workspace: Workspace) -> None:
    tell_ledger(workspace, write(workspace))
    for path in workspace.evidence.glob("*.json"):
        path.unlink()
    assert write(workspace) == "0002"
    with pytest.raises(LedgerError):
        find_leftovers(workspace, "trips")


def _write_many(root: str, count: int, into: str) -> None:
    work = Workspace(root=Path(root))
    numbers = [write(work) for _ in range(count)]
    Path(into).write_text("\n".join(numbers))


def test_runs_that_start_at_once_get_numbers_of_their_own(
    workspace: Workspace, tmp_path: Path
) -> None:
    fresh = multiprocessing.get_context("spawn")
    each = [
        fresh.Process(target=_write_many, args=(str(workspace.root), 15, str(tmp_path / str(i))))
        for i in range(3)
    ]
    for process in each:
        process.start()
    for process in each:
        process.join()
    numbers = [n for i in range(3) for n in (tmp_path / str(i)).read_text().split()]
    assert sorted(numbers) == [f"{n:04d}" for n in range(1, 46)]
    assert len(names(workspace.runs("trips"))) == 45


KILLED = """\
import os, signal, sys
from pathlib import Path
from trackrecord.modeling.folders import claimed_folder
from trackrecord.workspace import Workspace
with claimed_folder(Workspace(root=Path(sys.argv[1])), "trips") as folder:
    (folder.part / "predictions.parquet").write_bytes(b"half")
    if sys.argv[2] == "named":
        folder.publish()
    if sys.argv[2] == "waits":
        print("ready", flush=True)
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill(workspace: Workspace, when: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(workspace.root), when], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_run_left_is_named_and_the_next_run_removes_it(workspace: Workspace) -> None:
    kill(workspace, "writing")
    (left,) = find_leftovers(workspace, "trips")
    assert left.path == "runs/trips/0001.part"
    assert "was ended while it was being written" in left.what
    assert write(workspace) == "0001"
    assert names(workspace.runs("trips")) == ["0001"]


def test_a_run_killed_just_before_it_was_recorded_is_named_and_left_alone(
    workspace: Workspace,
) -> None:
    kill(workspace, "named")
    (left,) = find_leftovers(workspace, "trips")
    assert left.path == "runs/trips/0001"
    assert "the ledger does not know it" in left.what
    assert write(workspace) == "0002"
    assert (workspace.runs("trips") / "0001" / "predictions.parquet").exists()


def test_a_run_that_still_lives_is_no_leftover(workspace: Workspace) -> None:
    living = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(workspace.root), "waits"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert living.stdout is not None
    assert living.stdout.readline() == "ready\n"
    assert find_leftovers(workspace, "trips") == []
    assert write(workspace) == "0002"
    assert names(workspace.runs("trips")) == ["0001.part", "0002"]
    living.communicate()
    tell_ledger(workspace, "0002")
    assert [left.path for left in find_leftovers(workspace, "trips")] == ["runs/trips/0001.part"]


def test_recorded_runs_are_no_leftovers(workspace: Workspace) -> None:
    tell_ledger(workspace, write(workspace))
    assert recorded_runs(workspace, "trips") == {"0001"}
    assert find_leftovers(workspace, "trips") == []


def test_a_file_where_the_runs_should_be_is_an_error_that_keeps_it(workspace: Workspace) -> None:
    (workspace.root / "runs").write_text("mine")
    with pytest.raises(OSError, match="runs"):
        write(workspace)
    assert (workspace.root / "runs").read_text() == "mine"
