"""What a check says: named, with the file it is about, what was expected and what was found."""

from __future__ import annotations

import unicodedata
from typing import Literal

import msgspec

LONGEST = 400


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``file`` is relative to the folder."""

    ok: bool
    name: str
    what: str
    file: str
    expected: str | None = None
    found: str | None = None


class ClaimCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One claim. L1: its numbers were recomputed here. L0: it is stated, no more."""

    ok: bool
    level: Literal["L0", "L1"]
    text: str
    reason: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole verdict on a folder.

    ``exit_code`` is 0 when everything holds, 1 when something does not, 2 when this is no published
    folder that this version can read. ``head`` is the digest of the chain's last line: note it
    elsewhere, and a history rewritten from its first line can be told from this one.
    """

    case: str | None
    head: str | None
    entries: int
    numbers: int
    checks: list[Check]
    claims: list[ClaimCheck]
    exit_code: int


def good(name: str, what: str, file: str) -> Check:
    """A check that holds."""
    return Check(ok=True, name=name, what=harmless(what), file=harmless(file))


def bad(name: str, what: str, file: str, expected: object = None, found: object = None) -> Check:
    """A finding. Whatever came from the folder is made safe to print."""
    return Check(
        ok=False,
        name=name,
        what=harmless(what),
        file=harmless(file),
        expected=None if expected is None else harmless(str(expected)),
        found=None if found is None else harmless(str(found)),
    )


def harmless(text: str, longest: int = LONGEST) -> str:
    """Text of a stranger, fit for a terminal.

    Control characters (C0 and C1), direction overrides, invisible and unassigned characters are
    replaced, so that no text can repaint what stands before it; long text is cut.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c in "\n\t" else "\N{REPLACEMENT CHARACTER}" if _unfit(c) else c for c in text
    )


def _unfit(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
