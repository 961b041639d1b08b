"""The doctor: finds what was planted, says what to do, and touches nothing unasked."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from tests.ledger.chains import add, line_after, raw, straight_chain, write_chain

from trackrecord.errors import LedgerError
from trackrecord.ledger import Subject, read_chain, record
from trackrecord.ledger.doctor import Finding, examine, merge_heads, repair_torn_tail


def bytes_of(evidence: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in evidence.iterdir()}


def wrong(evidence: Path) -> list[Finding]:
    return [finding for finding in examine(evidence) if not finding.harmless]


def test_a_whole_ledger_has_no_findings(evidence: Path) -> None:
    assert examine(evidence) == []
    add(evidence, 3)
    assert examine(evidence) == []


def test_missing_evidence_is_named_with_what_it_was(evidence: Path) -> None:
    _, entry, _ = add(evidence, 3)
    (evidence / f"{entry.evidence}.json").unlink()
    (finding,) = examine(evidence)
    assert (finding.code, finding.file) == ("missing-evidence", f"evidence/{entry.evidence}.json")
    assert "'look'" in finding.what
    assert finding.next == f"restore it: git checkout -- {finding.file}, or from a backup"
    assert not finding.harmless


def test_changed_evidence_is_named(evidence: Path) -> None:
    (entry,) = add(evidence)
    path = evidence / f"{entry.evidence}.json"
    path.write_bytes(path.read_bytes() + b" ")
    (finding,) = examine(evidence)
    assert (finding.code, finding.harmless) == ("changed-evidence", False)
    assert finding.file == f"evidence/{path.name}"


def test_evidence_that_no_entry_names_is_harmless_and_said_to_be_an_unfinished_step(
    evidence: Path,
) -> None:
    add(evidence, 2)
    last = read_chain(evidence)[-1]
    lines = (evidence / "chain.jsonl").read_bytes().splitlines(keepends=True)
    write_chain(evidence, lines[0])
    (finding,) = examine(evidence)
    assert (finding.code, finding.harmless) == ("unrecorded-evidence", True)
    assert finding.file == f"evidence/{last.evidence}.json"
    assert "urn:trackrecord:predicate:look:v1" in finding.what
    assert "a process died" in finding.what


def test_evidence_of_another_kind_than_the_chain_says_is_wrong(evidence: Path) -> None:
    (entry,) = add(evidence)
    root = line_after(seq=0, evidence=str(entry.evidence))
    data = root.raw.replace(b'"look"', b'"seal"')
    body = data.replace(f'"digest":"{root.digest}",'.encode(), b"").strip()
    data = data.replace(root.digest.encode(), hashlib.sha256(body).hexdigest().encode())
    write_chain(evidence, data)
    (finding,) = examine(evidence)
    assert (finding.code, finding.harmless) == ("wrong-kind", False)


def test_a_file_with_a_good_digest_that_is_no_statement_counts_only_if_the_chain_names_it(
    evidence: Path,
) -> None:
    add(evidence)
    digest = hashlib.sha256(b"{}").hexdigest()
    (evidence / f"{digest}.json").write_bytes(b"{}")
    (finding,) = examine(evidence)
    assert (finding.code, finding.harmless) == ("not-evidence", True)
    root = read_chain(evidence)[0]
    rows = straight_chain(1)
    assert root.seq == rows[0].seq
    write_chain(evidence, line_after(seq=0, evidence=digest).raw)
    assert [f.code for f in wrong(evidence)] == ["not-evidence"]


def test_leftovers_are_harmless(evidence: Path) -> None:
    add(evidence)
    for name in (f".{'ab' * 32}.json.4711-0123abcd.new", "notes.txt", "chain.jsonl.torn-01234567"):
        (evidence / name).write_bytes(b"half of someth")
    findings = examine(evidence)
    assert {f.code for f in findings} == {"leftover-file", "stray-file", "kept-aside"}
    assert all(f.harmless for f in findings)
    add(evidence)


def test_a_chain_that_is_gone_is_not_harmless(evidence: Path) -> None:
    add(evidence)
    (evidence / "chain.jsonl").unlink()
    assert [f.code for f in wrong(evidence)] == ["missing-chain"]


def test_a_torn_end_is_explained_and_only_repaired_when_asked(evidence: Path) -> None:
    add(evidence, 3)
    chain = evidence / "chain.jsonl"
    whole = chain.read_bytes()
    torn = whole[:-100]
    chain.write_bytes(torn)
    before = bytes_of(evidence)
    (finding,) = wrong(evidence)
    assert (finding.code, finding.line) == ("torn-tail", 3)
    assert finding.next == "trackrecord doctor --repair"
    assert bytes_of(evidence) == before

    kept = repair_torn_tail(evidence)
    assert kept is not None
    assert chain.read_bytes() + kept.read_bytes() == torn
    assert wrong(evidence) == []
    assert len(read_chain(evidence)) == 2
    assert len(add(evidence)) == 1
    assert repair_torn_tail(evidence) is None


def test_a_last_entry_that_only_lacks_its_newline_is_kept(evidence: Path) -> None:
    add(evidence, 2)
    chain = evidence / "chain.jsonl"
    whole = chain.read_bytes()
    chain.write_bytes(whole[:-1])
    (finding,) = wrong(evidence)
    assert (finding.code, finding.next) == ("missing-newline", "trackrecord doctor --repair")
    assert repair_torn_tail(evidence) == chain
    assert chain.read_bytes() == whole


@pytest.mark.parametrize("blocks", [b"\0" * 4096, b"\0", b"\xff" * 10])
def test_blocks_that_a_power_cut_left_empty_are_a_torn_end(evidence: Path, blocks: bytes) -> None:
    add(evidence, 2)
    chain = evidence / "chain.jsonl"
    whole = chain.read_bytes()
    chain.write_bytes(whole + blocks)
    assert repair_torn_tail(evidence) is not None
    assert chain.read_bytes() == whole


def test_a_broken_line_in_the_middle_is_not_repaired_away(evidence: Path) -> None:
    rows = straight_chain(4)
    data = raw(*rows[:2]) + b"?" + raw(*rows[2:])
    write_chain(evidence, data)
    assert repair_torn_tail(evidence) is None
    assert merge_failed(evidence)
    assert (evidence / "chain.jsonl").read_bytes() == data
    finding = next(f for f in wrong(evidence) if f.file.endswith("chain.jsonl"))
    assert (finding.line, finding.code) == (3, "broken-line")
    assert str(finding.next).startswith("bring the line back and keep those below it")


def merge_failed(evidence: Path) -> bool:
    try:
        merge_heads(evidence)
    except LedgerError:
        return True
    return False


def test_hundreds_of_findings_of_one_kind_are_counted_after_the_first(evidence: Path) -> None:
    write_chain(evidence, raw(*straight_chain(300)))
    findings = examine(evidence)
    assert len(findings) == 21
    assert findings[-1].what == "280 more findings like this one"


def git(folder: Path, *words: str, check: bool = True) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=check,
    )
    return done.stdout


def two_clones_that_both_recorded(tmp_path: Path, attributes: str) -> tuple[Path, Path]:
    """Two clones of one workspace: three looks before they parted, then two here and one there."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    git(here, "init", "-q", "-b", "main")
    (here / ".gitignore").write_text(".trackrecord/\n")
    (here / ".gitattributes").write_text(attributes)
    add(here / "evidence", 3)
    git(here, "add", "-A")
    git(here, "commit", "-qm", "before")
    git(tmp_path, "clone", "-q", str(here), str(there))
    for clone, count in ((here, 2), (there, 1)):
        for number in range(count):
            record(
                clone / "evidence",
                kind="look",
                predicate={"clone": clone.name, "number": number},
                subjects=[Subject("run", {"sha256": "00" * 32})],
                case="flights",
            )
        git(clone, "add", "-A")
        git(clone, "commit", "-qm", "more")
    return here, there


@pytest.mark.parametrize(
    "attributes",
    ["evidence/* -text\n", "evidence/* -text\nevidence/chain.jsonl merge=union\n"],
    ids=["conflict markers", "union"],
)
def test_clones_that_git_brought_together_are_merged_with_all_looks(
    tmp_path: Path, attributes: str
) -> None:
    here, there = two_clones_that_both_recorded(tmp_path, attributes)
    git(here, "pull", "-q", "--no-rebase", str(there), "main", check=False)
    evidence = here / "evidence"
    findings = wrong(evidence)
    assert "forked-chain" in {f.code for f in findings}
    forked = next(f for f in findings if f.code == "forked-chain")
    assert "head 1: " in forked.what
    assert "head 2: " in forked.what
    assert forked.next == "trackrecord doctor --merge"
    entry = merge_heads(evidence)
    assert entry is not None
    assert sum(e.kind == "look" for e in read_chain(evidence)) == 6
    assert wrong(evidence) == []
    reminders = [f.next for f in examine(evidence) if f.code == "unmerged-chain"]
    assert reminders == ([] if "union" in attributes else ["git add evidence"])


def test_a_chain_that_git_left_unmerged_is_found_although_the_file_looks_whole(
    tmp_path: Path,
) -> None:
    attributes = "evidence/* -text\nevidence/chain.jsonl merge=binary\n"
    here, there = two_clones_that_both_recorded(tmp_path, attributes)
    git(here, "pull", "-q", "--no-rebase", str(there), "main", check=False)
    evidence = here / "evidence"
    assert len(read_chain(evidence)) == 5  # this clone's: git kept those
    (finding,) = wrong(evidence)
    assert finding.code == "unmerged-chain"
    command, _, then = str(finding.next).partition("; ")
    assert then == "trackrecord doctor --merge"
    subprocess.run(command, shell=True, cwd=here, check=True)
    assert [f.code for f in wrong(evidence)] == ["forked-chain"]
    assert merge_heads(evidence) is not None
    assert sum(e.kind == "look" for e in read_chain(evidence)) == 6
    git(here, "add", "-A")
    git(here, "commit", "-qm", "merged")
    assert wrong(evidence) == []

    git(there, "pull", "-q", "--no-rebase", str(here), "main")
    assert read_chain(there / "evidence") == read_chain(evidence)
