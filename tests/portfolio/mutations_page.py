"""A page, card or claims file that says more than the evidence, with a publication to match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.portfolio.mutations import Mutation
from tests.portfolio.mutations_forged import forged
from tests.portfolio.mutations_forger import Forger

NUMBER = re.compile(r'(<data [^>]*data-form="number" value=")(0\.\d+)(">)(0\.\d{3})(</data>)')
PAGE, CARD, CLAIMS = "index.html", "model-card.md", "claims.toml"


def page_mutations() -> Iterator[Mutation]:
    """All of them."""
    for name, change in _changes().items():
        yield forged(f"page: {name}", _on(PAGE, change))
    for name, added in ADDED.items():
        yield forged(f"page: {name}", _on(PAGE, _adding(added)))
    yield forged("card: a number edited", _on(CARD, _last_number))
    yield forged("card: another name", _on(CARD, lambda text: text.replace("trees", "forest", 1)))
    yield forged("card: a sentence added", _on(CARD, lambda text: text + "\nBest of its class.\n"))
    yield forged("claims: a word edited", _on(CLAIMS, _claim_edited, PAGE))
    yield forged("claims: a digit typed", _on(CLAIMS, _claim_typed, PAGE))
    yield forged("claims: a pointer moved", _on(CLAIMS, _claim_moved, PAGE))
    yield forged("claims: not TOML", _on(CLAIMS, lambda text: text + "\n[[["))
    yield forged("claims: nested without end", _on(CLAIMS, lambda text: text + "x=" + "[" * 5000))
    yield forged("claims: an unknown key", _on(CLAIMS, lambda text: text + '\nsurprise = "x"\n'))


ADDED = {
    "a script": "<script>document.title = 1</script>",
    "an event handler": '<p onclick="alert()">Best.</p>',
    "an image from elsewhere": '<img src="https://example.org/x.png">',
    "an image of its own": '<img src="data:image/png;base64,AA==">',
    "a frame": '<iframe src="other.html"></iframe>',
    "a form": '<form action="https://example.org"><p>Mail</p></form>',
    "a style sheet from elsewhere": '<link rel="stylesheet" href="https://example.org/x.css">',
    "a style that fetches": "<style>p { background: url(https://example.org/x) }</style>",
    "a style that writes": '<style>h1::after { content: "AUC 0.99" }</style>',
    "a style that writes in escapes": "<style>h1::after { content: '\\30.\\39\\39' }</style>",
    "an inline style that writes": '<p style="--x: url(https://example.org)">Best.</p>',
    "a typed number": "<p>The AUC is 0.99.</p>",
    "a number in other digits": "<p>The AUC is ٠٫٩٩.</p>",
    "a number as a fraction": "<p>Better by ½.</p>",
    "a number as an entity": "<p>The AUC is &#48;.&#57;&#57;.</p>",
    "a number in a tooltip": '<p title="AUC 0.99">The model.</p>',
    "a number for those who listen": '<p aria-label="AUC 0.99">The model.</p>',
    "a comment": "<!-- 0.99 -->",
    "a redirect": '<meta http-equiv="refresh" content="0;url=https://example.org">',
    "a base address": '<base href="https://example.org/">',
    "an unclosed element": "<section><p>More.</p>",
    "an element closed twice": "<p>More.</p></section></section>",
    "an unquoted attribute": "<p title=x>More.</p>",
    "a plaintext element": "<plaintext>",
    "HTML in a drawing": "<svg><foreignObject><p>0.99</p></foreignObject></svg>",
    "a javascript link": '<p><a href="javascript:alert()">More.</a></p>',
    "a conditional comment": "<![if IE]>",
    "an object": '<object data="x.swf"></object>',
    "a null character": "<p>a\0b</p>",
    "a claim of its own": '<ol class="claims"><li>It never fails.</li></ol>',
    "a praise": "<p>Reviewers agree that it is outstanding.</p>",
    "a drawing": '<svg><text x="1" y="1">AUC 0.99</text></svg>',
    "a number as code": "<p><code>AUC 0.99</code></p>",
    "a hidden style": "<style>.verdicts { display: none }</style>",
}


def _changes() -> dict[str, Callable[[str], str]]:
    return {
        "a number's text": lambda t: NUMBER.sub(r"\g<1>\g<2>\g<3>0.999\g<5>", t, count=1),
        "a number's value": lambda t: NUMBER.sub(r"\g<1>0.999\g<3>\g<4>\g<5>", t, count=1),
        "a number's text and value": lambda t: NUMBER.sub(r"\g<1>0.999\g<3>0.999\g<5>", t, count=1),
        "a number's value gone": lambda t: NUMBER.sub(
            lambda m: m.group().replace(f' value="{m.group(2)}"', ""), t, count=1
        ),
        "a number's pointer moved": lambda t: re.sub(
            r'data-at="(/predicate/result/models/\d+/estimates/\d+)/value"',
            r'data-at="\1/se"',
            t,
            count=1,
        ),
        "a pointer to nothing": lambda t: re.sub(
            r'data-at="/predicate/result/rows"', 'data-at="/predicate/result/nothing"', t, count=1
        ),
        "a pointer to no evidence": lambda t: re.sub(
            r'data-evidence="[0-9a-f]{64}"', f'data-evidence="{"e" * 64}"', t, count=1
        ),
        "a pointer to no entry": lambda t: re.sub(
            r'data-entry="\d+"', 'data-entry="99999999999999999999"', t, count=1
        ),
        "another form": lambda t: re.sub(r'data-form="number"', 'data-form="percent"', t, count=1),
        "an unknown form": lambda t: re.sub(r'data-form="number"', 'data-form="nice"', t, count=1),
        "markup in a number": lambda t: NUMBER.sub(r"\g<1>\g<2>\g<3><b>\g<4></b>\g<5>", t, count=1),
        "a verdict's word": lambda t: _swapped(t, ">accepted<", ">rejected<"),
        "a claim's word": lambda t: t.replace("numbers come from", "numbers differ from", 1),
        "a heading's word": lambda t: t.replace('"claims">Also claimed', '"claims">Proven facts'),
        "a bar moved": lambda t: re.sub(r'cx="\d+\.\d+%"', 'cx="99.00%"', t, count=1),
        "all verdicts left out": lambda t: re.sub(
            r'<(span|data) ([^>]*)data-at="[^"]*verdicts/\d+/verdict"[^>]*>[^<]*</\1>', "", t
        ),
        "the answer left out": lambda t: re.sub(
            r'<li class="claim">.*?</li>', "", t, count=1, flags=re.S
        ),
        "the answer in other words": lambda t: t.replace(" rows of the test, ", " best rows, ", 1),
        "the last claim left out": lambda t: re.sub(
            r'(.*)<li class="claim">.*?</li>', r"\1", t, count=1, flags=re.S
        ),
        "no doctype": lambda t: t.replace("<!doctype html>", "", 1),
        "not UTF-8": lambda t: t.replace("<h1", "\udcff<h1", 1),
    }


def _on(path: str, change: Callable[[str], str], *also: str) -> Callable[[Forger], set[str]]:
    def forge(forger: Forger) -> set[str]:
        text = (forger.folder / path).read_bytes().decode()
        changed = change(text)
        assert changed != text, f"{path} was not changed"
        forger.edit_file(path, changed.encode("utf-8", "surrogateescape"))
        return {path, *also}

    return forge


def _adding(text: str) -> Callable[[str], str]:
    return lambda page: page.replace("</main>", text + "</main>", 1)


def _swapped(text: str, one: str, other: str) -> str:
    first, second = (one, other) if one in text else (other, one)
    return text.replace(first, second, 1)


def _last_number(text: str) -> str:
    found = list(re.finditer(r"value: (-?\d+\.\d+)", text))
    last = found[-1]
    return text[: last.start(1)] + "0.999" + text[last.end(1) :]


def _claim_edited(text: str) -> str:
    return re.sub(r'text = "', 'text = "Without doubt: ', text, count=1)


def _claim_typed(text: str) -> str:
    return re.sub(r'text = "', 'text = "99 times: ', text, count=1)


def _claim_moved(text: str) -> str:
    return re.sub(r'at = "(evaluation/[^"]*)/value"', r'at = "\1/hi"', text, count=1)
