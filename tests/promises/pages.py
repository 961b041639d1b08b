"""Reads the pages of docs/ for the tests beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"

_FENCE = re.compile(r"^( *)(`{3,})([A-Za-z0-9_-]*)[^\n]*\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, its text, the line it starts on, and what stands before it."""

    language: str
    text: str
    line: int
    before: str


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        indent = fence.group(1)
        body = "".join(line.removeprefix(indent) for line in fence.group(4).splitlines(True))
        found.append(Block(fence.group(3), body, before.count("\n") + 1, before))
    return found


def sections(text: str, mark: str) -> dict[str, str]:
    """Heading to text, for headings that start with ``mark`` (``## ``)."""
    found = {}
    for piece in re.split(rf"^{mark}", text, flags=re.MULTILINE)[1:]:
        heading, _, body = piece.partition("\n")
        found[heading.strip()] = re.split(r"^#{1,3} ", body, flags=re.MULTILINE)[0]
    return found
