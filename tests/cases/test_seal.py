from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.cases.seal import (
    AmendmentPredicate,
    Fingerprint,
    SealedData,
    SealedPart,
    SealedSplit,
    SealPredicate,
    amend_case,
    drift_since_seal,
    life_of,
    seal_case,
    sealed_case,
    spec_digest,
)
from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError
from trackrecord.ledger import Subject, read_chain, read_evidence, record

from .conftest import CASE, FILE, Decode, changed

REASON = "the region table lacked two regions"


def fingerprint(table: str = "a" * 64, split: str = "b" * 64) -> Fingerprint:
    part = SealedPart(rows=10, positives=None, first=None, last=None, ids="c" * 64, truth="d" * 64)
    return Fingerprint(
        data=[SealedData(path="data/loans.csv", sha256="e" * 64, table=table, rows=30)],
        split=SealedSplit(
            kind="time", parts={"train": part, "validation": part, "test": part}, digest=split
        ),
        excluded={"target missing": 2},
        plan=[],
    )


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


@pytest.fixture
def case(decode: Decode) -> Case:
    return decode()[0]


def note(evidence: Path, kind: str, case: str = "loans") -> None:
    """Something that happened to a case."""
    subject = Subject(name="run", digest={"sha256": "f" * 64})
    record(evidence, kind=kind, predicate={"case": case}, subjects=[subject], case=case)


def seal(evidence: Path, case: Case, taken: Fingerprint | None = None) -> None:
    seal_case(evidence, case, taken or fingerprint(), tool="test")


def amend(evidence: Path, case: Case, taken: Fingerprint | None = None) -> None:
    amend_case(evidence, case, taken or fingerprint(), reason=REASON, tool="test")


def test_a_seal_says_the_case_its_data_and_its_split(evidence: Path, case: Case) -> None:
    entry = seal_case(evidence, case, fingerprint(), tool="test")
    assert entry.kind == "seal"
    assert entry.evidence is not None
    statement = read_evidence(evidence, entry.evidence)
    assert [subject.name for subject in statement.subject] == [
        "cases/loans/case", "data/loans.csv", "split",
    ]  # fmt: skip
    predicate = msgspec.convert(statement.predicate, SealPredicate)
    assert predicate.case.digest == spec_digest(case)
    assert msgspec.convert(predicate.case.spec, Case) == case
    assert predicate.excluded == {"target missing": 2}
    assert (predicate.runs, predicate.looks) == (0, 0)


def test_a_case_is_sealed_once(evidence: Path, case: Case, decode: Decode) -> None:
    seal(evidence, case)
    with pytest.raises(CaseError, match="sealed already, and unchanged since") as caught:
        seal(evidence, case)
    assert caught.value.next == "trackrecord run loans"
    other = decode(("[0.8, 1.25]", "[0.5, 2.0]"))[0]
    with pytest.raises(CaseError, match="sealed already, and has changed since") as caught:
        seal(evidence, other)
    assert "criterion.1.require" in (caught.value.why or "")
    assert (caught.value.next or "").startswith("trackrecord amend loans --reason")
    assert len(read_chain(evidence)) == 1


def test_another_case_is_sealed_beside_it(evidence: Path, case: Case, decode: Decode) -> None:
    seal(evidence, case)
    seal(evidence, decode(('name = "loans"', 'name = "other"'))[0])
    entries = read_chain(evidence)
    assert life_of(entries, "loans").seal != life_of(entries, "other").seal
    assert life_of(entries, "third").seal is None


def test_a_seal_after_unsealed_work_counts_that_work(evidence: Path, case: Case) -> None:
    note(evidence, "run")
    note(evidence, "look")
    note(evidence, "run", case="other")
    seal(evidence, case)
    life = life_of(read_chain(evidence), "loans")
    assert life.seal is not None
    found = sealed_case(evidence, life.seal)
    assert (found.runs, found.looks) == (1, 1)


@pytest.mark.parametrize(
    ("taken", "drift"),
    [
        (fingerprint(), []),
        (fingerprint(table="9" * 64), [("data", "data/loans.csv")]),
        (fingerprint(split="9" * 64), [("split", "time")]),
    ],
)
def test_drift_names_data_and_split(
    evidence: Path, case: Case, taken: Fingerprint, drift: list[tuple[str, str]]
) -> None:
    entry = seal_case(evidence, case, fingerprint(), tool="test")
    assert entry.evidence is not None
    sealed = sealed_case(evidence, entry.evidence)
    assert drift_since_seal(sealed, case, taken.tables, taken.split.digest) == drift
    without = [(kind, what) for kind, what in drift if kind != "split"]
    assert drift_since_seal(sealed, case, taken.tables, None) == without


def test_drift_names_a_file_that_came_or_went(evidence: Path, case: Case) -> None:
    entry = seal_case(evidence, case, fingerprint(), tool="test")
    assert entry.evidence is not None
    found = drift_since_seal(
        sealed_case(evidence, entry.evidence), case, {"data/new.csv": "a" * 64}, None
    )
    assert found == [("data", "data/loans.csv"), ("data", "data/new.csv")]


def test_an_amendment_says_why_what_and_how_much_was_seen(
    evidence: Path, case: Case, decode: Decode
) -> None:
    seal(evidence, case)
    first = life_of(read_chain(evidence), "loans").seal
    for kind in ("run", "look", "evaluation", "look"):
        note(evidence, kind)
    amend(evidence, decode(("[0.8, 1.25]", "[0.5, 2.0]"))[0])
    note(evidence, "look")
    life = life_of(read_chain(evidence), "loans")
    assert life.looks == 3
    assert life.looks_before_amendment == 2
    assert life.amendments == [life.seal]
    assert life.seal is not None
    found = msgspec.convert(read_evidence(evidence, life.seal).predicate, AmendmentPredicate)
    assert found.reason == REASON
    assert found.previous == first
    assert found.looks == 2
    assert found.changed == ["case: criterion.1.require"]


def test_an_amendment_is_a_seal_to_what_comes_after(
    evidence: Path, case: Case, decode: Decode
) -> None:
    seal(evidence, case)
    amended = decode(("[0.8, 1.25]", "[0.5, 2.0]"))[0]
    amend(evidence, amended)
    latest = life_of(read_chain(evidence), "loans").seal
    assert latest is not None
    taken = fingerprint()
    sealed = sealed_case(evidence, latest)
    assert drift_since_seal(sealed, amended, taken.tables, taken.split.digest) == []
    amend(evidence, case)  # and back again: that, too, stays in the record
    assert len(life_of(read_chain(evidence), "loans").amendments) == 2


def test_there_is_nothing_to_amend_without_a_change_or_a_seal(evidence: Path, case: Case) -> None:
    with pytest.raises(CaseError, match="is not sealed") as caught:
        amend(evidence, case)
    assert caught.value.next == "trackrecord seal loans"
    seal(evidence, case)
    with pytest.raises(CaseError, match="nothing to amend"):
        amend(evidence, case)


@pytest.mark.parametrize("reason", ["", "  ", "typo", "fixed typo", "\n\n\n"])
def test_a_reason_is_a_sentence(evidence: Path, case: Case, reason: str) -> None:
    seal(evidence, case)
    with pytest.raises(CaseError, match="needs a reason"):
        amend_case(evidence, case, fingerprint(table="9" * 64), reason=reason, tool="test")
    assert len(read_chain(evidence)) == 1


def test_comments_order_and_layout_do_not_change_the_digest() -> None:
    text = changed(
        ('metrics = ["roc_auc", "brier"]\n', 'metrics = [ # why?\n  "roc_auc",\n "brier" ]\n'),
        ("[split]", "# the past trains\n[split]"),
        ('license = "CC0"\norigin = "made up"\n', 'origin = \'made up\'\nlicense = "CC\\u0030"\n'),
        ("[model.parameters]\nmax_iter = 50", "parameters = { max_iter = 0x32 }"),
    )  # fmt: skip
    head, target, rest = text.partition("[target]\n")
    section, split, rest = rest.partition("# the past trains\n")
    moved = head + split + rest + "\n" + target + section
    assert spec_digest(decode_case(moved, FILE)[0]) == spec_digest(decode_case(CASE, FILE)[0])


def test_a_default_that_is_written_out_does_not_change_the_digest() -> None:
    text = changed(
        ('task = "binary"', 'task = "binary"\nseed = 0\ncandidate = ""'),
        ('positive = "yes"', 'positive = "yes"\nmissing = "error"\nmissing_means = ""'),
        ('cluster = "region"', 'cluster = "region"\nlevel = 0.95\nslices = []'),
        ('time = "granted"', 'time = "granted"\ntimezone = "UTC"\ngroups = []'),
        ('kind = "random"', 'kind = "random"\nvalidation = 0.1\ntest = 0.25\nseed = 0'),
    )
    assert spec_digest(decode_case(text, FILE)[0]) == spec_digest(decode_case(CASE, FILE)[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('features = ["amount", "region"]', 'features = ["region", "amount"]'),
        ('origin = "made up"', 'origin = "made up "'),
        ("max_iter = 50", "max_iter = 51"),
        ("expect = 1.0", "expect = 1.1"),
        ('["One bank.", "One year."]', '["One bank."]'),
        ('time = "granted"', 'time = "granted"\ntimezone = "Europe/Paris"'),
        ('name = "random split"', 'name = "a random split"'),
    ],
)
def test_every_value_changes_the_digest(old: str, new: str) -> None:
    changed_case = decode_case(changed((old, new)), FILE)[0]
    assert spec_digest(changed_case) != spec_digest(decode_case(CASE, FILE)[0])
