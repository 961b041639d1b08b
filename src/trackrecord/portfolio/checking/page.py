"""Checks each number on the page: where it says it comes from, and what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from trackrecord.errors import TrackrecordError
from trackrecord.portfolio.checking.folder import PAGE, Unreadable
from trackrecord.portfolio.checking.markup import Element, Page, read_page
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, bad, good
from trackrecord.portfolio.pointers import resolve, shown

# Where digits may stand in the open: drawings (made of evidence, with a table below), programs'
# text, the window's title.
EXEMPT = ("svg", "code", "pre", "title", "style")
MOST_NAMED = 500


def check_page(record: Record) -> tuple[Page | None, list[Check]]:
    """The page as read, and a finding for everything on it that the evidence does not say."""
    try:
        text = record.folder.read(PAGE).decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        return None, [bad("page", f"it cannot be read: {error}", PAGE)]
    page = read_page(text)
    findings = [bad("page", f"line {line}: {what}", PAGE) for line, what in page.problems]
    statements = record.statements()
    entries = {entry.seq: msgspec.to_builtins(entry) for entry in record.entries}
    pointers = [element for element in page.elements if element.is_pointer]
    for element in pointers:
        findings += _pointer(element, statements, entries)
    findings += _loose_digits(page)
    findings += _left_out(record, pointers)
    if not findings and not pointers:
        findings.append(bad("page", "there is no number on it that points into evidence", PAGE))
    if len(findings) > MOST_NAMED:
        more = len(findings) - MOST_NAMED
        findings = [*findings[:MOST_NAMED], bad("page", f"and {more:,} more", PAGE)]
    if not findings:
        said = f"{len(pointers):,} values on it are the evidence's"
        findings.append(good("page", said, PAGE))
    return page, findings


def _pointer(
    element: Element, statements: dict[str, Any], entries: dict[int, Any]
) -> Iterator[Check]:
    """The element's value and text, against what stands where it points."""
    said = element.attributes
    at, form = said.get("data-at", ""), said.get("data-form", "")
    text = "".join(element.text)
    here = f"line {element.line}, {at}"
    if element.has_child:
        yield bad("page", f"{here}: a pointer has markup inside", PAGE)
        return
    try:
        value = resolve(_document(said, statements, entries), at)
        expected = shown(value, form)
    except (TrackrecordError, ValueError, OverflowError) as error:
        yield bad("page", f"{here}: it points to nothing: {error}", PAGE, None, text)
        return
    if isinstance(value, dict | list):
        yield bad("page", f"{here}: it points to no single value", PAGE, None, text)
        return
    if text != expected:
        yield bad("page", f"{here}: the text is not the evidence's", PAGE, expected, text)
    if element.tag == "data" or "value" in said:
        raw = said.get("value")
        if not _same_json(raw, value):
            yield bad(
                "page",
                f"{here}: the value is not the evidence's",
                PAGE,
                json.dumps(value, ensure_ascii=False),
                raw,
            )


def _document(said: dict[str, str], statements: dict[str, Any], entries: dict[int, Any]) -> Any:
    if "data-entry" in said:
        if "data-evidence" in said:
            raise ValueError("it names an entry and evidence")
        number = said["data-entry"]
        if not number.isascii() or not number.isdigit() or len(number) > 15:
            raise ValueError(f"there is no entry {number!r}")
        if int(number) not in entries:
            raise ValueError(f"there is no entry {number}")
        return entries[int(number)]
    digest = said.get("data-evidence", "")
    if digest not in statements:
        raise ValueError(f"there is no intact evidence {digest[:16]}…")
    return statements[digest]


def _same_json(raw: str | None, value: Any) -> bool:
    if raw is None or len(raw) > 10_000:
        return False
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, bool) == isinstance(value, bool) and bool(found == value)


def _loose_digits(page: Page) -> Iterator[Check]:
    """No digit in the open: a number that points nowhere is one that nobody can check."""
    for piece in page.texts:
        if piece.cited or any(tag in EXEMPT for tag in piece.tags):
            continue
        if not any(c.isnumeric() for c in piece.text):
            continue
        shortened = " ".join(piece.text.split())
        yield bad(
            "page",
            f"line {piece.line}: a number that points to no evidence",
            PAGE,
            None,
            shortened,
        )


def _left_out(record: Record, pointers: list[Element]) -> Iterator[Check]:
    """Every verdict of the evaluation stands on the page, in the evidence's own word."""
    if record.evaluation is None:
        return
    at = {
        e.attributes.get("data-at")
        for e in pointers
        if e.attributes.get("data-evidence") == record.evaluation.digest
    }
    for index, verdict in enumerate(record.evaluation.predicate.result.verdicts):
        if f"/predicate/result/verdicts/{index}/verdict" not in at:
            what = f"the verdict on {verdict.criterion!r} is not on it"
            yield bad("page", what, PAGE, verdict.verdict)
