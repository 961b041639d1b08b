"""Reads a page strictly: plain HTML that every browser and this reader understand alike.

A page that is read one way here and another way by a browser could show what was never checked, so
whatever is open to two readings is a finding: comments, unquoted attributes, unclosed elements,
elements that no published page needs. Scripts, forms, frames and requests to elsewhere are named
for what they are.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POINTING = frozenset(("data-evidence", "data-entry", "data-at", "data-form"))
VOID = _words("area br col hr img input link meta source wbr base embed")
ALLOWED = _words(
    """html head meta title style body header main footer nav section article aside div p span
    h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td
    figure figcaption details summary blockquote a abbr b br cite code data dfn em hr i kbd mark pre
    q s samp small strong sub sup time u var wbr"""
)
DRAWN = _words(
    """svg g path rect circle ellipse line polyline polygon text tspan title desc defs marker
    clippath mask pattern lineargradient radialgradient stop symbol use"""
)
NAMED = {
    "script": "a script",
    "iframe": "a frame",
    "frame": "a frame",
    "object": "an embedded object",
    "embed": "an embedded object",
    "form": "a form",
    "input": "a form field",
    "button": "a button",
    "textarea": "a form field",
    "select": "a form field",
    "link": "a link to another file",
    "base": "a base address",
    "img": "an image from another file",
    "image": "an image from another file",
    "foreignobject": "HTML inside a drawing",
    "template": "a template",
    "noscript": "content for readers without scripts only",
}
# Attributes whose text a reader sees or hears, though it stands in no element.
SPOKEN = _words("title alt label placeholder aria-label aria-description aria-valuetext")

_DOCTYPE = re.compile(r"\s*<!doctype html>", re.IGNORECASE)
_TAG = re.compile(
    r"""<(?:/[A-Za-z][A-Za-z0-9-]*\s*
        |[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][-A-Za-z0-9_:.]*(?:="[^"<]*")?)*+\s*/?)>""",
    re.VERBOSE,
)
_ADDRESSES = _words("href src srcset action data poster background xlink:href ping")
# A comment, or a string in either kind of quotes; what is left is bare CSS.
_CSS_PIECES = re.compile(
    r"""/\*.*?(?:\*/|\Z)|"((?:[^"\\]|\\.)*+)"?|'((?:[^'\\]|\\.)*+)'?""", re.DOTALL
)
_CSS_WORDS = re.compile(
    r"@import|@font-face|@namespace|url\s*\(|image-set|image\s*\(|expression\s*\(|behavior\s*:|-binding",
    re.IGNORECASE,
)
_CSS_TEXT = re.compile(r"@counter-style|(?:attr|counters?|symbols)\s*\(", re.IGNORECASE)
_CSS_HEX = re.compile(r"\\([0-9a-fA-F]{1,6})[ \t\n]?")
MAX_DEPTH = 60
MAX_ELEMENTS = 500_000


class Element(msgspec.Struct):
    """An element, what was read inside it, and the classes of the element around it."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: list[str]
    drawn: bool
    parent: str = ""
    has_child: bool = False

    @property
    def is_pointer(self) -> bool:
        """Whether it says that its text comes from evidence."""
        return bool(self.attributes.keys() & POINTING)


class Text(msgspec.Struct, frozen=True):
    """Visible text, the tags that it stands in, and whether one of them is a pointer."""

    text: str
    tags: tuple[str, ...]
    line: int
    cited: bool


class Page(msgspec.Struct):
    """What was read: elements in order of their ends, visible text, and (line, problem) pairs."""

    elements: list[Element]
    texts: list[Text]
    problems: list[tuple[int, str]]


def read_page(text: str) -> Page:
    """Read a page. Never raises; what cannot be read in one way only is among the problems."""
    problems = _unclear(text)
    if problems:
        return Page([], [], problems)
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        last = reader.open[-1]
        reader.page.problems.append((last.line, f"<{last.tag}> is never closed"))
    return reader.page


def _unclear(text: str) -> list[tuple[int, str]]:
    """The first place that is not plain markup, in time linear in the text's length."""
    first = _DOCTYPE.match(text)
    if first is None:
        return [(1, "the page does not begin with <!doctype html>")]
    position = first.end()
    lower = text.lower()
    if len(lower) != len(text):  # a few letters grow when lowered; a page can do without them
        lower = text
    while (at := text.find("<", position)) >= 0:
        tag = _TAG.match(text, at)
        if tag is None:
            line = text.count("\n", 0, at) + 1
            return [(line, f"markup that can be read in two ways: {text[at : at + 40]!r}")]
        position = tag.end()
        if tag.group()[:6].lower() == "<style":
            position = lower.find("</style", position)
            if position < 0:
                return [(text.count("\n", 0, at) + 1, "<style> is never closed")]
            if "<" in text[tag.end() : position]:
                return [(text.count("\n", 0, at) + 1, "there is markup inside <style>")]
    if "\0" in text:
        return [(text.count("\n", 0, text.index("\0")) + 1, "there is a null character")]
    return []


def style_problems(style: str) -> list[str]:
    """What a style sheet may not do: fetch, or show text of its own that has digits."""
    problems = []
    for found in _CSS_PIECES.finditer(style):
        text = _unescaped(found.group(1) or found.group(2) or "")
        if any(c.isnumeric() for c in text) or "\n" in text:
            problems.append(f"the style sheet writes text of its own: {text[:40]!r}")
    bare = _unescaped(_CSS_PIECES.sub(" ", style))
    if fetches := _CSS_WORDS.search(bare):
        problems.append(f"the style sheet asks for something from elsewhere: {fetches.group()!r}")
    if writes := _CSS_TEXT.search(bare):
        problems.append(f"the style sheet writes text of its own: {writes.group()[:40]!r}")
    return problems


def _unescaped(text: str) -> str:
    """CSS text with its escapes undone: ``\\39`` is a 9."""
    text = _CSS_HEX.sub(lambda m: chr(min(int(m.group(1), 16), 0x10FFFF)), text)
    return text.replace("\\", "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page([], [], [])
        self.open: list[Element] = []
        self.count = 0

    def _problem(self, what: str) -> None:
        if len(self.page.problems) < 100:
            self.page.problems.append((self.getpos()[0], what))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        drawn = tag == "svg" or (bool(self.open) and self.open[-1].drawn)
        if self.count > MAX_ELEMENTS or len(self.open) >= MAX_DEPTH:
            if self.count <= MAX_ELEMENTS + 1:
                self._problem("the page is too large, or nested too deeply, to be read")
            return
        if tag in NAMED:
            self._problem(f"{NAMED[tag]}: <{tag}>")
        elif tag not in (DRAWN if drawn else ALLOWED):
            self._problem(f"an element that no published page needs: <{tag}>")
        attributes = {name: value or "" for name, value in attrs}
        if len(attributes) != len(attrs):
            self._problem(f"<{tag}> has an attribute twice")
        self._attributes(tag, attributes)
        if self.open:
            self.open[-1].has_child = True
        if tag not in VOID:
            around = self.open[-1].attributes.get("class", "") if self.open else ""
            self.open.append(Element(tag, attributes, self.getpos()[0], [], drawn, around))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            if self.open and self.open[-1].drawn:
                self.handle_endtag(tag)
            else:
                self._problem(f"<{tag}/> is closed for a reader and open for a browser")
                self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1].tag != tag:
            inside = self.open[-1].tag if self.open else "nothing"
            self._problem(f"</{tag}> closes <{inside}>")
            while self.open and any(element.tag == tag for element in self.open):
                self.page.elements.append(self.open.pop())
                if self.page.elements[-1].tag == tag:
                    break
            return
        element = self.open.pop()
        self.page.elements.append(element)
        if tag == "style":
            for what in style_problems("".join(element.text)):
                self._problem(what)

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text.append(data)
        if data.strip():
            tags = tuple(element.tag for element in self.open)
            cited = any(element.is_pointer for element in self.open)
            self.page.texts.append(Text(data, tags, self.getpos()[0], cited))

    def _attributes(self, tag: str, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name.startswith("on"):
                self._problem(f"<{tag}> has an event handler: {name}")
            elif name in _ADDRESSES and not (name == "data" and tag != "object"):
                self._address(tag, name, value)
            elif name == "style":
                for what in style_problems(value):
                    self._problem(what)
            elif name in ("fill", "stroke", "filter", "clip-path", "mask") and "url" in value:
                if not re.fullmatch(r"url\(#[\w-]+\)", value):
                    self._problem(f"<{tag}> asks for something from elsewhere: {value!r}")
            elif name in SPOKEN and any(c.isnumeric() for c in value):
                self._problem(f"<{tag}> has a number in its {name}: {value!r}")
        if tag == "meta":
            self._meta(attributes)

    def _address(self, tag: str, name: str, value: str) -> None:
        if name == "href" and re.fullmatch(r"#[\w-]+", value):
            return
        if tag == "a" and name == "href":
            if re.fullmatch(r"[A-Za-z0-9][\w./-]*", value):
                return
            # A link that a reader may follow asks for nothing by itself; other schemes run things.
            if re.match(r"https?://[^\s]*\Z", value):
                return
        self._problem(f"<{tag}> asks for something from elsewhere: {name}={value!r}")

    def _meta(self, attributes: dict[str, str]) -> None:
        if attributes.keys() & {"http-equiv", "property"} and attributes.get(
            "http-equiv", ""
        ).lower() not in ("content-security-policy",):
            self._problem("<meta> gives the browser an order")
        if attributes.get("name") == "description" and any(
            c.isnumeric() for c in attributes.get("content", "")
        ):
            self._problem("<meta> has a number in its description")
