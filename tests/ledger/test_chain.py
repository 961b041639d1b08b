"""The chain: what one change anywhere looks like to somebody who checks it."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.chains import add, line_after, raw, straight_chain, write_chain

from trackrecord.errors import LedgerError
from trackrecord.ledger import ChainReport, Entry, canonical, case_digest, check_chain, read_chain
from trackrecord.ledger.lines import straight

ROWS = straight_chain(30)
LINES = [row.raw for row in ROWS]


def report_of(data: bytes) -> ChainReport:
    with TemporaryDirectory() as folder:
        evidence = write_chain(Path(folder), data)
        # Nobody waits for the rest of a line whose writer is long gone.
        os.utime(evidence / "chain.jsonl", (1e9, 1e9))
        return check_chain(evidence)


def test_entries_come_back_as_they_were_recorded(evidence: Path) -> None:
    entries = add(evidence, 3) + add(evidence, 1, case="churn", kind="run")
    assert read_chain(evidence) == entries
    assert [entry.seq for entry in entries] == [0, 1, 2, 3]
    assert entries[0].prev == "0" * 64
    assert all(b.prev == a.digest for a, b in pairwise(entries))
    assert entries[3].case == case_digest("churn")


def test_a_line_is_the_canonical_json_of_its_entry(evidence: Path) -> None:
    (entry,) = add(evidence)
    line = (evidence / "chain.jsonl").read_bytes()
    document = json.loads(line)
    assert canonical(document) + b"\n" == line
    digest = document.pop("digest")
    assert digest == entry.digest == sha256(canonical(document)).hexdigest()
    assert {**document, "also": []} == {
        "also": [],
        "case": entry.case,
        "evidence": entry.evidence,
        "kind": "look",
        "prev": entry.prev,
        "seq": 0,
        "time": entry.time,
    }


def test_a_workspace_without_a_chain_has_no_entries(evidence: Path) -> None:
    assert read_chain(evidence) == []
    evidence.mkdir()
    assert read_chain(evidence) == []


def test_an_empty_chain_has_no_entries_and_no_problem(evidence: Path) -> None:
    write_chain(evidence, b"")
    assert read_chain(evidence) == []
    assert check_chain(evidence) == ChainReport(0, [])


def test_a_chain_that_was_deleted_is_not_an_empty_chain(evidence: Path) -> None:
    add(evidence)
    (evidence / "chain.jsonl").unlink()
    with pytest.raises(LedgerError, match="the chain is gone"):
        read_chain(evidence)
    with pytest.raises(LedgerError, match="the chain is gone"):
        add(evidence)
    assert check_chain(evidence).problems[0].code == "missing-chain"


def test_a_whole_chain_has_no_problem(evidence: Path) -> None:
    report = check_chain(write_chain(evidence, raw(*ROWS)))
    assert report == ChainReport(30, [], ROWS[-1].digest)


def test_a_chain_of_many_blocks_is_read_as_one_of_few(evidence: Path) -> None:
    rows = straight_chain(700)
    write_chain(evidence, raw(*rows))
    with (evidence / "chain.jsonl").open("rb") as file:
        assert len(list(straight(file))) > 1  # the quick way goes all the way
    assert check_chain(evidence) == ChainReport(700, [], rows[-1].digest)
    entries = read_chain(evidence)
    assert [entry.digest for entry in entries] == [row.digest for row in rows]
    assert [entry.seq for entry in entries] == list(range(700))


@given(line=st.integers(0, 29), position=st.integers(0, 400), byte=st.integers(0, 255))
@settings(max_examples=400, deadline=None)
def test_one_changed_byte_is_a_problem_at_its_line(line: int, position: int, byte: int) -> None:
    changed = bytearray(LINES[line])
    position %= len(changed)
    if changed[position] == byte:
        byte ^= 1
    changed[position] = byte
    problems = report_of(b"".join([*LINES[:line], changed, *LINES[line + 1 :]])).problems
    assert problems[0].line == line + 1
    if byte != 10 and position != len(changed) - 1:
        # Only lines that were split or joined can make trouble below.
        assert len(problems) == 1


def test_every_single_byte_of_a_line_is_guarded() -> None:
    before, line, after = LINES[0], LINES[1], LINES[2]
    for position in range(len(line)):
        for flip in (1, 128):
            changed = bytearray(line)
            changed[position] ^= flip
            problems = report_of(before + bytes(changed) + after).problems
            assert problems[0].line == 2, (position, flip)
            if position < len(line) - 1:
                assert len(problems) == 1, (position, flip)


@given(kept=st.integers(0, 29))
@settings(deadline=None)
def test_a_chain_cut_between_lines_is_a_shorter_chain(kept: int) -> None:
    report = report_of(b"".join(LINES[:kept]))
    assert (report.entries, report.problems) == (kept, [])
    assert report.head == (ROWS[kept - 1].digest if kept else "0" * 64)


@given(line=st.integers(0, 29), kept=st.integers(1, 300))
@settings(deadline=None)
def test_a_chain_cut_within_a_line_is_torn_at_that_line(line: int, kept: int) -> None:
    (problem,) = report_of(b"".join(LINES[:line]) + LINES[line][:kept]).problems
    assert (problem.line, problem.code) == (line + 1, "torn-tail")


def test_a_last_line_without_its_newline_is_whole_and_named_so() -> None:
    (problem,) = report_of(raw(*ROWS)[:-1]).problems
    assert (problem.line, problem.code) == (30, "missing-newline")


@given(first=st.integers(0, 28), count=st.integers(1, 28))
@settings(deadline=None)
def test_deleted_lines_are_missed_at_the_next_line(first: int, count: int) -> None:
    rest = LINES[first + count :]
    if not rest:
        return
    (problem,) = report_of(b"".join(LINES[:first] + rest)).problems
    assert (problem.line, problem.code) == (first + 1, "missing-entry")
    assert problem.found == ROWS[first + count - 1].digest
    assert problem.expected == (ROWS[first - 1].digest if first else "0" * 64)


@given(copied=st.integers(0, 29), to=st.integers(0, 30))
@settings(deadline=None)
def test_a_copied_line_is_named_with_its_original(copied: int, to: int) -> None:
    lines = [*LINES[:to], LINES[copied], *LINES[to:]]
    problems = report_of(b"".join(lines)).problems
    codes = {problem.code for problem in problems}
    assert "copied-line" in codes
    copy = next(problem for problem in problems if problem.code == "copied-line")
    assert copy.line == (to + 1 if copied < to else copied + 2)


@given(st.permutations(range(8)))
def test_lines_in_another_order_are_named(order: list[int]) -> None:
    problems = report_of(b"".join(LINES[i] for i in order)).problems
    if order == sorted(order):
        assert problems == []
    else:
        assert {problem.code for problem in problems} == {"out-of-order"}


def forged(**changes: object) -> bytes:
    """The last line of the chain with changes, its digest reckoned anew."""
    body = json.loads(LINES[-1])
    del body["digest"]
    body.update(changes)
    return canonical({**body, "digest": sha256(canonical(body)).hexdigest()}) + b"\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2025-13-01T00:00:00Z"},
        {"time": "2025-02-30T00:00:00Z"},
        {"time": "2025-02-03T24:00:00Z"},
        {"time": "2025-02-03T00:00:00+01:00"},
        {"time": "2025-02-03 00:00:00Z"},
        {"seq": "29"},
        {"seq": 29.5},
        {"seq": -1},
        {"kind": "Look"},
        {"kind": "look\n"},
        {"kind": ""},
        {"case": "flights"},
        {"case": "AB" * 32},
        {"case": "zz" * 32},
        {"case": None, "evidence": "../../etc/passwd"},
        {"evidence": "AB" * 32},
        {"evidence": "ab" * 31 + '"\n'},
        {"case": "ab" * 31 + '","'},
        {"also": []},
        {"also": ["x"]},
        {"more": 1},
    ],
)
def test_a_line_with_a_good_digest_that_is_no_entry_is_named(changes: dict[str, object]) -> None:
    problems = report_of(b"".join(LINES[:-1]) + forged(**changes)).problems
    assert problems[0].line == 30
    assert {problem.code for problem in problems} == {"broken-line"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seq": 30}, "wrong-number"),
        ({"seq": 0}, "wrong-number"),
        ({"prev": "0" * 64, "seq": 0}, "forked-chain"),
        ({"prev": ROWS[3].digest, "seq": 4}, "forked-chain"),
        ({"prev": "12" * 32}, "missing-entry"),
        ({"kind": "merge"}, "broken-line"),
        ({"evidence": None}, "broken-line"),
        ({"kind": "look", "also": [ROWS[3].digest]}, "broken-line"),
    ],
)
def test_an_entry_that_does_not_belong_in_its_place_is_named(
    changes: dict[str, object], code: str
) -> None:
    (problem,) = report_of(b"".join(LINES[:-1]) + forged(**changes)).problems
    assert (problem.line, problem.code) == (30, code)


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"\0" * 500,
        b"{}\n",
        b"null\n",
        b"\xff\xfe\n",
        b"[" * 70_000 + b"\n",
        b"\n" * 5000,
        b"x" * 3_000_000,
    ],
)
def test_rubbish_is_reported_and_never_raises(data: bytes) -> None:
    assert report_of(data).problems[0].line == 1


def test_a_chain_with_windows_line_endings_is_told_from_a_broken_one() -> None:
    problems = report_of(raw(*ROWS).replace(b"\n", b"\r\n")).problems
    assert {problem.code for problem in problems} == {"line-ending"}


def test_what_is_shown_of_a_hostile_line_cannot_drive_a_terminal() -> None:
    (problem,) = report_of(b"\x1b[2J\x1b]0;owned\x07\n").problems
    assert problem.found is not None
    assert problem.found.isprintable()


def test_a_first_line_that_follows_something_is_missed() -> None:
    (problem,) = report_of(forged(prev="12" * 32, seq=0)).problems
    assert (problem.line, problem.code) == (1, "missing-entry")
    assert problem.what == "an entry is missing at the beginning of the chain"


def test_a_case_may_be_absent(evidence: Path) -> None:
    first = forged(case=None, prev="0" * 64, seq=0)
    write_chain(evidence, first)
    (entry,) = read_chain(evidence)
    assert entry.case is None


def test_read_chain_names_the_line_and_the_doctor(evidence: Path) -> None:
    write_chain(evidence, b"".join(LINES[:7] + LINES[8:]))
    with pytest.raises(LedgerError, match="an entry is missing") as caught:
        read_chain(evidence)
    assert caught.value.where == f"{evidence / 'chain.jsonl'}:8"
    assert caught.value.next == "trackrecord doctor"


def test_entries_of_two_branches_are_counted_once_each(evidence: Path) -> None:
    root = line_after(seq=0)
    ours = line_after(root, seq=1, evidence="01" * 32)
    theirs = line_after(root, seq=1, evidence="02" * 32)
    first, second = sorted((ours, theirs), key=lambda row: (row.time, row.digest))
    merge = line_after(first, second, seq=3)
    after = line_after(merge, seq=4)
    write_chain(evidence, raw(root, first, second, merge, after))
    assert check_chain(evidence) == ChainReport(5, [], after.digest)
    entries: list[Entry] = read_chain(evidence)
    assert [entry.seq for entry in entries] == [0, 1, 2, 3, 4]
    assert sum(entry.kind == "look" for entry in entries) == 4
    assert entries[3].also == [second.digest]
