"""Forked chains and their merges: every entry stays, and the order is the same for everybody."""

from __future__ import annotations

import json
import os
import random
import time
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.chains import add, line_after, raw, straight_chain, write_chain

from trackrecord.errors import LedgerError
from trackrecord.ledger import canonical, check_chain, read_chain
from trackrecord.ledger.branches import Row, heads_of, in_order, read_branches
from trackrecord.ledger.doctor import examine, merge_heads

ROOT = straight_chain(3)


def branch(name: str, length: int, after: Row = ROOT[-1]) -> list[Row]:
    """Some lines that another clone wrote after ``after``."""
    rows = [after]
    for number in range(length):
        evidence = f"{number:062x}" + name.encode().hex()[:2]
        rows.append(line_after(rows[-1], seq=rows[-1].seq + 1, evidence=evidence))
    return rows[1:]


OURS, THEIRS = branch("a", 3), branch("b", 2)


def looks(evidence: Path) -> int:
    return sum(entry.kind == "look" for entry in read_chain(evidence))


def test_a_fork_is_named_at_the_first_line_of_the_second_branch(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    (problem,) = check_chain(evidence).problems
    assert (problem.line, problem.code, problem.found) == (7, "forked-chain", "2 heads")
    with pytest.raises(LedgerError, match="forks") as caught:
        read_chain(evidence)
    assert caught.value.next == "trackrecord doctor"


def test_a_merge_keeps_both_branches_and_counts_their_looks(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    entry = merge_heads(evidence)
    assert entry is not None
    assert {entry.prev, *entry.also} == {OURS[-1].digest, THEIRS[-1].digest}
    entries = read_chain(evidence)
    assert {row.digest for row in ROOT + OURS + THEIRS} == {e.digest for e in entries[:-1]}
    assert [e.seq for e in entries] == list(range(9))
    assert entries[-1] == entry
    assert looks(evidence) == 8
    assert check_chain(evidence).problems == []


def test_a_merge_is_the_canonical_json_of_its_entry(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS, *branch("c", 1)))
    merge_heads(evidence)
    line = (evidence / "chain.jsonl").read_bytes().splitlines()[-1]
    document = json.loads(line)
    assert canonical(document) == line
    digest = document.pop("digest")
    assert digest == sha256(canonical(document)).hexdigest()
    assert (document["kind"], document["case"], document["evidence"]) == ("merge", None, None)
    assert len(document["also"]) == 2


def test_after_a_merge_the_chain_goes_on_and_numbers_are_places(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    merge_heads(evidence)
    (entry,) = add(evidence)
    assert read_chain(evidence)[9] == entry
    assert entry.seq == 9


def test_a_chain_with_one_head_is_left_alone(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT))
    before = (evidence / "chain.jsonl").stat()
    assert merge_heads(evidence) is None
    assert (evidence / "chain.jsonl").stat() == before
    assert merge_heads(evidence.parent / "nothing") is None


def test_conflict_markers_are_named_and_merged_away_with_the_old_bytes_kept(
    evidence: Path,
) -> None:
    conflict = (
        raw(*ROOT)
        + b"<<<<<<< HEAD\n"
        + raw(*OURS)
        + b"||||||| 1234567\n=======\n"
        + raw(*THEIRS)
        + b">>>>>>> theirs\n"
    )
    write_chain(evidence, conflict)
    codes = [problem.code for problem in check_chain(evidence).problems]
    assert codes.count("conflict-marker") == 4
    assert "forked-chain" in codes
    assert merge_heads(evidence) is not None
    assert looks(evidence) == 8
    assert (evidence / "chain.jsonl.before-merge").read_bytes() == conflict


def test_a_second_chain_beside_the_first_is_merged_in(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS))
    (evidence / "chain.theirs.jsonl").write_bytes(raw(*ROOT, *THEIRS))
    (finding,) = [f for f in examine(evidence) if f.code == "forked-chain"]
    assert finding.file == "evidence/chain.theirs.jsonl"
    assert OURS[-1].digest[:12] in finding.what
    assert THEIRS[-1].digest[:12] in finding.what
    assert "with 3 entries of its own" in finding.what
    assert "with 2 entries of its own" in finding.what
    assert finding.next == "trackrecord doctor --merge"
    assert merge_heads(evidence) is not None
    assert looks(evidence) == 8
    assert not (evidence / "chain.theirs.jsonl").exists()
    assert (evidence / "chain.theirs.jsonl.merged").read_bytes() == raw(*ROOT, *THEIRS)


def test_a_second_chain_that_only_goes_further_is_taken_over_without_a_merge(
    evidence: Path,
) -> None:
    write_chain(evidence, raw(*ROOT))
    (evidence / "chain.theirs.jsonl").write_bytes(raw(*ROOT, *OURS))
    (finding,) = [f for f in examine(evidence) if f.code == "second-chain"]
    assert "continues the chain by 3 entries" in finding.what
    entry = merge_heads(evidence)
    assert entry is not None
    assert entry.digest == OURS[-1].digest
    assert (evidence / "chain.jsonl").read_bytes() == raw(*ROOT, *OURS)


def test_a_second_chain_with_nothing_new_is_harmless(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS))
    (evidence / "chain.theirs.jsonl").write_bytes(raw(*ROOT))
    (finding,) = [f for f in examine(evidence) if f.code == "second-chain"]
    assert finding.harmless
    assert merge_heads(evidence) is None


def test_two_clones_that_both_began_a_chain_can_be_merged(evidence: Path) -> None:
    one, other = straight_chain(2), branch("z", 2, line_after(seq=0, evidence="77" * 32))
    other = [line_after(seq=0, evidence="77" * 32), *other]
    write_chain(evidence, raw(*one))
    (evidence / "chain.theirs.jsonl").write_bytes(raw(*other))
    assert merge_heads(evidence) is not None
    assert looks(evidence) == 5


def test_three_heads_are_joined_by_one_merge(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS, *branch("c", 1)))
    assert len(check_chain(evidence).problems) == 2
    entry = merge_heads(evidence)
    assert entry is not None
    assert len(entry.also) == 2
    assert looks(evidence) == 9


def test_a_merge_of_merges_is_whole(evidence: Path) -> None:
    """Two clones merge the same fork, each on its own, and then meet again."""
    for clone in ("one", "two"):
        other = evidence.parent / clone
        mine, yours = (OURS, THEIRS) if clone == "one" else (THEIRS, OURS)
        write_chain(other, raw(*ROOT, *mine, *yours))
        merge_heads(other)
        add(other, 2, case=clone)
    write_chain(evidence, (evidence.parent / "one" / "chain.jsonl").read_bytes())
    theirs = (evidence.parent / "two" / "chain.jsonl").read_bytes()
    (evidence / "chain.theirs.jsonl").write_bytes(theirs)
    merge_heads(evidence)
    report = check_chain(evidence)
    assert report.problems == []
    # Where both merged within one second the two merge entries are one.
    merges = sum(entry.kind == "merge" for entry in read_chain(evidence))
    assert merges in (2, 3)
    assert report.entries == 3 + 3 + 2 + 4 + merges
    (entry,) = add(evidence)
    assert read_chain(evidence)[-1] == entry


@pytest.mark.parametrize("spoil", [b"{}\n", b"\n", b"torn"])
def test_branches_with_a_broken_line_are_not_merged(evidence: Path, spoil: bytes) -> None:
    data = raw(*ROOT, *OURS, *THEIRS) + spoil
    write_chain(evidence, data)
    with pytest.raises(LedgerError, match="cannot be merged yet") as caught:
        merge_heads(evidence)
    assert str(caught.value.where).endswith("chain.jsonl:9")
    assert (evidence / "chain.jsonl").read_bytes() == data


def test_no_entry_is_dropped_from_a_conflict_that_lacks_a_line(evidence: Path) -> None:
    conflict = raw(*ROOT, *OURS) + b"=======\n" + raw(THEIRS[1]) + b">>>>>>> theirs\n"
    write_chain(evidence, conflict)
    with pytest.raises(LedgerError, match="missing"):
        merge_heads(evidence)
    assert (evidence / "chain.jsonl").read_bytes() == conflict


def test_a_branch_with_a_missing_line_is_not_merged(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, THEIRS[1]))
    with pytest.raises(LedgerError, match="missing"):
        merge_heads(evidence)


def test_dropping_a_branch_from_a_merged_chain_is_seen(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    merge_heads(evidence)
    theirs = {row.raw for row in THEIRS}
    lines = (evidence / "chain.jsonl").read_bytes().splitlines(keepends=True)
    write_chain(evidence, b"".join(line for line in lines if line not in theirs))
    assert [p.code for p in check_chain(evidence).problems] == ["missing-entry"]


def test_swapping_the_branches_of_a_merged_chain_is_seen(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    merge_heads(evidence)
    lines = (evidence / "chain.jsonl").read_bytes().splitlines(keepends=True)
    first = in_order([*ROOT, *OURS, *THEIRS])[3]
    length = 3 if first in OURS else 2
    swapped = [*lines[:3], *lines[3 + length : 8], *lines[3 : 3 + length], lines[8]]
    write_chain(evidence, b"".join(swapped))
    assert [p.code for p in check_chain(evidence).problems] == ["out-of-order"]


def test_a_byte_changed_in_a_merged_chain_is_named_at_its_line(evidence: Path) -> None:
    write_chain(evidence, raw(*ROOT, *OURS, *THEIRS))
    merge_heads(evidence)
    data = (evidence / "chain.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines):
        for position in range(2, len(line) - 1, 13):
            changed = line[:position] + bytes([line[position] ^ 1]) + line[position + 1 :]
            write_chain(evidence, b"".join([*lines[:number], changed, *lines[number + 1 :]]))
            os.utime(evidence / "chain.jsonl", (1e9, 1e9))
            problems = check_chain(evidence).problems
            assert [problem.line for problem in problems] == [number + 1], (position, problems)


def test_a_hostile_chain_of_thousands_of_heads_is_told_in_seconds(evidence: Path) -> None:
    root = straight_chain(1)
    heads = [line_after(root[0], seq=1, evidence=f"{n:064x}") for n in range(3000)]
    write_chain(evidence, raw(*root, *heads))
    start = time.perf_counter()
    findings = [f for f in examine(evidence) if f.code == "forked-chain"]
    assert time.perf_counter() - start < 10
    assert "and 2995 more heads" in findings[0].what


def test_a_hostile_chain_of_merges_within_merges_is_refused_in_seconds(evidence: Path) -> None:
    root = straight_chain(1)[0]
    rows = [root, line_after(root, seq=1, evidence="99" * 32), line_after(root, seq=1)]
    for number in range(1500):
        side = line_after(root, seq=1, evidence=f"{number:064x}")
        rows += [side, line_after(rows[-1], side, seq=2 * number + 3)]
    write_chain(evidence, raw(*rows))
    start = time.perf_counter()
    assert "too-many-merges" in {problem.code for problem in check_chain(evidence).problems}
    assert time.perf_counter() - start < 20


def grown(seed: int) -> list[Row]:
    """A history of random forks and merges."""
    draw = random.Random(seed)
    rows = [line_after(seq=0)]
    for number in range(draw.randint(1, 25)):
        heads = heads_of(rows)
        if len(heads) > 1 and draw.random() < 0.4:
            rows.append(line_after(*in_order_of(rows, heads), seq=len(rows)))
        else:
            parent = draw.choice(rows) if draw.random() < 0.3 else rows[-1]
            rows.append(line_after(parent, seq=parent.seq + 1, evidence=f"{number:064x}"))
    heads = heads_of(rows)
    if len(heads) > 1:
        rows.append(line_after(*in_order_of(rows, heads), seq=len(rows)))
    return rows


def in_order_of(rows: list[Row], some: list[Row]) -> list[Row]:
    place = {row.digest: at for at, row in enumerate(in_order(rows))}
    return sorted(some, key=lambda row: place[row.digest])


@given(seed=st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_the_order_of_a_merged_history_does_not_depend_on_how_its_lines_came(seed: int) -> None:
    rows = grown(seed)
    ordered = in_order(rows)
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    assert [row.digest for row in in_order(shuffled)] == [row.digest for row in ordered]
    assert read_branches(raw(*ordered)).problems == []
    place = {row.digest: at for at, row in enumerate(ordered)}
    for row in ordered:
        assert all(place.get(digest, -1) < place[row.digest] for digest in row.follows)
    # What was there before keeps its order when more comes.
    early = in_order(rows[: len(rows) // 2])
    assert all(place[a.digest] < place[b.digest] for a, b in pairwise(early))
