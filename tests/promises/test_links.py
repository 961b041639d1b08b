"""Every picture and link of README and docs leads to something that is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.promises.pages import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_FENCE = re.compile(r"^ *(`{3,}).*?^ *\1 *$|<!--.*?-->|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(
    r"\]\(\s*<?([^)\s>]+)|(?:src|srcset|href)=\"([^\"\s]+)|^\[[^\]]+\]: (\S+)", re.M
)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def targets(text: str) -> list[str]:
    """Where links, pictures and references of a page lead, outside code and comments."""
    found = _TARGET.findall(_FENCE.sub("", text))
    return [next(filter(None, groups)) for groups in found]


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    text = re.sub(r"^ *(`{3,}).*?^ *\1 *$", "", page.read_text("utf-8"), flags=re.DOTALL | re.M)
    heads = [re.sub(r"\]\([^)]*\)|<[^>]*>", "", head) for head in _HEADING.findall(text)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_picture_and_link_leads_to_what_is_there(page: Path) -> None:
    lost = []
    for target in targets(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        found = there.exists() and there.is_relative_to(ROOT)
        if found and anchor and there.suffix == ".md":
            found = anchor in anchors(there)
        if not found:
            lost.append(target)
    assert lost == []


def test_a_link_that_leads_nowhere_would_be_seen() -> None:
    text = (
        '![a](x.png) [b](<y.md> "t") <img src="z.png">\n[c]: w.md\n```\n[d](v.md)\n``` \n`[e](u)`'
    )
    assert targets(text) == ["x.png", "y.md", "z.png", "w.md"]
