"""A full disk, and a folder that cannot be written: nothing half-written, an error that helps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.chains import add

from trackrecord.errors import LedgerError
from trackrecord.ledger import check_chain, read_chain, read_evidence, record, write_atomic
from trackrecord.ledger.doctor import examine, merge_heads, repair_torn_tail
from trackrecord.ledger.index import entries_of


def mounted(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 160 kB."""
    folder = tmp_path / "disk"
    mounted(folder, "size=160k")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk up to its last ``leave`` pages of 4 kB."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
        file.truncate(file.tell() - leave * 4096)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pages", range(4))
def test_a_full_disk_changes_nothing_and_says_so(small_disk: Path, pages: int) -> None:
    evidence = small_disk / "evidence"
    add(evidence, 3)
    ballast = fill(small_disk, pages)
    told: list[LedgerError] = []
    for _ in range(40):
        before = contents(evidence)
        try:
            add(evidence)
        except LedgerError as error:
            told.append(error)
            after = contents(evidence)
            # The step may have stored its evidence before the chain found no room: harmless.
            assert {name: after[name] for name in before} == before
            assert [f for f in examine(evidence) if not f.harmless] == []
            assert not [name for name in os.listdir(evidence) if name.endswith(".new")]
    assert told
    for error in told:
        assert "nothing was changed" in error.what
        assert error.why == "No space left on device"
        assert error.next == "free some space, then run the same command again"
    ballast.unlink()
    recorded = len(read_chain(evidence))
    (entry,) = add(evidence)
    assert entry.seq == recorded
    assert check_chain(evidence).problems == []


def test_a_line_for_which_only_half_the_room_is_left_is_taken_back(small_disk: Path) -> None:
    """The chain's file ends within a page, and its next line would need another."""
    evidence = small_disk / "evidence"
    ballast: Path | None = None
    number = 0
    while ballast is None:
        (entry,) = add(evidence)
        number += 1
        room = -(evidence / "chain.jsonl").stat().st_size % 4096
        if 0 < room < 300:
            ballast = fill(small_disk, 0)
    before = contents(evidence)
    # The evidence is there already, so that only the chain needs room.
    statement = read_evidence(evidence, str(entry.evidence))
    with pytest.raises(LedgerError, match="nothing was changed") as caught:
        record(
            evidence,
            kind="look",
            predicate=statement.predicate,
            subjects=statement.subject,
            case="flights",
        )
    assert str(caught.value.where).endswith("chain.jsonl")
    assert contents(evidence) == before
    assert len(read_chain(evidence)) == number


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A workspace with two entries that nobody, not even root, can write to."""
    root = tmp_path / "workspace"
    if os.geteuid() != 0:
        add(root / "evidence", 2)
        folders = [root, root / "evidence", root / ".trackrecord"]
        files = [path for path in root.rglob("*") if path.is_file()]
        for path in [*files, *folders]:
            path.chmod(0o555 if path in folders else 0o444)
        yield root
        for path in folders:
            path.chmod(0o755)
        return
    mounted(root, "size=1m")
    try:
        add(root / "evidence", 2)
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        yield root
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


def test_a_read_only_workspace_can_be_read_and_checked(read_only: Path) -> None:
    evidence = read_only / "evidence"
    assert len(read_chain(evidence)) == 2
    assert check_chain(evidence).problems == []
    assert len(entries_of(evidence, read_only / ".trackrecord" / "index.sqlite")) == 2
    assert examine(evidence) == []
    assert not (read_only / ".trackrecord" / "index.sqlite").exists()


def test_a_read_only_workspace_refuses_a_record_and_says_why(read_only: Path) -> None:
    before = contents(read_only)
    with pytest.raises(LedgerError, match="nothing was changed") as caught:
        add(read_only / "evidence")
    assert caught.value.why in ("Read-only file system", "Permission denied")
    assert caught.value.next == "make the folder writable, or work in a copy of it"
    assert contents(read_only) == before


def test_a_lock_elsewhere_does_not_make_a_read_only_folder_writable(
    read_only: Path, tmp_path: Path
) -> None:
    evidence, lock = read_only / "evidence", tmp_path / "lock"
    with pytest.raises(LedgerError, match="nothing was changed"):
        record(evidence, kind="look", predicate={}, subjects=[], case=None, lock_path=lock)
    for act in (merge_heads, repair_torn_tail):
        with pytest.raises(LedgerError, match="cannot write"):
            act(evidence, lock_path=lock)
    with pytest.raises(LedgerError, match="cannot write"):
        write_atomic(read_only / "case.toml", b"x")
