"""The published page in a real browser: asks for nothing, fits a phone, reads in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.portfolio.example import example_workspace

from trackrecord.portfolio.drafts import draft_claims
from trackrecord.portfolio.page import render_page
from trackrecord.portfolio.record import read_record

pytestmark = pytest.mark.browser

HOSTILE = "</style></title><script>document.title='owned'</script><img src=x onerror=owned()>"
LONG = "a_column_whose_name_never_ends_" * 6

# Text below 4.5 : 1 against what is behind it (WCAG 2.2, 1.4.3); large text may have 3 : 1.
CONTRAST = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  let seen = 0;
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(c => c.nodeType === 3 && c.data.trim());
    const box = node.getBoundingClientRect();
    if (!own || box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(node);
    const drawn = node.namespaceURI.endsWith('svg');
    const [a, b] = [light(parse(drawn ? style.fill : style.color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = parseFloat(style.fontSize) >= 24;
    seen += 1;
    const said = node.textContent.slice(0, 40);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${said}`);
  }
  return {seen, poor};
}"""

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  const inside = node => node.closest('.scroll, pre, .unseen, details:not([open])');
  const cut = node => node.matches('td, th') && node.scrollWidth > node.clientWidth + 1;
  return [...document.querySelectorAll('body *')]
    .filter(node => !inside(node) && (node.getBoundingClientRect().right > wide + 1 || cut(node)))
    .map(node => `${node.tagName} ${node.textContent.slice(0, 40)}`);
}"""


def write_page(folder: Path, *changes: tuple[str, str], **options: bool) -> Path:
    workspace = example_workspace(folder / "w", *changes, rows=900, **options)  # type: ignore[arg-type]
    record = read_record(workspace.evidence, "flights")
    path = folder / "index.html"
    path.write_text(render_page(record, draft_claims(record)), "utf-8")
    return path


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("usual"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(
        tmp_path_factory.mktemp("hostile"),
        ("Will this flight arrive", f"{HOSTILE} Will this flight arrive"),
        ("ranks better than the table", f"{HOSTILE}{LONG}"),
        ("One year, 3 airports.", f"{HOSTILE} {LONG}"),
        ('"dep_time"', f'"dep_time", "{HOSTILE}", "{LONG}"'),
        ('name = "random split"', f'name = "{HOSTILE}"'),
    )


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Opens a page; gives the page, the addresses that it asked for, and what it complained of."""
    contexts = []

    def open_page(path: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page, asked, said

    yield open_page
    for context in contexts:
        context.close()


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(usual: Path, opened: Any) -> None:
    page, asked, said = opened(usual)
    page.locator("details > summary").first.click()
    assert asked == [usual.as_uri()]
    assert said == []


@pytest.mark.parametrize("width", [320, 360, 414, 768, 1024, 1280, 1920])
def test_nothing_runs_out_of_the_page(usual: Path, opened: Any, width: int) -> None:
    page, _, _ = opened(usual, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(usual: Path, opened: Any, scheme: str) -> None:
    page, _, _ = opened(usual, color_scheme=scheme)
    for details in page.locator("details > summary").all():
        details.click()
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 300
    assert found["poor"] == []


def test_dark_is_dark_and_light_is_light(usual: Path, opened: Any) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light, _, _ = opened(usual, color_scheme="light")
    dark, _, _ = opened(usual, color_scheme="dark")
    assert light.evaluate(paper) == "rgb(253, 253, 251)"
    assert dark.evaluate(paper) == "rgb(21, 24, 27)"


def test_hostile_words_do_not_run_and_are_there_to_be_read(hostile: Path, opened: Any) -> None:
    page, asked, said = opened(hostile)
    assert page.title() != "owned"
    assert page.locator("script, img").count() == 0
    assert "<script>document.title='owned'</script>" in page.locator("h1").inner_text()
    assert asked == [hostile.as_uri()]
    assert said == []


@pytest.mark.parametrize("width", [360, 1280])
def test_endless_names_do_not_break_the_page(hostile: Path, opened: Any, width: int) -> None:
    page, _, _ = opened(hostile, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_reads_the_same_without_scripts(usual: Path, opened: Any) -> None:
    on, _, _ = opened(usual)
    off, _, _ = opened(usual, java_script_enabled=False)
    assert off.locator("main").inner_text() == on.locator("main").inner_text()
    assert off.locator("svg.curve").first.is_visible()


def test_a_script_that_got_in_would_be_stopped_by_the_policy(usual: Path, opened: Any) -> None:
    tampered = usual.with_name("tampered.html")
    text = usual.read_text("utf-8").replace("</main>", "<script>document.title='x'</script></main>")
    tampered.write_text(text, "utf-8")
    page, _, said = opened(tampered)
    assert page.title() != "x"
    assert any("Content Security Policy" in text for text in said)


def test_pictures_have_size_and_their_text_is_text(usual: Path, opened: Any) -> None:
    page, _, _ = opened(usual)
    box = page.locator("svg.curve").first.bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert box["width"] > 250
    assert page.locator("svg.curve text").count() > 4
    for lane in page.locator("svg.lane").all()[:40]:
        assert lane.bounding_box()["width"] > 60


def test_headings_and_tables_are_named_for_readers_who_listen(usual: Path, opened: Any) -> None:
    page, _, _ = opened(usual)
    assert page.locator("h1").count() == 1
    sections = page.locator("section")
    for section in sections.all():
        named = section.get_attribute("aria-labelledby")
        assert page.locator(f"#{named}").count() == 1
    assert page.locator("table:not(:has(th[scope]))").count() == 0
    drawn = "[...document.querySelectorAll('svg')].filter(s => !s.parentElement.closest('svg'))"
    unnamed = ".filter(s => !s.hasAttribute('aria-hidden') && !s.hasAttribute('aria-label')).length"
    assert page.evaluate(drawn + ".length") > 50
    assert page.evaluate(drawn + unnamed) == 0
    assert page.locator("html").get_attribute("lang") == "en"


def test_printed_it_has_light_paper_and_its_hidden_numbers(usual: Path, opened: Any) -> None:
    page, _, _ = opened(usual, color_scheme="dark")
    page.emulate_media(media="print")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert page.locator("details table").first.bounding_box()["height"] > 50
    assert page.pdf(format="A4", prefer_css_page_size=True)[:5] == b"%PDF-"
