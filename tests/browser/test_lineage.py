"""The page of a lineage in a real browser: chosen by hand and by key, on a desk and on a phone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_page_in_chromium import CONTRAST, OVERFLOW
from tests.data.lineage.test_page import HOSTILE

from trackrecord.data.lineage.graph import Edge, Field, Graph, Node, ordered
from trackrecord.portfolio.lineage import render_lineage

pytestmark = pytest.mark.browser

SHOP = (
    ("raw", "orders.csv"), ("source", "orders"), ("raw", "customers.csv"), ("source", "customers"),
    ("step", "clean.sql"), ("table", "clean"), ("step", "daily.py"), ("table", "daily"),
    ("case", "returns"), ("run", "run 0001"), ("evaluation", "test of run 0001"),
)  # fmt: skip
ARROWS = ((0, 1), (2, 3), (1, 4), (3, 4), (4, 5), (5, 6), (6, 7), (5, 8), (8, 9), (9, 10))


def shop(suffix: str = "") -> Graph:
    nodes = [
        Node(
            id=str(number), kind=kind, name=name + suffix, digest="ab" * 32, rows=1_234,
            state="stale" if name == "daily" else "fresh", why="the Python changed",
            made="2024-05-01T10:00:00Z", facts={"licence": "CC0-1.0" + suffix},
            fields=[Field("amount" + suffix, "number")],
        )
        for number, (kind, name) in enumerate(SHOP)
    ]  # fmt: skip
    return ordered(nodes, [Edge(str(a), str(b)) for a, b in ARROWS])


def large() -> Graph:
    draw = random.Random(7)
    nodes = [
        Node(id=f"n{n}", kind="table", name=f"table_{n}", rows=n, fields=[Field("x")])
        for n in range(500)
    ]
    edges = [
        Edge(f"n{draw.randrange(max(0, n - 40), n)}", f"n{n}")
        for n in range(50, 500)
        for _ in range(draw.choice([1, 1, 2, 3]))
    ]
    return ordered(nodes, edges)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lineage")
    found = {}
    for name, graph in (("usual", shop()), ("hostile", shop(HOSTILE)), ("large", large())):
        found[name] = folder / f"{name}.html"
        found[name].write_text(render_lineage(graph, title=name, tool="1.0.0"), "utf-8")
    return found


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Opens a page; gives it, the addresses that it asked for, and what it complained of."""
    contexts = []

    def open_page(path: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
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


PHONE = {"viewport": {"width": 390, "height": 844}}


def lit(page: Any, where: str, how: str) -> set[str]:
    """Names of the nodes that are lit, in the graph or in the list."""
    found = page.locator(f"{where} .n.{how}")
    return {one.locator(".called").text_content() for one in found.all()}


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(
    pages: dict[str, Path], opened: Any
) -> None:
    page, asked, said = opened(pages["usual"])
    page.locator(".graph .n", has_text="clean.sql").click()
    assert asked == [pages["usual"].as_uri()]
    assert said == []


def test_a_click_lights_what_it_rests_on_and_shows_its_details(
    pages: dict[str, Path], opened: Any
) -> None:
    page, _, _ = opened(pages["usual"])
    page.locator(".graph .n.table", has_text="clean").click()
    assert lit(page, ".graph", "up") == {
        "orders.csv", "orders", "customers.csv", "customers", "clean.sql",
    }  # fmt: skip
    assert "returns" in lit(page, ".graph", "down")
    panel = page.locator(".panel")
    assert panel.is_visible()
    assert "1,234" in panel.inner_text()
    assert page.locator(".graph .e.up").count() == 5
    page.locator(".panel button").click()
    assert not panel.is_visible()
    assert page.locator(".chosen").count() == 0


def test_arrow_keys_walk_along_the_arrows_and_escape_ends_it(
    pages: dict[str, Path], opened: Any
) -> None:
    page, _, _ = opened(pages["usual"])
    page.locator(".graph .n.table", has_text="clean").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    assert lit(page, ".graph", "on") == {"clean.sql"}
    page.keyboard.press("ArrowRight")
    assert lit(page, ".graph", "on") == {"clean"}
    page.keyboard.press("Escape")
    assert page.locator(".chosen").count() == 0


def test_a_name_that_is_typed_is_found(pages: dict[str, Path], opened: Any) -> None:
    page, _, _ = opened(pages["usual"])
    page.locator("#find").fill("returns")
    assert lit(page, ".graph", "on") == {"returns"}


def test_a_phone_gets_a_list_that_does_the_same(pages: dict[str, Path], opened: Any) -> None:
    page, _, said = opened(pages["usual"], **PHONE)
    assert not page.locator(".graph").is_visible()
    page.locator(".rail .n.table", has_text="clean").first.click()
    assert "orders.csv" in lit(page, ".rail", "up")
    assert page.locator(".panel").is_visible()
    assert said == []


@pytest.mark.parametrize("name", ["usual", "hostile"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_runs_out_of_the_page(
    pages: dict[str, Path], opened: Any, width: int, name: str
) -> None:
    page, _, _ = opened(pages[name], viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if name == "usual":
        assert page.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_all_text_has_contrast(
    pages: dict[str, Path], opened: Any, scheme: str, width: int
) -> None:
    page, _, _ = opened(
        pages["usual"], color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 40
    assert found["poor"] == []


def test_hostile_names_do_not_run_and_can_be_read(pages: dict[str, Path], opened: Any) -> None:
    page, asked, said = opened(pages["hostile"])
    page.locator(".graph .n.case").click()
    assert page.title() == "Lineage of hostile"
    assert page.locator("img").count() == 0
    assert "<script>document.title='owned'</script>" in page.locator(".panel h3").inner_text()
    assert asked == [pages["hostile"].as_uri()]
    assert said == []


def test_text_stays_on_its_card(pages: dict[str, Path], opened: Any) -> None:
    for name in ("usual", "hostile", "large"):
        page, _, _ = opened(pages[name])
        assert (
            page.evaluate("""() => [...document.querySelectorAll('.graph .n')].filter(node => {
          const card = node.querySelector('.card').getBBox();
          const mark = node.querySelector('.mark')?.getBBox() ?? {x: card.x + card.width};
          return [...node.querySelectorAll('text:not(.mark)')].some(text => {
            const box = text.getBBox();
            const end = text.matches('.called') ? mark.x : card.x + card.width;
            return box.x < card.x || box.x + box.width > end;
          });
        }).map(node => node.textContent)""")
            == []
        )


def test_without_a_script_names_lead_to_their_details(pages: dict[str, Path], opened: Any) -> None:
    page, _, _ = opened(pages["usual"], java_script_enabled=False)
    assert not page.locator(".tools").is_visible()
    page.locator(".graph .n.table", has_text="clean").click()
    assert page.locator("article:target h3").inner_text().startswith("clean")


def test_five_hundred_nodes_answer_at_once(pages: dict[str, Path], opened: Any) -> None:
    began = time.monotonic()
    page, _, said = opened(pages["large"])
    assert page.locator(".graph .n").count() == 500
    # A second or so on two idle cores; the bound leaves room for a busy machine.
    assert time.monotonic() - began < 15
    took = page.evaluate("""() => {
      const node = document.querySelector('.graph .n[data-n="450"]');
      const began = performance.now();
      node.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
      document.body.getBoundingClientRect();
      return performance.now() - began;
    }""")
    assert took < 1500
    assert said == []
