"""The graph: order, circles, staleness that spreads, and finding by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.data.lineage.graph import Edge, Graph, Node, find_node, ordered, settled
from trackrecord.errors import BadInput


def node(name: str, kind: str = "table", **more: str) -> Node:
    return Node(id=f"{kind}:{name}", kind=kind, name=name, **more)  # type: ignore[arg-type]


def graph(*arrows: str, **states: str) -> Graph:
    """``graph("a>b", b="stale")``: tables by their letters."""
    pairs = [arrow.split(">") for arrow in arrows]
    names = sorted({name for pair in pairs for name in pair})
    nodes = [node(name, state=states.get(name, "fresh")) for name in names]
    edges = [Edge(f"table:{a}", f"table:{b}") for a, b in pairs]
    return settled(ordered(nodes, edges))


def test_nodes_stand_after_what_they_are_made_of() -> None:
    found = graph("c>a", "a>b", "b>d", "c>d")
    assert [one.name for one in found.nodes] == ["c", "a", "b", "d"]
    assert found.upstream("table:d") == {"table:a", "table:b", "table:c"}
    assert found.downstream("table:a") == {"table:b", "table:d"}
    assert found.problems == []


def test_what_stands_on_something_stale_is_stale_with_the_reason() -> None:
    found = graph("a>b", "b>c", "x>c", a="stale")
    states = {one.name: (one.state, one.why) for one in found.nodes}
    assert states["b"] == ("stale", "the table a, which it stands on, is stale")
    assert states["c"][0] == "stale"
    assert states["x"][0] == "fresh"


def test_a_table_is_stale_for_what_its_step_reads_and_the_step_is_not() -> None:
    nodes = [node("a", state="missing"), node("s", "step"), node("b")]
    edges = [Edge("table:a", "step:s"), Edge("step:s", "table:b")]
    found = settled(ordered(nodes, edges))
    assert {one.name: one.state for one in found.nodes} == {
        "a": "missing", "s": "fresh", "b": "stale",
    }  # fmt: skip


def test_raw_bytes_that_are_gone_make_nothing_stale() -> None:
    nodes = [node("r", "raw", state="missing"), node("s", "source")]
    found = settled(ordered(nodes, [Edge("raw:r", "source:s")]))
    assert found.by_id["source:s"].state == "fresh"


def test_a_circle_is_told_and_what_hangs_on_it_is_damaged_and_the_rest_is_not() -> None:
    found = graph("a>b", "b>c", "c>b", "c>d", "x>y")
    states = {one.name: one.state for one in found.nodes}
    assert states == {
        "a": "fresh", "x": "fresh", "y": "fresh", "b": "damaged", "c": "damaged", "d": "damaged",
    }  # fmt: skip
    assert found.problems == ["these wait for one another in a circle: table b → table c → table b"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_any_edges_at_all_give_every_node_once_and_order_where_there_is_one(
    pairs: list[tuple[int, int]],
) -> None:
    nodes = [node(str(n)) for n in range(10)]
    edges = [Edge(f"table:{a}", f"table:{b}") for a, b in pairs]
    found = settled(ordered(nodes, edges))
    assert sorted(one.name for one in found.nodes) == [str(n) for n in range(10)]
    place = {one.id: n for n, one in enumerate(found.nodes)}
    back = [edge for edge in found.edges if place[edge.source] >= place[edge.target]]
    assert bool(back) == bool(found.problems)
    for edge in back:
        assert found.by_id[edge.target].state == "damaged"


def test_a_name_means_a_table_before_a_case_before_a_step_and_an_id_means_itself() -> None:
    found = ordered([node("x", "case"), node("x", "step"), node("x")], [])
    assert find_node(found, "x").kind == "table"
    assert find_node(found, "case:x").kind == "case"


def test_a_wrong_name_ends_with_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        find_node(graph("orders>clean"), "ordres")
    assert caught.value.why == "did you mean 'orders'?"
