"""The drawing's places: no two overlap, every arrow goes one way, whatever the graph."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.data.lineage.graph import Edge, Graph, Node, ordered
from trackrecord.portfolio.lineage_layout import Layout, lay_out, pooled
from trackrecord.portfolio.lineage_rail import rail_of

SIZE, GAP, THIN = 50.0, 16.0, 12.0


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes in order, and edges that only go forward."""
    count = draw(st.integers(0, 30))
    nodes = [f"n{number}" for number in range(count)]
    if count < 2:
        return nodes, []
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=60))
    return nodes, [(nodes[min(a, b)], nodes[max(a, b)]) for a, b in pairs if a != b]


def drawn(nodes: list[str], edges: list[tuple[str, str]]) -> Layout:
    return lay_out(nodes, edges, size=SIZE, gap=GAP, thin=THIN)


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_no_two_nodes_overlap_and_none_stands_outside(
    given_graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    layout = drawn(*given_graph)
    rows: dict[int, list[float]] = {}
    for place in layout.places.values():
        rows.setdefault(place.layer, []).append(place.middle)
        assert 0 <= place.layer < layout.layers
        assert place.middle - SIZE / 2 >= -1e-6
        assert place.middle + SIZE / 2 <= layout.length + 1e-6
    for middles in rows.values():
        for one, other in pairwise(sorted(middles)):
            assert other - one >= SIZE + GAP - 1e-6


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_every_arrow_goes_one_layer_at_a_time_from_its_source_to_its_target(
    given_graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    layout = drawn(*given_graph)
    assert set(layout.routes) == set(given_graph[1])
    for (a, b), route in layout.routes.items():
        assert route[0] == layout.places[a]
        assert route[-1] == layout.places[b]
        assert [at.layer for at in route] == list(range(route[0].layer, route[-1].layer + 1))
        assert route[0].layer < route[-1].layer


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_an_arrow_passes_no_node(given_graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    layout = drawn(*given_graph)
    for route in layout.routes.values():
        for bend in route[1:-1]:
            for place in layout.places.values():
                if place.layer == bend.layer:
                    assert abs(place.middle - bend.middle) >= SIZE / 2 + THIN / 2 + GAP - 1e-6


@given(graphs())
@settings(max_examples=50, deadline=None)
def test_the_same_graph_is_drawn_the_same(
    given_graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    nodes, edges = given_graph
    assert drawn(nodes, edges) == drawn(nodes, edges[::-1])


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_rail_goes_down_and_no_two_lines_share_a_lane_at_once(
    given_graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    nodes, edges = given_graph
    made = [Node(id=name, kind="table", name=name) for name in nodes]
    graph = ordered(made, [Edge(a, b) for a, b in edges])
    rail = rail_of(graph)
    assert sorted(rail.order) == sorted(nodes)
    for a, b in edges:
        assert rail.row[a] < rail.row[b]
    spans: dict[int, list[tuple[int, int]]] = {}
    for name in nodes:
        last = max((rail.row[other] for other in graph.below[name]), default=rail.row[name])
        spans.setdefault(rail.lane[name], []).append((rail.row[name], last))
    for taken in spans.values():
        for one, other in pairwise(sorted(taken)):
            assert one[1] <= other[0]


@given(st.lists(st.floats(-1e3, 1e3), max_size=30))
def test_pooling_never_falls_and_keeps_the_mean(values: list[float]) -> None:
    found = pooled(values)
    assert len(found) == len(values)
    assert all(one <= other + 1e-9 for one, other in pairwise(found))
    assert sum(found) == pytest.approx(sum(values), abs=1e-6)


def test_a_plain_chain_is_a_straight_line_and_a_fork_is_even() -> None:
    chain = drawn(["a", "b", "c"], [("a", "b"), ("b", "c")])
    assert {place.middle for place in chain.places.values()} == {SIZE / 2}
    fork = drawn(["a", "b", "c"], [("a", "b"), ("a", "c")])
    middles = [fork.places[name].middle for name in "abc"]
    assert middles[0] == pytest.approx((middles[1] + middles[2]) / 2)


def test_two_lines_that_need_not_cross_do_not() -> None:
    nodes = ["a", "b", "x", "y"]
    layout = drawn(nodes, [("a", "y"), ("b", "x")])
    up = layout.places["a"].middle < layout.places["b"].middle
    assert (layout.places["y"].middle < layout.places["x"].middle) == up


def five_hundred() -> Graph:
    draw = random.Random(7)
    nodes = [Node(id=f"n{n}", kind="table", name=f"table_{n}", rows=n) for n in range(500)]
    edges = [
        Edge(f"n{draw.randrange(max(0, n - 40), n)}", f"n{n}")
        for n in range(50, 500)
        for _ in range(draw.choice([1, 1, 2, 3]))
    ]
    return ordered(nodes, edges)


def test_five_hundred_nodes_are_laid_out_in_seconds() -> None:
    graph = five_hundred()
    edges = [(edge.source, edge.target) for edge in graph.edges]
    began = time.process_time()
    layout = drawn([node.id for node in graph.nodes], edges)
    # Half a second on one core; the bound leaves room for a busy machine.
    assert time.process_time() - began < 8
    assert len(layout.places) == 500
    assert layout.length / (SIZE + GAP) < 100


def test_a_chain_longer_than_pythons_stack_is_drawn() -> None:
    nodes = [f"n{n}" for n in range(3000)]
    layout = drawn(nodes, list(pairwise(nodes)))
    assert layout.layers == 3000
