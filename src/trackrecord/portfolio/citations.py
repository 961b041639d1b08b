"""Values that know where they stand in the evidence, and become pointers when a page shows them.

A template is handed :class:`Cited` values only; printing one writes the element that
``trackrecord verify`` looks up again, so a number that comes from nowhere cannot be printed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from markupsafe import Markup, escape

from trackrecord.portfolio.pointers import shown

WORDS = ("text", "condition")


class Cited(msgspec.Struct, frozen=True):
    """A value, the evidence it stands in (a digest, or a chain entry's number) and its pointer."""

    cited_in: str | int
    cited_at: str
    raw: Any

    def __getitem__(self, key: str | int) -> Cited:
        word = str(key).replace("~", "~0").replace("/", "~1")
        return type(self)(self.cited_in, f"{self.cited_at}/{word}", self.raw[key])

    def __iter__(self) -> Iterator[Cited]:
        keys = list(self.raw) if isinstance(self.raw, dict) else range(len(self.raw))
        return (self[key] for key in keys)

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def __len__(self) -> int:
        return len(self.raw)

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __html__(self) -> Markup:
        return cite(self, "text")


class Stated(Cited, frozen=True):
    """A value that no evidence holds: a report prints it plainly, and no page is handed one."""


def stated(raw: Any) -> Stated:
    """Plain JSON values, for templates and figures that are written for evidence."""
    return Stated("", "", raw)


def cite(value: Cited, form: str, style: str = "") -> Markup:
    """The element that shows a value: ``<span>`` for words, ``<data>`` for all other forms.

    ``style`` is a class for the page's style sheet.
    """
    text = shown(value.raw, form)
    if isinstance(value, Stated):
        return escape(text) if form in WORDS else Markup("<data>{}</data>").format(text)
    where = (
        Markup('data-entry="{}"').format(value.cited_in)
        if isinstance(value.cited_in, int)
        else Markup('data-evidence="{}"').format(value.cited_in)
    )
    at = Markup('{} data-at="{}" data-form="{}"').format(where, value.cited_at, form)
    if style:
        at += Markup(' class="{}"').format(style)
    if form in WORDS:
        return Markup("<span {}>{}</span>").format(at, text)
    raw = json.dumps(value.raw, ensure_ascii=False)
    return Markup('<data {} value="{}">{}</data>').format(at, raw, text)


def cite_interval(estimate: Cited, form: str = "number") -> Markup:
    """``0.742 [0.731, 0.753]``, each of the three a pointer; the bounds may wrap as one."""
    return Markup('{} <span class="bounds">{}</span>').format(
        cite(estimate["value"], form), cite_bounds(estimate, form)
    )


def cite_bounds(estimate: Cited, form: str = "number") -> Markup:
    """``[0.731, 0.753]``."""
    return Markup("[{}, {}]").format(cite(estimate["lo"], form), cite(estimate["hi"], form))


def plain(text: str, otherwise: Cited) -> Markup:
    """Text of the program itself; where it has a digit, the evidence's own word instead."""
    if any(character.isnumeric() for character in text):
        return cite(otherwise, "text")
    return escape(text)
