"""The page as bytes: escaped, self-contained, the same for the same graph."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from trackrecord.data.lineage.graph import Edge, Field, Graph, Node, ordered
from trackrecord.data.lineage.query import Origin, Query, Term
from trackrecord.portfolio.lineage import fitting, render_lineage

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=owned()>\"'&"
KINDS = (
    "raw", "file", "source", "step", "table", "features", "case", "run", "evaluation",
    "publication",
)  # fmt: skip


def graph(name: str = "orders") -> Graph:
    """One node of each kind, in a row."""
    nodes = [
        Node(
            id=f"{kind}:{name}", kind=kind, name=name, file=f"data/{name}", digest="ab" * 32,
            made="2024-05-01T10:00:00Z", rows=3, facts={"licence": name, name: name},
            state="stale" if kind == "case" else "fresh", why=name if kind == "case" else "",
            fields=[Field(name, "number")],
        )
        for kind in KINDS
    ]  # fmt: skip
    edges = [Edge(one.id, other.id) for one, other in pairwise(nodes)]
    return ordered(nodes, edges, [f"a problem with {name}"])


class Tags(HTMLParser):
    """Which tags and attributes a page really has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]


def page(of: Graph, title: str = "shop", **more: object) -> str:
    return render_lineage(of, title=title, tool="1.2.3", **more)  # type: ignore[arg-type]


def test_hostile_names_are_text_wherever_they_stand() -> None:
    hostile = graph(HOSTILE)
    queries = {
        node.id: Query([Term(HOSTILE, HOSTILE, [Origin(HOSTILE, HOSTILE)])])
        for node in hostile.nodes
    }
    mild, wild = Tags(page(graph())), Tags(page(hostile, HOSTILE, queries=queries))
    assert "img" not in wild.tags
    assert wild.tags.count("script") == mild.tags.count("script") == 1
    assert not {name for name in wild.attributes if name.startswith("on")}
    assert "style" not in wild.attributes


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = page(graph())
    assert all(link.startswith("#") for link in Tags(text).links)
    assert not re.search(r"https?://|url\(|@import|src=", text)
    assert "default-src 'none'" in text


def test_every_link_leads_to_something_and_no_id_is_there_twice() -> None:
    found = Tags(page(graph()))
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links} <= set(found.ids)


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert page(graph()) == page(graph())


def test_it_says_how_many_there_are_and_how_many_are_not_fresh() -> None:
    text = re.sub(r"<[^>]+>", "", page(graph()))
    assert "1 raw file, 1 file, 1 source, 1 step, 1 table, 1 feature view" in text
    assert "1 is not fresh." in text
    assert "a problem with orders" in text


def test_an_empty_workspace_has_a_page() -> None:
    assert "Nothing is here yet" in page(Graph([], []))


def test_a_table_of_thousands_of_columns_lists_some_and_counts_the_rest() -> None:
    wide = Node(
        id="table:w", kind="table", name="w", fields=[Field(f"c{n}") for n in range(5000)]
    )  # fmt: skip
    text = page(Graph([wide], []))
    assert "5,000 columns" in text
    assert "and 4920 more" in text
    assert len(text) < 200_000


@pytest.mark.parametrize(
    ("text", "fits"),
    [("orders", "orders"), ("a" * 100, "…"), ("日本語" * 20, "…"), ("", ""), ("WWWWWWWWWWWW", "…")],
)
def test_a_name_is_cut_where_it_would_leave_its_card(text: str, fits: str) -> None:
    found = fitting(text, 9, 120)
    assert found.endswith(fits)
    assert len(found) <= 14
