"""The graph of a workspace: raw bytes, sources, steps, tables, features, cases, runs, results.

Edges go the way that data does: from what is read to what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Literal

import msgspec

from trackrecord.errors import BadInput, suggest

Kind = Literal[
    "raw", "file", "source", "step", "table", "features", "case", "run", "evaluation", "publication"
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
TABLES: tuple[Kind, ...] = ("source", "table", "features")

# fresh: made of what is there now. stale: something it was made of is another by now. unmade: not
# made yet. missing: was made, is gone. damaged: cannot be read. unknown: nothing says how it was
# made.
State = Literal["fresh", "stale", "unmade", "missing", "damaged", "unknown"]


# A kind in words, of one and of several.
WORDS: dict[Kind, tuple[str, str]] = {
    "raw": ("raw file", "raw files"),
    "file": ("file", "files"),
    "source": ("source", "sources"),
    "step": ("step", "steps"),
    "table": ("table", "tables"),
    "features": ("feature view", "feature views"),
    "case": ("case", "cases"),
    "run": ("run", "runs"),
    "evaluation": ("evaluation", "evaluations"),
    "publication": ("page", "pages"),
}

# What is shown of an origin or a licence that nobody wrote down.
UNSAID = "nobody has said"


class Field(msgspec.Struct, frozen=True):
    """A column, and what is known of its kind."""

    name: str
    kind: str = ""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of the workspace.

    ``digest`` is the SHA-256 that it was last made with (of a result: of its evidence), ``made``
    when, RFC 3339 in UTC. ``why`` says what is amiss where it is not fresh. ``facts`` are words
    about it, in the order they are shown.
    """

    id: str
    kind: Kind
    name: str
    file: str = ""
    digest: str = ""
    made: str = ""
    state: State = "fresh"
    why: str = ""
    rows: int | None = None
    facts: dict[str, str] = {}
    fields: list[Field] = []

    @property
    def called(self) -> str:
        """Kind and name, the kind once."""
        return self.name if self.name.startswith(f"{self.kind} ") else f"{self.kind} {self.name}"


class Edge(msgspec.Struct, frozen=True, order=True):
    """``target`` is made of ``source``: ids of two nodes."""

    source: str
    target: str


class Graph(msgspec.Struct, frozen=True, dict=True):
    """Nodes stand after what they are made of; ``problems`` say what could not be read."""

    nodes: list[Node]
    edges: list[Edge]
    problems: list[str] = []

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """Every node by its id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def above(self) -> dict[str, list[str]]:
        """What each node is made of."""
        return self._neighbours(lambda edge: (edge.target, edge.source))

    @cached_property
    def below(self) -> dict[str, list[str]]:
        """What is made of each node."""
        return self._neighbours(lambda edge: (edge.source, edge.target))

    def _neighbours(self, ends: Callable[[Edge], tuple[str, str]]) -> dict[str, list[str]]:
        place = {node.id: number for number, node in enumerate(self.nodes)}
        found: dict[str, list[str]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            at, other = ends(edge)
            found[at].append(other)
        return {at: sorted(others, key=place.__getitem__) for at, others in found.items()}

    def reach(self, start: str, ways: dict[str, list[str]]) -> set[str]:
        """All that ``ways`` lead to from a node, without the node itself."""
        seen: set[str] = set()
        left = list(ways[start])
        while left:
            node = left.pop()
            if node not in seen:
                seen.add(node)
                left += ways[node]
        return seen - {start}

    def upstream(self, start: str) -> set[str]:
        """All that a node rests on."""
        return self.reach(start, self.above)

    def downstream(self, start: str) -> set[str]:
        """All that rests on a node."""
        return self.reach(start, self.below)

    def around(self, start: str) -> Graph:
        """A node with all that it rests on and all that rests on it."""
        kept = {start} | self.upstream(start) | self.downstream(start)
        return Graph(
            [node for node in self.nodes if node.id in kept],
            [edge for edge in self.edges if edge.source in kept and edge.target in kept],
            self.problems,
        )


def ordered(nodes: Iterable[Node], edges: Iterable[Edge], problems: Iterable[str] = ()) -> Graph:
    """A graph whose nodes stand after what they are made of, and its edges without repeats.

    Between nodes that do not wait for one another the order is of kind, then name. A circle is no
    error here: it is among the problems, its nodes come last, and are damaged.
    """
    import heapq

    known = {node.id: node for node in nodes}
    kept = sorted({e for e in edges if e.source in known and e.target in known})
    waits: dict[str, set[str]] = {name: set() for name in known}
    feeds: dict[str, list[str]] = {name: [] for name in known}
    for edge in kept:
        waits[edge.target].add(edge.source)
        feeds[edge.source].append(edge.target)
    rank = {name: (KINDS.index(node.kind), node.name, name) for name, node in known.items()}
    ready = [rank[name] for name in known if not waits[name]]
    heapq.heapify(ready)
    found: list[Node] = []
    while ready:
        name = heapq.heappop(ready)[2]
        found.append(known.pop(name))
        for target in feeds[name]:
            waits[target].discard(name)
            if not waits[target]:
                heapq.heappush(ready, rank[target])
    told = list(problems)
    if known:
        circle = _circle({name: waits[name] for name in known})
        names = " → ".join(known[name].called for name in circle)
        told.append(f"these wait for one another in a circle: {names}")
        for name in sorted(known, key=rank.__getitem__):
            node = known[name]
            in_it = name in circle
            why = f"it is in a circle: {names}" if in_it else "what it stands on is in a circle"
            found.append(msgspec.structs.replace(node, state="damaged", why=why))
    return Graph(found, kept, list(dict.fromkeys(told)))


def _circle(waits: dict[str, set[str]]) -> list[str]:
    """One way from a node back to itself, in the direction of data."""
    path = [min(waits)]
    while True:
        following = min(waits[path[-1]])
        if following in path:
            found = [*path[path.index(following) :], following]
            return found[::-1]
        path.append(following)


def settled(graph: Graph) -> Graph:
    """The same graph, where what stands on something that is not fresh is stale itself.

    Raw bytes that are gone, and files of unknown origin, make nothing stale: what was made of them
    is still what it was. Nor is a step stale for what it reads, but the table that it made is.
    """
    states = {node.id: node for node in graph.nodes}
    for node in graph.nodes:
        if node.state != "fresh" or node.kind == "step":
            continue
        for other in (states[name] for name in _stands_on(graph, node)):
            if other.kind == "raw" or other.state in ("fresh", "unknown"):
                continue
            why = f"the {other.called}, which it stands on, is {other.state}"
            states[node.id] = msgspec.structs.replace(node, state="stale", why=why)
            break
    return Graph([states[node.id] for node in graph.nodes], graph.edges, graph.problems)


def _stands_on(graph: Graph, node: Node) -> list[str]:
    """What a node is made of, and for a step, what that reads."""
    found = []
    for name in graph.above[node.id]:
        found.append(name)
        if graph.by_id[name].kind == "step":
            found += graph.above[name]
    return found


def find_node(graph: Graph, named: str) -> Node:
    """The node with this name: a table before a case before anything else, or ``kind:name``.

    Raises BadInput with the nearest name.
    """
    if named in graph.by_id:
        return graph.by_id[named]
    found = [node for node in graph.nodes if named in (node.name, node.file)]
    order: list[Kind] = [*TABLES, "file", "case", "step"]
    found.sort(key=lambda node: order.index(node.kind) if node.kind in order else len(order))
    if found:
        return found[0]
    names = sorted({node.name for node in graph.nodes if node.kind in order})
    near = suggest(named, names)
    raise BadInput(
        f"there is no table and no case {named!r} in this workspace",
        why=f"did you mean {near!r}?" if near else f"there are: {', '.join(names[:30]) or 'none'}",
        next="trackrecord data lineage" if names else "trackrecord data add FILE --name NAME",
    )
