"""Writes page and card again from the evidence, and compares.

Pointers tell whether a number is the evidence's; they cannot tell whether a word, a bar of a
picture or the order of things is. The page and the card are pure functions of the record and the
claims, so where the same version wrote them, every byte is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from trackrecord.errors import TrackrecordError
from trackrecord.ledger import case_digest
from trackrecord.portfolio.checking.folder import CARD, PAGE, Unreadable
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good
from trackrecord.portfolio.claims import Claims
from trackrecord.portfolio.record import CaseRecord
from trackrecord.version import __version__

_FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_VALUE = re.compile(r"^\s+value: (\S{1,100})$", re.MULTILINE)


def check_writing(record: Record, claims: Claims | None) -> list[Check]:
    """Findings about the page and the card as whole texts; nothing where the record is broken."""
    if record.publication is None or record.evaluation is None:
        return []
    findings = list(_card_numbers(record))
    known = case_record(record)
    if known is None or claims is None:
        return findings
    tool = record.publication.predicate.tool
    if tool != __version__:
        what = (
            f"trackrecord {tool} wrote it and this is {__version__}, so its numbers were looked up "
            f"and its words were not: verify with trackrecord {tool} to compare them, too"
        )
        return [*findings, good("writing", what, PAGE)]
    findings += [check for name in (PAGE, CARD) for check in _again(record, known, claims, name)]
    if not findings:
        said = "page and card are, byte for byte, what the evidence makes of them"
        findings.append(good("writing", said, PAGE))
    return findings


def case_record(record: Record) -> CaseRecord | None:
    """The record as the page was written from it: the case's entries before the publication."""
    publication, evaluation = record.publication, record.evaluation
    if publication is None or evaluation is None or record.case is None:
        return None
    mine = case_digest(record.case)
    before = record.entries[:-1]
    entries = [entry for entry in before if entry.case == mine or entry.kind == "merge"]
    digests = [entry.evidence for entry in entries if entry.evidence is not None]
    if any(digest not in record.pieces for digest in digests):
        return None
    contrast = publication.predicate.contrast
    if evaluation.predicate.run not in digests or (contrast and contrast not in digests):
        return None
    return CaseRecord(
        name=record.case,
        entries=entries,
        statements={digest: record.pieces[digest].document for digest in digests},
        seal=evaluation.predicate.seal,
        run=evaluation.predicate.run,
        evaluation=evaluation.digest,
        contrast=contrast,
    )


def _again(record: Record, known: CaseRecord, claims: Claims, name: str) -> Iterator[Check]:
    from trackrecord.portfolio.card import render_card
    from trackrecord.portfolio.page import render_page

    try:
        found = record.folder.read(name).decode("utf-8")
        expected = (render_page if name == PAGE else render_card)(known, claims)
    except (Unreadable, UnicodeDecodeError):
        return  # said where the file is read
    except (TrackrecordError, LookupError, ValueError, TypeError, StopIteration) as error:
        what = f"the evidence makes no such text: {type(error).__name__}: {error}"
        yield bad("writing", what, name)
        return
    if found != expected:
        line, want, is_ = _first_difference(expected, found)
        what = f"line {line} is not what the evidence makes of it"
        yield bad("writing", what, name, want, is_)


def _first_difference(expected: str, found: str) -> tuple[int, str, str]:
    """(line from 1, expected, found), each from shortly before the first character that differs."""
    wanted, there = expected.split("\n"), found.split("\n")
    for number, (one, other) in enumerate(zip(wanted, there, strict=False), 1):
        if one != other:
            at = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(len(one), len(other)),
            )
            start = max(0, at - 60)
            return number, one[start : at + 120], other[start : at + 120]
    number = min(len(wanted), len(there))
    rest = wanted[number:] or ["nothing more"], there[number:] or ["nothing more"]
    return number + 1, rest[0][0][:200], rest[1][0][:200]


def _card_numbers(record: Record) -> Iterator[Check]:
    """The metrics of the card's model-index are the candidate's estimates, in order."""
    try:
        text = record.folder.read(CARD).decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        yield bad("card", f"it cannot be read: {error}", CARD)
        return
    front = _FRONT.match(text)
    if front is None:
        yield bad("card", "it has no front matter", CARD)
        return
    assert record.evaluation is not None
    said = record.evaluation.predicate
    candidate = next((m for m in said.result.models if m.name == said.plan.candidate), None)
    estimates = msgspec.to_builtins(candidate.estimates) if candidate else []
    expected = [json.dumps(estimate["value"]) for estimate in estimates]
    found = _VALUE.findall(front.group(1))
    for estimate, want, is_ in zip(estimates, expected, found, strict=False):
        if not _same(want, is_):
            what = f"its {estimate['metric']} is not the evidence's"
            yield bad("card", what, CARD, want, is_)
    if len(found) != len(expected):
        what = "its model-index does not have the candidate's metrics"
        yield bad("card", what, CARD, f"{len(expected)} values", f"{len(found)} values")


def _same(expected: str, found: str) -> bool:
    try:
        return bool(json.loads(found) == json.loads(expected))
    except (ValueError, RecursionError):
        return False
