"""Evidence: written whole or not at all, named by its digest, read only when it is what it says."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from tests.ledger.chains import DIGEST, add
from tests.ledger.test_canonical import json_values

from trackrecord.errors import LedgerError
from trackrecord.ledger import (
    Statement,
    Subject,
    canonical,
    predicate_type,
    read_evidence,
    record,
    write_atomic,
)
from trackrecord.ledger.store import write_evidence


def put(evidence: Path, data: bytes) -> str:
    """Bytes under their own digest, whatever they are."""
    digest = hashlib.sha256(data).hexdigest()
    evidence.mkdir(exist_ok=True)
    (evidence / f"{digest}.json").write_bytes(data)
    return digest


def test_evidence_is_an_in_toto_statement(evidence: Path) -> None:
    entry = record(
        evidence,
        kind="run",
        predicate={"seed": 5},
        subjects=[Subject("runs/flights/0001/predictions.parquet", {"sha256": DIGEST})],
        case="flights",
    )
    (file,) = evidence.glob("*.json")
    assert file.name == f"{entry.evidence}.json"
    assert file.read_bytes() == (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"seed":5},'
        b'"predicateType":"urn:trackrecord:predicate:run:v1","subject":[{"digest":{"sha256":"'
        + DIGEST.encode()
        + b'"},"name":"runs/flights/0001/predictions.parquet"}]}'
    )


def test_a_statement_as_builtins_has_the_names_of_the_specification() -> None:
    statement = Statement(subject=[], predicateType=predicate_type("run"), predicate={})
    assert set(msgspec.to_builtins(statement)) == {
        "_type",
        "subject",
        "predicateType",
        "predicate",
    }


@pytest.mark.parametrize("kind", ["", "Run", "run v1", "run:v2", "-run", "run-", "../run", "rün"])
def test_what_cannot_be_a_kind_is_refused(kind: str) -> None:
    with pytest.raises(LedgerError, match="kind"):
        predicate_type(kind)


@given(value=json_values)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_predicate_comes_back_as_it_was_written(evidence: Path, value: Any) -> None:
    evidence.mkdir(exist_ok=True)
    statement = Statement(
        subject=[Subject("x", {"sha256": DIGEST})],
        predicateType=predicate_type("run"),
        predicate={"value": value},
    )
    digest = write_evidence(evidence, canonical(statement))
    assert read_evidence(evidence, digest) == statement


def test_writing_the_same_evidence_again_changes_nothing(evidence: Path) -> None:
    evidence.mkdir()
    data = canonical(Statement(subject=[], predicateType=predicate_type("run"), predicate={}))
    digest = write_evidence(evidence, data)
    before = (evidence / f"{digest}.json").stat()
    assert write_evidence(evidence, data) == digest
    after = (evidence / f"{digest}.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_evidence_that_was_changed_is_not_written_over(evidence: Path) -> None:
    evidence.mkdir()
    data = canonical(Statement(subject=[], predicateType=predicate_type("run"), predicate={}))
    path = evidence / f"{write_evidence(evidence, data)}.json"
    path.write_bytes(data.replace(b"run", b"ran"))
    with pytest.raises(LedgerError, match="changed"):
        write_evidence(evidence, data)
    assert b"ran" in path.read_bytes()


@pytest.mark.parametrize("position", [0, 20, -1])
def test_evidence_with_one_changed_bit_is_not_read(evidence: Path, position: int) -> None:
    (entry,) = add(evidence)
    path = evidence / f"{entry.evidence}.json"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="changed") as caught:
        read_evidence(evidence, str(entry.evidence))
    assert str(path) == caught.value.where


def test_missing_evidence_is_named(evidence: Path) -> None:
    with pytest.raises(LedgerError, match="missing") as caught:
        read_evidence(evidence, DIGEST)
    assert caught.value.where == str(evidence / f"{DIGEST}.json")


@pytest.mark.parametrize(
    "digest", ["", "..", "../../etc/passwd", "A" * 64, DIGEST + "\n", "0" * 63]
)
def test_what_is_no_digest_opens_no_file(evidence: Path, digest: str) -> None:
    with pytest.raises(LedgerError, match="digest"):
        read_evidence(evidence, digest)


GOOD = {
    "_type": "https://in-toto.io/Statement/v1",
    "predicate": {"a": 1},
    "predicateType": "urn:trackrecord:predicate:run:v1",
    "subject": [],
}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b'{"predicate":{"a":' + b"[" * 100_000, "deep"),
        (canonical(GOOD) + b"\n", "canonical form"),
        (json.dumps(GOOD).encode(), "canonical form"),
        (canonical(GOOD).replace(b'"a":1', b'"a":1,"a":1'), "canonical form"),
        (canonical(GOOD).replace(b'"a":1', b'"a":1.0'), "canonical form"),
        (canonical(GOOD).replace(b'"a":1', b'"a":9007199254740993'), "canonical form"),
        (canonical(GOOD).replace(b'{"a":1}', b"[]"), "object"),
        (canonical({**GOOD, "_type": "https://in-toto.io/Statement/v0.1"}), "_type"),
        (canonical({**GOOD, "more": 1}), "unknown field"),
        (canonical({**GOOD, "subject": [{"name": "x"}]}), "missing required field"),
    ],
)
def test_bytes_with_the_right_digest_that_are_no_statement_are_refused(
    evidence: Path, data: bytes, why: str
) -> None:
    digest = put(evidence, data)
    with pytest.raises(LedgerError, match="not a canonical") as caught:
        read_evidence(evidence, digest)
    assert why in str(caught.value.why)


def test_a_file_written_atomically_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["case.toml"]


def test_a_write_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"cannot write case\.toml") as caught:
        write_atomic(tmp_path / "gone" / "case.toml", b"x")
    assert caught.value.why == "No such file or directory"


def test_a_write_that_cannot_be_renamed_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "case.toml").mkdir()
    with pytest.raises(LedgerError, match="nothing was changed"):
        write_atomic(tmp_path / "case.toml", b"x")
    assert os.listdir(tmp_path) == ["case.toml"]
