"""The index: whatever happens to the cache, the answer is the chain's."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.chains import add, line_after, raw, straight_chain, write_chain

from trackrecord.errors import LedgerError
from trackrecord.ledger import lines, read_chain
from trackrecord.ledger.doctor import merge_heads
from trackrecord.ledger.index import entries_of

ROWS = straight_chain(40)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / ".trackrecord" / "index.sqlite"


def settle(evidence: Path) -> None:
    """Make the chain's file as old as it is when nobody is writing to it."""
    os.utime(evidence / "chain.jsonl", (1.7e9, 1.7e9))


def answer(evidence: Path, index: Path) -> list[tuple[object, ...]]:
    return [(e.seq, e.time, e.kind, e.case, e.evidence) for e in entries_of(evidence, index)]


def truth(evidence: Path) -> list[tuple[object, ...]]:
    return [(e.seq, e.time, e.kind, e.case, e.evidence) for e in read_chain(evidence)]


def test_the_index_says_what_the_chain_says(evidence: Path, index: Path) -> None:
    add(evidence, 3)
    for _ in range(3):
        assert answer(evidence, index) == truth(evidence)
    assert index.exists()


def test_without_a_chain_there_is_nothing_and_no_cache_is_made(evidence: Path, index: Path) -> None:
    assert entries_of(evidence, index) == []
    assert not index.exists()


def test_a_chain_that_was_deleted_is_not_an_empty_chain(evidence: Path, index: Path) -> None:
    add(evidence)
    entries_of(evidence, index)
    (evidence / "chain.jsonl").unlink()
    with pytest.raises(LedgerError, match="the chain is gone"):
        entries_of(evidence, index)


def test_only_new_lines_are_read(
    evidence: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_chain(evidence, raw(*ROWS[:30]))
    settle(evidence)
    entries_of(evidence, index)
    hashed = []
    real = lines.hashlib.sha256

    def counted(data: bytes = b"") -> object:
        hashed.append(data)
        return real(data)

    monkeypatch.setattr(lines.hashlib, "sha256", counted)
    assert len(entries_of(evidence, index)) == 30
    assert hashed == []
    write_chain(evidence, raw(*ROWS[:33]))
    assert len(entries_of(evidence, index)) == 33
    assert len(hashed) == 3


def test_a_chain_that_became_shorter_is_read_anew(evidence: Path, index: Path) -> None:
    write_chain(evidence, raw(*ROWS))
    entries_of(evidence, index)
    write_chain(evidence, raw(*ROWS[:10]))
    assert answer(evidence, index) == truth(evidence)


def test_another_chain_of_the_same_length_is_read_anew(evidence: Path, index: Path) -> None:
    other = [line_after(seq=0, evidence="99" * 32)]
    write_chain(evidence, raw(ROWS[0]))
    settle(evidence)
    before = answer(evidence, index)
    write_chain(evidence, raw(*other))
    assert answer(evidence, index) == truth(evidence) != before


def test_another_chain_that_is_longer_is_read_anew(evidence: Path, index: Path) -> None:
    write_chain(evidence, raw(*ROWS[:2]))
    settle(evidence)
    entries_of(evidence, index)
    other = [line_after(seq=0, evidence="99" * 32)]
    for seq in range(1, 6):
        other.append(line_after(other[-1], seq=seq))
    write_chain(evidence, raw(*other))
    assert answer(evidence, index) == truth(evidence)


def test_another_chain_with_the_same_length_and_file_time_is_read_anew(
    evidence: Path, index: Path
) -> None:
    write_chain(evidence, raw(ROWS[0]))
    settle(evidence)
    entries_of(evidence, index)
    write_chain(evidence, raw(line_after(seq=0, evidence="99" * 32)))
    settle(evidence)
    assert answer(evidence, index) == truth(evidence)


def tampered(*, line: int) -> bytes:
    """The chain with one digit of a line's evidence changed."""
    rows = [row.raw for row in ROWS]
    rows[line] = rows[line].replace(b'"evidence":"0', b'"evidence":"1')
    return b"".join(rows)


def test_a_byte_changed_in_a_line_that_is_in_the_cache_is_not_missed(
    evidence: Path, index: Path
) -> None:
    write_chain(evidence, raw(*ROWS))
    settle(evidence)
    entries_of(evidence, index)
    write_chain(evidence, tampered(line=7))
    with pytest.raises(LedgerError, match="changed"):
        entries_of(evidence, index)


def test_a_change_right_after_the_first_look_is_not_missed(evidence: Path, index: Path) -> None:
    """The file's time may not have moved on between two writes."""
    write_chain(evidence, raw(*ROWS))
    moment = (evidence / "chain.jsonl").stat().st_mtime_ns + 10**9  # still to come: not settled
    os.utime(evidence / "chain.jsonl", ns=(moment, moment))
    entries_of(evidence, index)
    write_chain(evidence, tampered(line=7))
    os.utime(evidence / "chain.jsonl", ns=(moment, moment))
    with pytest.raises(LedgerError, match="changed"):
        entries_of(evidence, index)


def test_a_cache_from_another_workspace_does_no_harm(
    evidence: Path, index: Path, tmp_path: Path
) -> None:
    other = write_chain(tmp_path / "other", raw(*ROWS))
    settle(other)
    entries_of(other, index)
    add(evidence, 2)
    settle(evidence)
    assert answer(evidence, index) == truth(evidence)


def test_a_cache_written_by_another_version_is_made_anew(evidence: Path, index: Path) -> None:
    add(evidence, 2)
    entries_of(evidence, index)
    with sqlite3.connect(index) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE entries")
    assert answer(evidence, index) == truth(evidence)
    assert sqlite3.connect(index).execute("PRAGMA user_version").fetchone() == (1,)


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 100, b"not a database" * 1000])
def test_rubbish_in_place_of_the_cache_is_replaced(
    evidence: Path, index: Path, rubbish: bytes
) -> None:
    add(evidence, 2)
    index.parent.mkdir(exist_ok=True)
    index.write_bytes(rubbish)
    assert answer(evidence, index) == truth(evidence)
    assert index.read_bytes()[:15] == b"SQLite format 3"


def test_a_folder_in_place_of_the_cache_is_done_without(evidence: Path, index: Path) -> None:
    add(evidence, 2)
    index.mkdir(parents=True)
    assert answer(evidence, index) == truth(evidence)


@given(data=st.data())
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_to_the_cache_never_shows_in_the_answer(
    evidence: Path, index: Path, data: st.DataObject
) -> None:
    write_chain(evidence, raw(*ROWS))
    settle(evidence)
    index.unlink(missing_ok=True)
    entries_of(evidence, index)
    cache = bytearray(index.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        cache[data.draw(st.integers(0, len(cache) - 1))] = data.draw(st.integers(0, 255))
    index.write_bytes(cache[: data.draw(st.integers(0, len(cache)))])
    assert answer(evidence, index) == truth(evidence)
    assert answer(evidence, index) == truth(evidence)


def test_rows_that_somebody_edited_in_the_cache_are_not_believed(
    evidence: Path, index: Path
) -> None:
    write_chain(evidence, raw(*ROWS))
    settle(evidence)
    entries_of(evidence, index)
    with sqlite3.connect(index) as connection:
        connection.execute("DELETE FROM entries WHERE seq = 39")
    assert answer(evidence, index) == truth(evidence)


@pytest.mark.parametrize("spoilt", [b"torn", b"{}\n", ROWS[39].raw, ROWS[5].raw])
def test_what_is_wrong_in_new_lines_is_an_error_that_names_the_doctor(
    evidence: Path, index: Path, spoilt: bytes
) -> None:
    write_chain(evidence, raw(*ROWS[:20]))
    entries_of(evidence, index)
    write_chain(evidence, raw(*ROWS[:20]) + spoilt)
    with pytest.raises(LedgerError) as caught:
        entries_of(evidence, index)
    assert caught.value.where == f"{evidence / 'chain.jsonl'}:21"
    assert caught.value.next == "trackrecord doctor"


def test_a_merged_chain_is_indexed_and_goes_on(evidence: Path, index: Path) -> None:
    root = ROWS[:3]
    ours = line_after(root[-1], seq=3, evidence="01" * 32)
    theirs = line_after(root[-1], seq=3, evidence="02" * 32)
    write_chain(evidence, raw(*root, ours))
    entries_of(evidence, index)
    write_chain(evidence, raw(*root, ours, theirs))
    with pytest.raises(LedgerError, match="forks"):
        entries_of(evidence, index)
    merge_heads(evidence)
    assert answer(evidence, index) == truth(evidence)
    settle(evidence)
    entries_of(evidence, index)
    add(evidence, 2)
    assert answer(evidence, index) == truth(evidence)
    assert [entry.seq for entry in entries_of(evidence, index)] == list(range(8))


def test_a_workspace_that_cannot_be_written_is_read_without_the_cache(
    evidence: Path, tmp_path: Path
) -> None:
    add(evidence, 2)
    (tmp_path / "file").write_text("no folder")
    index = tmp_path / "file" / "index.sqlite"
    assert answer(evidence, index) == truth(evidence)


READER = """
import sys
from pathlib import Path
from trackrecord.ledger.index import entries_of

evidence, index, wanted = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
most = 0
while most < wanted:
    entries = entries_of(evidence, index)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    assert len(entries) >= most, (len(entries), most)
    most = len(entries)
    if most % 7 == 0:
        index.unlink(missing_ok=True)
"""


def test_many_processes_may_use_and_delete_the_cache_at_once(evidence: Path, index: Path) -> None:
    command = [sys.executable, "-c", READER, str(evidence), str(index), "60"]
    readers = [subprocess.Popen(command) for _ in range(3)]
    add(evidence, 60)
    for reader in readers:
        assert reader.wait(60) == 0
    assert answer(evidence, index) == truth(evidence)
