"""Places the nodes of a graph in layers, so that every arrow goes one way and few cross.

Four steps, after Sugiyama, Tagawa and Toda (IEEE Transactions on Systems, Man, and Cybernetics
11:2, 1981): layers, bends where an edge passes a layer, the order in each layer, places. The last
is a least-squares fit of each layer to its neighbours that keeps the order and the distances:
pooled adjacent violators (Barlow et al., 1972).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

SWEEPS = 12


class Place(msgspec.Struct, frozen=True):
    """Where a node is: its layer, counted from 0, and its middle along the layer."""

    layer: int
    middle: float


class Layout(msgspec.Struct, frozen=True):
    """Places of all nodes; ``routes`` has the middles that each edge goes through, ends included.

    A route's points are one layer apart. ``length`` is the extent of the longest layer.
    """

    places: dict[str, Place]
    routes: dict[tuple[str, str], list[Place]]
    layers: int
    length: float


def lay_out(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    *,
    size: float = 1.0,
    gap: float = 0.35,
    thin: float = 0.2,
) -> Layout:
    """The layout of a graph without circles.

    Parameters
    ----------
    nodes:
        In an order in which each stands after those that it is made of. Edges that go against it
        (of a circle) are left out.
    size, gap, thin:
        A node's extent along its layer, the space between two, and the extent of an edge that
        passes between nodes.
    """
    rank = {name: number for number, name in enumerate(nodes)}
    forward = {(rank[a], rank[b]) for a, b in edges if rank[a] < rank[b]}
    kept = [(nodes[a], nodes[b]) for a, b in sorted(forward)]
    layer = _layers(nodes, kept)
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in nodes:
        rows[layer[name]].append(name)
    above: dict[str, list[str]] = {name: [] for name in nodes}
    below: dict[str, list[str]] = {name: [] for name in nodes}
    chains: dict[tuple[str, str], list[str]] = {}
    bends: dict[tuple[str, int], str] = {}
    for a, b in kept:
        chain = [a]
        for between in range(layer[a] + 1, layer[b]):
            # Edges from one node share their way as long as it is one.
            bend = bends.setdefault((a, between), f"\0{rank[a]}:{between}")
            if bend not in above:
                above[bend], below[bend] = [], []
                rows[between].append(bend)
            chain.append(bend)
        chains[a, b] = [*chain, b]
        for one, other in zip(chain, [*chain[1:], b], strict=True):
            if other not in below[one]:
                below[one].append(other)
                above[other].append(one)
    rows = _uncrossed(rows, above, below)
    middles = _middles(rows, above, below, {n: size if n in rank else thin for n in above}, gap)
    end = max((middles[row[-1]] + size / 2 for row in rows if row), default=0.0)
    at = {name: Place(number, middles[name]) for number, row in enumerate(rows) for name in row}
    return Layout(
        {name: at[name] for name in nodes},
        {edge: [at[name] for name in chain] for edge, chain in chains.items()},
        len(rows),
        end,
    )


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way to each node; one that nothing leads to stands right before its first use."""
    layer = dict.fromkeys(nodes, 0)
    into: dict[str, list[str]] = {name: [] for name in nodes}
    out: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        into[b].append(a)
        out[a].append(b)
    for name in nodes:
        layer[name] = max((layer[a] + 1 for a in into[name]), default=0)
    for name in reversed(nodes):
        # The fewer the edges into a node, the more is won by moving it to what it feeds.
        if out[name] and len(into[name]) < len(out[name]):
            layer[name] = min(layer[b] for b in out[name]) - 1
    return layer


def _uncrossed(
    rows: list[list[str]], above: dict[str, list[str]], below: dict[str, list[str]]
) -> list[list[str]]:
    """Rows ordered by the mean place of their neighbours, down and up; the best of all sweeps."""
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        rows = [list(row) for row in rows]
        ways = above if down else below
        for number in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            place = {name: k for k, name in enumerate(rows[number - 1 if down else number + 1])}
            own = {name: float(k) for k, name in enumerate(rows[number])}
            for name in rows[number]:
                near = [place[other] for other in ways[name]]
                own[name] = sum(near) / len(near) if near else own[name]
            rows[number].sort(key=own.__getitem__)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = rows, crossings
        if fewest == 0:
            break
    return best


def _crossings(rows: list[list[str]], below: dict[str, list[str]]) -> int:
    """How often edges between neighbouring rows cross: inversions, counted in a Fenwick tree."""
    total = 0
    for row, following in pairwise(rows):
        place = {name: number for number, name in enumerate(following)}
        tree, seen = [0] * (len(following) + 1), 0
        for name in row:
            ends = sorted(place[other] for other in below[name])
            for end in ends:
                at, before = end + 1, 0
                while at:
                    before, at = before + tree[at], at & (at - 1)
                total += seen - before
            for end in ends:
                at, seen = end + 1, seen + 1
                while at <= len(following):
                    tree[at] += 1
                    at += at & -at
    return total


def _middles(
    rows: list[list[str]],
    above: dict[str, list[str]],
    below: dict[str, list[str]],
    size: dict[str, float],
    gap: float,
) -> dict[str, float]:
    """Middles near the mean of the neighbours', in order and ``gap`` apart."""
    middle: dict[str, float] = {}
    for row in rows:
        at = 0.0
        for name in row:
            middle[name] = at + size[name] / 2
            at += size[name] + gap
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted, offset, at = [], [], 0.0
            for name in row:
                near = [middle[o] for o in (*above[name], *below[name])]
                offset.append(at + size[name] / 2)
                wanted.append((sum(near) / len(near) if near else middle[name]) - offset[-1])
                at += size[name] + gap
            for name, shift, base in zip(row, pooled(wanted), offset, strict=True):
                middle[name] = shift + base
    least = min((middle[name] - size[name] / 2 for name in middle), default=0.0)
    return {name: value - least for name, value in middle.items()}


def pooled(values: Sequence[float]) -> list[float]:
    """The nearest sequence in squares that never falls: neighbours that do are pooled."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean = (mean * count + other * more) / (count + more)
            count += more
        blocks.append((mean, count))
    return [mean for mean, count in blocks for _ in range(count)]
