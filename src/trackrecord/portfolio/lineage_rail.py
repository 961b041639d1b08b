"""A graph as a list with lines beside it, as wide as a phone: a row and a lane for each node."""

from __future__ import annotations

import msgspec

from trackrecord.data.lineage.graph import Graph


class Rail(msgspec.Struct, frozen=True):
    """``order`` are the rows; a node's line stays in its ``lane`` down to its last use."""

    order: list[str]
    row: dict[str, int]
    lane: dict[str, int]
    lanes: int


def rail_of(graph: Graph) -> Rail:
    """Rows in the direction of data, what belongs together close, and lanes used again."""
    order = _order(graph)
    row = {name: number for number, name in enumerate(order)}
    last = {
        name: max((row[other] for other in graph.below[name]), default=row[name]) for name in order
    }
    lane: dict[str, int] = {}
    busy: list[int] = []  # the row up to which each lane is taken
    for name in order:
        here = row[name]
        # A line that ends here may go on as this node's own.
        ends = [lane[o] for o in graph.above[name] if o in lane and last[o] == here]
        free = [number for number, until in enumerate(busy) if until < here]
        chosen = min(ends, default=min(free, default=len(busy)))
        if chosen == len(busy):
            busy.append(here)
        lane[name] = chosen
        busy[chosen] = max(here, last[name])
    return Rail(order, row, lane, len(busy))


def _order(graph: Graph) -> list[str]:
    """After what it is made of, and as soon as that is there; the rest where a circle is."""
    waits = {node.id: len(graph.above[node.id]) for node in graph.nodes}
    ready = [node.id for node in reversed(graph.nodes) if not waits[node.id]]
    found: list[str] = []
    while ready:
        name = ready.pop()
        found.append(name)
        for other in reversed(graph.below[name]):
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    placed = set(found)
    return found + [node.id for node in graph.nodes if node.id not in placed]
