from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import msgspec
import pytest

from trackrecord.modeling.environment import (
    Threads,
    cpu_model,
    git_state,
    package_versions,
    peak_memory_mb,
    take_environment,
    thread_counts,
)

THREADS = Threads(blas=1, openmp=2, polars=2)


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_the_environment_can_be_written_into_evidence(tmp_path: Path) -> None:
    taken = take_environment(tmp_path, THREADS, ["sklearn.ensemble.RandomForestClassifier"])
    assert msgspec.convert(msgspec.to_builtins(taken), type(taken)) == taken
    assert taken.cores >= 1
    assert taken.cpu
    assert {"numpy", "polars", "scikit-learn"} <= taken.packages.keys()


def test_it_tells_nothing_of_the_person(tmp_path: Path) -> None:
    import getpass
    import platform

    text = msgspec.json.encode(take_environment(tmp_path, THREADS, [])).decode()
    assert str(tmp_path) not in text
    assert f'"{platform.node()}"' not in text
    assert f'"{getpass.getuser()}"' not in text


def test_lock_files_are_named_with_their_digests(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("numpy")
    (tmp_path / "requirements.lock").write_text("scipy")
    locks = take_environment(tmp_path, THREADS, []).locks
    assert [lock.path for lock in locks] == ["requirements.lock", "uv.lock"]
    assert locks[1].sha256 == hashlib.sha256(b"numpy").hexdigest()


def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    assert git_state(tmp_path).absent == "not a git repository"


def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    state = git_state(tmp_path)
    assert (state.commit, state.dirty, state.absent) == (None, None, "git is not installed")


def test_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert git_state(tmp_path).absent == "the repository has no commit yet"


def test_the_commit_is_named_and_only_the_work_makes_it_dirty(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "case.toml").write_text("spec = 1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a case")
    state = git_state(tmp_path)
    assert (state.commit, state.dirty) == (git(tmp_path, "rev-parse", "HEAD"), False)
    for folder in ("evidence", "runs", "published"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "new").write_text("of the record itself")
    assert git_state(tmp_path).dirty is False
    (tmp_path / "case.toml").write_text("spec = 2")
    assert git_state(tmp_path).dirty is True


def test_a_change_beside_a_workspace_within_a_repository_counts(tmp_path: Path) -> None:
    git(tmp_path, "init")
    work = tmp_path / "work"
    (work / "evidence").mkdir(parents=True)
    (work / "case.toml").write_text("spec = 1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a case")
    (work / "evidence" / "new").write_text("of the record itself")
    assert git_state(work).dirty is False
    (tmp_path / "library.py").write_text("x = 1")
    assert git_state(work).dirty is True


@pytest.mark.parametrize("ignored", ["demo/\n", "", "*\n!/.gitignore\n"])
def test_a_workspace_that_git_ignores_or_was_never_told_of_has_no_commit(
    tmp_path: Path, ignored: str
) -> None:
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text(ignored)
    work = tmp_path / "demo" / "flights"
    (work / "evidence").mkdir(parents=True)
    (work / "case.toml").write_text("spec = 1")
    (work / "evidence" / "kept").write_text("of the record itself")
    git(tmp_path, "add", "-f", ".gitignore", "demo/flights/evidence/kept")
    git(tmp_path, "commit", "-m", "a program")
    state = git_state(work)
    assert (state.commit, state.dirty, state.absent) == (None, None, "not under version control")
    git(tmp_path, "add", "-f", "demo/flights/case.toml")
    git(tmp_path, "commit", "-m", "and a case")
    assert git_state(work).commit == git(tmp_path, "rev-parse", "HEAD")


def test_an_estimators_package_is_noted_and_an_absent_one_is_not() -> None:
    assert "lightgbm" not in package_versions(["sklearn.svm.SVC"])
    assert "scikit-learn" in package_versions(["sklearn.svm.SVC", "base_rate", "python a.py:b"])


def test_threads_and_memory_are_what_the_system_says() -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        assert thread_counts().blas == 1
    memory = peak_memory_mb()
    assert memory is not None
    assert 20 < memory < 100_000
    assert (peak_memory_mb(children=True) or 0) >= memory
    assert cpu_model() != ""
