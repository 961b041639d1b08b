"""Recording: evidence first, then its line, one writer at a time, nothing built on a torn end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.ledger.chains import DIGEST, add, line_after, raw, write_chain

from trackrecord.errors import LedgerError
from trackrecord.ledger import Subject, check_chain, read_chain, read_evidence, record
from trackrecord.ledger.append import make_line
from trackrecord.ledger.branches import read_row
from trackrecord.ledger.lock import locked


class Seen(msgspec.Struct, frozen=True):
    look: int
    at: datetime


def test_a_struct_is_recorded_as_the_object_that_it_is(evidence: Path) -> None:
    moment = datetime(2025, 3, 1, 12, tzinfo=UTC)
    entry = record(evidence, kind="look", predicate=Seen(1, moment), subjects=[], case="flights")
    predicate = read_evidence(evidence, str(entry.evidence)).predicate
    assert predicate == {"look": 1, "at": "2025-03-01T12:00:00Z"}
    assert msgspec.convert(predicate, Seen) == Seen(1, moment)


def test_the_same_evidence_twice_is_one_file_and_two_entries(evidence: Path) -> None:
    for _ in range(2):
        record(evidence, kind="look", predicate={"look": 1}, subjects=[], case="flights")
    first, second = read_chain(evidence)
    assert first.evidence == second.evidence
    assert len(list(evidence.glob("*.json"))) == 1


@pytest.mark.parametrize(
    "predicate", [{"auc": float("nan")}, {"n": np.int64(3)}, {"n": 2**60}, [1], None, "text", 3]
)
def test_what_cannot_be_evidence_leaves_nothing_behind(evidence: Path, predicate: object) -> None:
    with pytest.raises(LedgerError):
        record(evidence, kind="run", predicate=predicate, subjects=[], case="flights")
    assert not evidence.exists()


def test_an_error_in_a_predicate_names_the_value(evidence: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        record(
            evidence,
            kind="run",
            predicate={"models": [{"auc": float("nan")}]},
            subjects=[],
            case="flights",
        )
    assert caught.value.where == "/predicate/models/0/auc"


def test_a_merge_is_not_something_to_record(evidence: Path) -> None:
    with pytest.raises(LedgerError, match="merge"):
        record(evidence, kind="merge", predicate={}, subjects=[], case=None)


def test_the_lock_is_where_the_workspace_has_it(evidence: Path) -> None:
    add(evidence)
    assert os.listdir(evidence.parent / ".trackrecord") == ["lock"]


@pytest.mark.parametrize("lost", [1, 2, 100])
def test_nothing_is_built_on_a_torn_end(evidence: Path, lost: int) -> None:
    add(evidence, 2)
    chain = evidence / "chain.jsonl"
    chain.write_bytes(chain.read_bytes()[:-lost])
    before = {path: path.read_bytes() for path in evidence.iterdir()}
    with pytest.raises(LedgerError, match="last line is torn; nothing was recorded") as caught:
        add(evidence)
    assert caught.value.where == f"{chain}:2"
    assert caught.value.next == "trackrecord doctor"
    assert {path: path.read_bytes() for path in evidence.iterdir()} == before


@pytest.mark.parametrize(
    ("end", "what"),
    [(b"\n", "not an entry"), (b"{}\n", "not an entry"), (b">>>>>>> theirs\n", "not an entry")],
)
def test_nothing_is_built_on_a_last_line_that_is_no_entry(
    evidence: Path, end: bytes, what: str
) -> None:
    add(evidence)
    with (evidence / "chain.jsonl").open("ab") as chain:
        chain.write(end)
    with pytest.raises(LedgerError, match=what) as caught:
        add(evidence)
    assert str(caught.value.where).endswith("chain.jsonl:2")


def test_nothing_is_built_on_a_last_line_that_was_changed(evidence: Path) -> None:
    add(evidence, 2)
    chain = evidence / "chain.jsonl"
    data = chain.read_bytes()
    chain.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    with pytest.raises(LedgerError, match="last line was changed"):
        add(evidence)


def test_the_end_is_found_below_a_line_of_many_kilobytes(evidence: Path) -> None:
    root = line_after(seq=0)
    heads = [line_after(root, seq=1, evidence=f"{i:064x}") for i in range(200)]
    merge = line_after(*heads, seq=201)
    assert len(merge.raw) > 12_000
    write_chain(evidence, raw(root, *heads, merge))
    (entry,) = add(evidence)
    assert (entry.prev, entry.seq) == (merge.digest, 202)


def test_time_never_runs_backwards_along_the_chain() -> None:
    _, first = make_line(kind="look", case=None, evidence=DIGEST, follows=[], seq=0)
    row = read_row(first[:-1], 1)
    assert row is not None
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    early = msgspec.structs.replace(row, time=ahead)
    entry, _ = make_line(kind="look", case=None, evidence=DIGEST, follows=[early], seq=1)
    assert entry.time == ahead


def test_a_lock_that_is_held_for_too_long_is_named(
    evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    import trackrecord.ledger.lock as module

    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    path = evidence.parent / "lock"
    with FileLock(path), pytest.raises(LedgerError, match="another process") as caught:
        record(evidence, kind="look", predicate={}, subjects=[], case=None, lock_path=path)
    assert caught.value.where == str(path)
    assert not evidence.exists()


def test_a_lock_whose_file_was_deleted_is_taken_on_the_new_file(evidence: Path) -> None:
    """Else two processes could each hold the lock of a file of the same name."""
    path = evidence.parent / "lock"
    with locked(evidence, path):
        path.unlink()
        with locked(evidence, path):
            assert path.exists()
    assert len(add(evidence, 2)) == 2


def test_a_lock_that_is_a_link_is_refused(evidence: Path, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="cannot write lock"), locked(evidence, path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_threads_of_one_process_wait_for_each_other(evidence: Path) -> None:
    def work(case: str) -> None:
        for number in range(15):
            record(evidence, kind="look", predicate={"n": number}, subjects=[], case=case)

    threads = [threading.Thread(target=work, args=(f"case-{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_chain(evidence)) == 60


APPENDER = """
import sys
from pathlib import Path
from trackrecord.ledger import Subject, record

evidence, case, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    predicate = {"case": case, "number": number}
    record(evidence, kind="look", predicate=predicate, subjects=[], case=case)
"""


def append_at_once(evidence: Path, processes: int, count: int) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(evidence), f"case-{number}", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=120)
        assert process.returncode == 0
    report = check_chain(evidence)
    assert (report.entries, report.problems) == (processes * count, [])
    told: dict[str, list[int]] = {f"case-{number}": [] for number in range(processes)}
    for entry in read_chain(evidence):
        predicate = read_evidence(evidence, str(entry.evidence)).predicate
        told[predicate["case"]].append(predicate["number"])
    assert all(numbers == list(range(count)) for numbers in told.values())


def test_four_processes_that_append_at_once_make_one_chain(evidence: Path) -> None:
    append_at_once(evidence, processes=4, count=40)


@pytest.mark.slow
def test_two_processes_append_a_thousand_entries_each_and_none_is_lost(evidence: Path) -> None:
    append_at_once(evidence, processes=2, count=1000)


READER = """
import sys
from pathlib import Path
from trackrecord.ledger import read_chain
from trackrecord.ledger.index import entries_of

evidence, wanted = Path(sys.argv[1]), int(sys.argv[2])
most = 0
while most < wanted:
    entries = read_chain(evidence)
    assert len(entries) >= most
    most = len(entries)
    assert len(entries_of(evidence, Path(sys.argv[3]))) >= most
"""


def test_readers_never_see_half_an_entry(evidence: Path) -> None:
    command = [sys.executable, "-c", READER, str(evidence), "150", str(evidence.parent / "index")]
    readers = [subprocess.Popen(command) for _ in range(2)]
    add(evidence, 150)
    for reader in readers:
        assert reader.wait(60) == 0


def test_a_record_can_be_kept_of_what_has_subjects_with_several_digests(evidence: Path) -> None:
    subject = Subject("data/flights.csv", {"sha256": DIGEST, "trackrecordTable1": DIGEST})
    entry = record(evidence, kind="seal", predicate={}, subjects=[subject], case="flights")
    assert read_evidence(evidence, str(entry.evidence)).subject == [subject]
