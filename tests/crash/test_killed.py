"""A process killed with SIGKILL, at every boundary of what it writes and at any other moment.

SIGKILL shows what a dead process leaves behind. It cannot show a power cut, which also loses what
the system had not written yet; that the order of fsync and rename is right is tested by itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ledger.chains import add

from trackrecord.errors import LedgerError
from trackrecord.ledger import check_chain, read_chain, read_evidence
from trackrecord.ledger.doctor import examine, repair_torn_tail
from trackrecord.ledger.store import TEMPORARY

RECORDER = Path(__file__).parent / "recorder.py"
APPENDS = 3

# What one append does to the disk, in order; the first makes the chain's file before.
EACH = ["write", "fsync", "replace", "fsync", "write", "fsync"]


def recover(evidence: Path, acknowledged: list[str]) -> tuple[int, bool]:
    """What a person would do now. How many entries were lost, and whether a repair was needed.

    At most the step in flight may be there without having been acknowledged.
    """
    torn = [finding for finding in examine(evidence) if not finding.harmless]
    if torn:
        with pytest.raises(LedgerError) as caught:
            add(evidence)
        assert caught.value.next == "trackrecord doctor"
        (finding,) = torn
        assert finding.code in ("torn-tail", "missing-newline")
        assert finding.next == "trackrecord doctor --repair"
        assert repair_torn_tail(evidence) is not None
    (entry,) = add(evidence, case="next")
    assert [finding for finding in examine(evidence) if not finding.harmless] == []
    assert check_chain(evidence).problems == []
    entries = read_chain(evidence)
    assert entries[-1] == entry
    for each in entries:
        read_evidence(evidence, str(each.evidence))
    there = [each.digest for each in entries[:-1]]
    assert there[: len(acknowledged)] == acknowledged
    assert len(there) <= len(acknowledged) + 1
    return len(set(acknowledged) - set(there)), bool(torn)


def test_every_boundary_of_several_appends_is_survived(tmp_path: Path) -> None:
    command = [sys.executable, str(RECORDER), str(tmp_path), str(APPENDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    alive, *killed = [json.loads(line) for line in done.stdout.splitlines()]
    boundaries = alive["boundaries"]
    assert alive["signal"] == 0
    lasting = [name for name in boundaries if name not in ("open", "mkdir")]
    assert lasting == ["fsync", *EACH * APPENDS]

    lost = repairs = 0
    for child in killed:
        assert child["signal"] == signal.SIGKILL
        assert len(child["acknowledged"]) < APPENDS
        gone, repaired = recover(Path(child["folder"]), child["acknowledged"])
        lost += gone
        repairs += repaired
    print(f"{len(killed)} kill points tried, {lost} entries lost, {repairs} torn ends repaired")
    assert len(killed) == len(boundaries) + EACH.count("write") * APPENDS
    assert len(killed) > 30
    assert lost == 0
    assert repairs == APPENDS  # half of a line, once in each append


def test_a_process_killed_at_any_moment_loses_no_acknowledged_entry(tmp_path: Path) -> None:
    draw = random.Random(5)
    for trial in range(4):
        evidence = tmp_path / str(trial) / "evidence"
        command = [sys.executable, str(RECORDER), str(evidence), "100000", "-1"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip()]
        time.sleep(draw.uniform(0, 0.15))
        process.kill()
        # A last line that the kill cut short was not acknowledged.
        rest, _ = process.communicate()
        acknowledged += [line for line in rest.split("\n")[:-1] if line]
        assert acknowledged[0]
        lost, _ = recover(evidence, acknowledged)
        assert lost == 0


def test_two_writers_go_on_when_a_third_is_killed_with_the_lock_in_its_hand(
    tmp_path: Path,
) -> None:
    evidence = tmp_path / "evidence"
    add(evidence)
    command = [sys.executable, str(RECORDER), str(evidence), "1", "3"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [name for name in os.listdir(evidence) if TEMPORARY.match(name)]
    others = [
        subprocess.Popen(
            [sys.executable, str(RECORDER), str(evidence), "10", "-1"],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(read_chain(evidence)) == 21
    assert [name for name in os.listdir(evidence) if TEMPORARY.match(name)]
    assert [f.code for f in examine(evidence)] == ["leftover-file"]


def test_evidence_is_on_the_disk_before_the_chain_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that a power cut needs: file, its name, then the line that names it."""
    evidence = tmp_path / "evidence"
    add(evidence)
    steps: list[str] = []

    def what(descriptor: int) -> str:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if name == str(evidence):
            return "folder"
        return "chain" if name.endswith("chain.jsonl") else "temporary"

    fsync, write, replace = os.fsync, os.write, os.replace

    def traced_fsync(descriptor: int) -> None:
        steps.append(f"fsync {what(descriptor)}")
        fsync(descriptor)

    def traced_write(descriptor: int, data: bytes) -> int:
        steps.append(f"write {what(descriptor)}")
        return write(descriptor, data)

    def traced_replace(old: Path, new: Path) -> None:
        steps.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", traced_fsync)
    monkeypatch.setattr(os, "write", traced_write)
    monkeypatch.setattr(os, "replace", traced_replace)
    add(evidence)
    assert steps == [
        "write temporary",
        "fsync temporary",
        "rename",
        "fsync folder",
        "write chain",
        "fsync chain",
    ]
