"""Checks each piece of evidence by itself: name, bytes, statement, predicate, and whose it is."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from trackrecord.errors import TrackrecordError
from trackrecord.ledger import Entry, canonical, case_digest
from trackrecord.ledger.jcs import as_doubles
from trackrecord.portfolio.checking.folder import Folder, Unreadable
from trackrecord.portfolio.checking.kinds import PREDICATES, predicate_struct
from trackrecord.portfolio.checking.report import Check, bad

STATEMENT = "https://in-toto.io/Statement/v1"
MAX_NESTING = 64

_NAME = re.compile(r"evidence/([0-9a-f]{64})\.json\Z")
_HEX = re.compile(r"[0-9a-f]{64}\Z")
# The closing quote is optional so that a string without one is walked once, not once a quote.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_TYPE = re.compile(r"urn:trackrecord:predicate:([a-z]+):v([0-9]{1,9})\Z")


class Piece(msgspec.Struct, frozen=True):
    """One piece of evidence that holds by itself.

    ``document`` is the statement as JSON has it, for pointers; ``predicate`` the decoded struct.
    """

    digest: str
    kind: str
    document: dict[str, Any]
    predicate: Any
    subjects: list[tuple[str, dict[str, str]]]

    @property
    def file(self) -> str:
        return file_of(self.digest)


class Newer(Exception):
    """The folder was written by a trackrecord that this one does not know."""


def file_of(digest: str) -> str:
    """Where a published folder has the evidence with this digest."""
    return f"evidence/{digest}.json"


def digest_of(path: str) -> str | None:
    """The digest that an evidence file is named by; None for any other file."""
    found = _NAME.match(path)
    return found.group(1) if found else None


def read_pieces(folder: Folder) -> tuple[dict[str, Piece], list[Check]]:
    """The pieces that hold by themselves, by digest, and a finding for each that does not.

    Raises
    ------
    Newer
        For an intact statement of a later version than this program knows.
    """
    pieces: dict[str, Piece] = {}
    findings: list[Check] = []
    for path in folder.sizes:
        digest = digest_of(path)
        if digest is None:
            continue
        try:
            pieces[digest] = _piece(folder.read(path), digest, path)
        except Unreadable as error:
            findings.append(bad("evidence", str(error), path))
        except _Wrong as wrong:
            findings.append(wrong.check)
    return pieces, findings


def check_belonging(
    pieces: dict[str, Piece], entries: list[Entry], case: str | None
) -> list[Check]:
    """A finding for each piece that the chain calls something else, or that is of another case.

    ``case`` is the published case's name, or None where it could not be learned.
    """
    findings: list[Check] = []
    named = {entry.evidence: entry for entry in entries if entry.evidence is not None}
    for digest, piece in pieces.items():
        if digest in named:
            try:
                _belongs(piece, named[digest], case)
            except _Wrong as wrong:
                findings.append(wrong.check)
    return findings


class _Wrong(Exception):
    def __init__(self, path: str, what: str, expected: object = None, found: object = None):
        super().__init__(what)
        self.check = bad("evidence", what, path, expected, found)


def _piece(data: bytes, digest: str, path: str) -> Piece:
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise _Wrong(path, "the bytes are not those that the name says", digest, found)
    document = _decode(data, path)
    if document.get("_type") != STATEMENT:
        raise _Wrong(path, "it is no in-toto statement", STATEMENT, document.get("_type"))
    named = document.get("predicateType")
    match = _TYPE.match(named) if isinstance(named, str) else None
    if match is None:
        raise _Wrong(path, "its predicate type is unknown", "urn:trackrecord:predicate:…:v1", named)
    kind = match.group(1)
    if int(match.group(2)) > 1:
        raise Newer(f"{path} is of type {named}; this version knows v1")
    if kind not in PREDICATES:
        raise _Wrong(path, "its predicate type is unknown", ", ".join(PREDICATES), kind)
    if unknown := document.keys() - {"_type", "subject", "predicateType", "predicate"}:
        raise _Wrong(path, "the statement has a field that statements do not have", None, unknown)
    return Piece(
        digest=digest,
        kind=kind,
        document=document,
        predicate=_predicate(document.get("predicate"), kind, path),
        subjects=_subjects(document.get("subject"), path),
    )


def _decode(data: bytes, path: str) -> dict[str, Any]:
    if _nesting(data) > MAX_NESTING:
        raise _Wrong(path, "it is nested too deeply", f"at most {MAX_NESTING} levels")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Wrong(path, f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _Wrong(path, "it is not a JSON object")
    try:
        same = canonical(as_doubles(document)) == data
    except (TrackrecordError, ValueError, OverflowError, RecursionError) as error:
        raise _Wrong(path, f"it has no canonical form: {error}") from None
    if not same:
        raise _Wrong(path, "it is not written in canonical JSON (RFC 8785)")
    return document


def _nesting(data: bytes) -> int:
    """How deep the brackets outside strings go."""
    deepest = depth = 0
    for found in _BRACKETS.finditer(data):
        if found.group(1):
            depth += 1
            deepest = max(deepest, depth)
        elif found.group(2):
            depth -= 1
    return deepest


def _predicate(value: Any, kind: str, path: str) -> Any:
    try:
        predicate = msgspec.convert(value, predicate_struct(kind))
    except (msgspec.ValidationError, RecursionError) as error:
        raise _Wrong(path, f"its predicate is not a {kind}: {error}") from None
    if stray := _stray(value, msgspec.to_builtins(predicate), "/predicate"):
        raise _Wrong(path, f"its predicate has something at {stray} that a {kind} does not have")
    return predicate


def _stray(raw: Any, known: Any, at: str) -> str | None:
    """The first pointer in ``raw`` that decoding dropped or changed."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            here = f"{at}/{key}"
            if key not in known:
                return here
            if found := _stray(value, known[key], here):
                return found
        return None
    if isinstance(raw, list) and isinstance(known, list) and len(raw) == len(known):
        for index, (one, other) in enumerate(zip(raw, known, strict=True)):
            if found := _stray(one, other, f"{at}/{index}"):
                return found
        return None
    return None if raw == known and isinstance(raw, bool) == isinstance(known, bool) else at


def _subjects(value: Any, path: str) -> list[tuple[str, dict[str, str]]]:
    """in-toto Statement v1: named subjects, each with at least one digest in lower-case hex."""
    subjects: list[tuple[str, dict[str, str]]] = []
    if not isinstance(value, list) or not value:
        raise _Wrong(path, "the statement has no subject")
    for subject in value:
        if not isinstance(subject, dict) or subject.keys() != {"name", "digest"}:
            raise _Wrong(path, "a subject is not a name with digests", None, subject)
        name, digests = subject["name"], subject["digest"]
        if not isinstance(name, str) or not isinstance(digests, dict) or not digests:
            raise _Wrong(path, "a subject is not a name with digests", None, subject)
        for digest in digests.values():
            if not isinstance(digest, str) or not _HEX.match(digest):
                raise _Wrong(path, f"the digest of {name!r} is not SHA-256 in hex", None, digest)
        subjects.append((name, digests))
    return subjects


def _belongs(piece: Piece, entry: Entry, case: str | None) -> None:
    if entry.kind != piece.kind:
        raise _Wrong(
            piece.file,
            f"line {entry.seq + 1} of the chain calls it something else",
            f"{entry.kind}, as the chain says",
            piece.kind,
        )
    if case is None:
        return
    own = case_of(piece)
    if own != case:
        raise _Wrong(piece.file, "it is evidence of another case, spliced in", case, own)
    if entry.case != case_digest(case):
        raise _Wrong(
            piece.file,
            f"line {entry.seq + 1} of the chain gives it to another case",
            case_digest(case),
            entry.case,
        )


def case_of(piece: Piece) -> str:
    """The name of the case that a piece of evidence is about."""
    case = piece.predicate.case
    return str(case if isinstance(case, str) else case.name)
