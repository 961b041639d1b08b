"""The page of a lineage: one file with its graph, readable without a network, and without a script.

With a script (its own, by digest in the page's policy) a node that is chosen shows what it rests on
and what rests on it. It shows names, digests and counts, and no value of the data.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Mapping

import msgspec
from markupsafe import Markup, escape

from trackrecord.data.lineage.graph import KINDS, UNSAID, WORDS, Graph, Kind, Node
from trackrecord.data.lineage.query import Query
from trackrecord.portfolio.lineage_layout import Layout, lay_out
from trackrecord.portfolio.lineage_rail import Rail, rail_of
from trackrecord.portfolio.pointers import upright
from trackrecord.portfolio.rendering import TEMPLATES, environment, style_of

HIGH, ACROSS, BETWEEN, THIN, EDGE = 50, 46, 16, 14, 12
WIDE: dict[Kind, int] = {
    "raw": 178, "file": 178, "source": 168, "step": 172, "table": 178, "features": 172,
    "case": 150, "run": 132, "evaluation": 182, "publication": 156,
}  # fmt: skip
# A graph up to so wide is made smaller to fit a screen, but no smaller than can be read; a wider
# one has to be moved in any case.
FITS, LEAST = 2100, 0.7
# Letters of broad fonts that take more than most, and less.
_WIDTHS = {**dict.fromkeys("mMW@%", 1.6), **dict.fromkeys("ijl.,:;|'!tfr()[]/ ", 0.72)}
_WIDTHS |= dict.fromkeys("w<>=+~&#ABCDEFGHIJKLNOPQRSTUVXYZ", 1.25)
# Beyond so many columns a table's are told, and not listed.
MOST_FIELDS = 80

MARKS = {"fresh": "✓", "stale": "!", "unmade": "○", "missing": "✕", "damaged": "✕", "unknown": "?"}


class Card(msgspec.Struct, frozen=True):
    """A node as it is drawn: its number, place, and text that fits."""

    node: Node
    number: int
    x: float
    y: float
    wide: int
    name: str
    line: str
    told: str


def render_lineage(
    graph: Graph,
    *,
    title: str,
    tool: str,
    focus: str | None = None,
    queries: Mapping[str, Query] | None = None,
) -> str:
    """The page as HTML.

    ``focus`` is the node that it opens with, ``queries`` what the steps in SQL say, by the id of
    the table that they make.
    """
    layout = lay_out(
        [node.id for node in graph.nodes],
        [(edge.source, edge.target) for edge in graph.edges],
        size=HIGH, gap=BETWEEN, thin=THIN,
    )  # fmt: skip
    columns = _columns(graph, layout)
    cards = [_card(number, node, layout, columns) for number, node in enumerate(graph.nodes)]
    number_of = {card.node.id: card.number for card in cards}
    script = (TEMPLATES / "lineage" / "lineage.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made = environment()
    made.filters["upright"] = upright
    made.filters["whole"] = lambda value: f"{value:,}"
    made.filters["moment"] = lambda text: text[:16].replace("T", " ")
    counts = [(kind, [n.kind for n in graph.nodes].count(kind)) for kind in KINDS]
    return made.get_template("lineage/lineage.html").render(
        **style_of("page.css", "lineage/lineage.css"),
        script=Markup(script),
        script_digest=digest,
        title=title,
        tool=tool,
        graph=graph,
        cards=cards,
        counts=[(count, WORDS[kind][count != 1]) for kind, count in counts if count],
        amiss=[card for card in cards if card.node.state != "fresh"],
        word=lambda node: WORDS[node.kind][0],
        mark=MARKS,
        picture=_picture(graph, cards, layout, columns),
        rail=_rail_picture(graph, rail_of(graph), number_of),
        rail_order=[cards[number_of[name]] for name in rail_of(graph).order],
        up={c.number: [cards[number_of[n]] for n in graph.above[c.node.id]] for c in cards},
        down={c.number: [cards[number_of[n]] for n in graph.below[c.node.id]] for c in cards},
        focus=None if focus is None else number_of[focus],
        fields={card.number: _fields(card.node, queries or {}) for card in cards},
        most=MOST_FIELDS,
    )


def _columns(graph: Graph, layout: Layout) -> list[tuple[float, int]]:
    """Where each layer begins, and how wide it is."""
    widths = [0] * layout.layers
    for node in graph.nodes:
        layer = layout.places[node.id].layer
        widths[layer] = max(widths[layer], WIDE[node.kind])
    found, x = [], float(EDGE)
    for width in widths:
        found.append((x, width))
        x += width + ACROSS
    return found


def _card(number: int, node: Node, layout: Layout, columns: list[tuple[float, int]]) -> Card:
    place = layout.places[node.id]
    left, room = columns[place.layer]
    wide = WIDE[node.kind]
    return Card(
        node,
        number,
        left + (room - wide) / 2,
        place.middle - HIGH / 2 + EDGE,
        wide,
        fitting(upright(node.name), 9.75, wide - (52 if node.state == "fresh" else 67)),
        _line(node, wide - 50),
        _told(node),
    )


def _line(node: Node, room: float) -> str:
    """What a card says below the name: the kind and something about it, or that alone."""
    whole = _told(node)
    text = fitting(upright(whole), 7.1, room)
    if text != upright(whole):
        text = fitting(upright(whole.rpartition(" · ")[2]), 7.1, room)
    return text


def _told(node: Node) -> str:
    """The kind, and something about it."""
    kind, told = WORDS[node.kind][0], ""
    if node.kind == "raw":
        licence = node.facts.get("licence", "")
        told = "no licence" if licence == UNSAID else licence
    elif node.rows is not None and node.kind != "run":
        told = f"{node.rows:,} row{'' if node.rows == 1 else 's'}"
    elif node.kind == "step":
        told = node.facts.get("written in", "")
    else:
        told = node.facts.get("case", "")
    return f"{kind} · {told}" if told else kind


def fitting(text: str, unit: float, room: float) -> str:
    """Text cut so that it fits into ``room`` pixels, where most letters take ``unit`` of them."""
    width, kept = 0.0, 0
    for number, letter in enumerate(text):
        broad = unicodedata.east_asian_width(letter) in "WF"
        width += unit * (1.6 if broad else _WIDTHS.get(letter, 1.0))
        if width <= room - 1.5 * unit:
            kept = number + 1
        if width > room:
            return text[:kept].rstrip() + "…"
    return text


def _picture(
    graph: Graph, cards: list[Card], layout: Layout, columns: list[tuple[float, int]]
) -> Markup:
    """The graph as SVG: arrows first, so that cards lie on them."""
    wide = columns[-1][0] + columns[-1][1] + EDGE if columns else 2 * EDGE
    high = max(layout.length, HIGH) + 2 * EDGE
    parts = [
        f'<svg class="least" width="{LEAST * wide if wide <= FITS else wide:.0f}" height="0" '
        f'aria-hidden="true"></svg><svg class="graph{" fits" if wide <= FITS else ""}" '
        f'width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" role="group" '
        f'aria-label="Lineage of {len(cards)} things, from left to right">'
    ]
    by_id = {card.node.id: card for card in cards}
    for (source, target), route in layout.routes.items():
        a, b = by_id[source], by_id[target]
        state = "" if a.node.state == "fresh" else " amiss"
        stops = [(a.x, a.x + a.wide, a.y + HIGH / 2)]
        for bend in route[1:-1]:
            left, room = columns[bend.layer]
            stops.append((left, left + room, bend.middle + EDGE))
        stops.append((b.x, b.x, b.y + HIGH / 2))
        parts.append(
            f'<path class="e{state}" data-a="{a.number}" data-b="{b.number}" d="{_path(stops)}"/>'
        )
    parts += [_drawn(card) for card in cards]
    return Markup("".join(parts) + "</svg>")


def _path(stops: list[tuple[float, float, float]]) -> str:
    """A smooth way through (left, right, middle), straight across a layer, and its head."""
    _, x, y = stops[0]
    told = [f"M{x:.0f} {y:.1f}"]
    for left, right, middle in stops[1:]:
        half = (left - x) / 2
        told.append(
            f"C{x + half:.0f} {y:.1f} {left - half:.0f} {middle:.1f} {left:.0f} {middle:.1f}"
        )
        x, y = right, middle
        if right > left:
            told.append(f"H{x:.0f}")
    return "".join([*told, f"m-7 -4.5L{x:.0f} {y:.1f}l-7 4.5"])


def _drawn(card: Card) -> str:
    node = card.node
    mark = (
        ""
        if node.state == "fresh"
        else f'<text class="mark" x="{card.x + card.wide - 17:.0f}" y="{card.y + 22:.1f}">'
        f"{MARKS[node.state]}</text>"
    )
    label = f"{WORDS[node.kind][0]} {node.name}, {node.state}"
    return (
        f'<a class="n {node.kind} {node.state}" href="#n{card.number}" data-n="{card.number}" '
        f'aria-label="{escape(upright(label))}">'
        f"<title>{escape(upright(node.name))}</title>"
        f'<rect class="card" x="{card.x:.0f}" y="{card.y:.1f}" width="{card.wide}" height="{HIGH}" '
        f'rx="{HIGH / 2 if node.kind == "step" else 7:g}"/>'
        f'<use href="#i-{node.kind}" x="{card.x + 13:.0f}" y="{card.y + 15:.1f}" '
        'width="20" height="20"/>'
        f'<text class="called" x="{card.x + 43:.0f}" y="{card.y + 22:.1f}">'
        f"{escape(card.name)}</text>"
        f'<text x="{card.x + 43:.0f}" y="{card.y + 38:.1f}">{escape(card.line)}</text>'
        f"{mark}</a>"
    )


def _rail_picture(graph: Graph, rail: Rail, number_of: Mapping[str, int]) -> Markup:
    """The lines beside the list that a phone shows: one for each node, down to its last use."""
    high, pitch = 56, min(16.0, 132 / max(1, rail.lanes))
    wide = rail.lanes * pitch + 10

    def x(name: str) -> float:
        return 9 + rail.lane[name] * pitch

    def y(name: str) -> float:
        return rail.row[name] * high + high / 2

    parts = [
        f'<svg class="lines" width="{wide:.0f}" height="{len(rail.order) * high}" '
        'aria-hidden="true">'
    ]
    for edge in graph.edges:
        if rail.row[edge.source] >= rail.row[edge.target]:
            continue
        a, b, c, d = x(edge.source), y(edge.source), x(edge.target), y(edge.target)
        bend = "" if a == c else f"V{d - 18:.0f}C{a:.1f} {d - 6:.0f} {c:.1f} {d - 14:.0f} "
        state = "" if graph.by_id[edge.source].state == "fresh" else " amiss"
        parts.append(
            f'<path class="e{state}" data-a="{number_of[edge.source]}" '
            f'data-b="{number_of[edge.target]}" d="M{a:.1f} {b:.0f}'
            + (f"{bend}{c:.1f} {d:.0f}" if bend else f"V{d:.0f}")
            + '"/>'
        )
    for node in graph.nodes:
        parts.append(
            f'<circle class="{node.kind} {node.state}" data-n="{number_of[node.id]}" '
            f'cx="{x(node.id):.1f}" cy="{y(node.id):.0f}" r="{min(5.0, pitch / 2.4):.1f}"/>'
        )
    return Markup("".join(parts) + "</svg>")


def _fields(node: Node, queries: Mapping[str, Query]) -> list[tuple[str, str, str]]:
    """Columns with their kinds, and the expression where SQL makes them."""
    query = queries.get(node.id)
    found = []
    for field in node.fields[:MOST_FIELDS]:
        term = query.term(field.name) if query else None
        found.append((field.name, field.kind, term.expression if term else ""))
    return found
