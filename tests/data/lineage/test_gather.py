"""The graph of a real workspace: what is there, what is fresh, and what damage does to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.data.lineage.example import CITIES, CLEAN, HOSTILE, copy_of_shop, write_step
from tests.portfolio.example import CASE, example_workspace

from trackrecord.data.build.build import build
from trackrecord.data.lineage.gather import lineage_of
from trackrecord.data.lineage.graph import Graph
from trackrecord.data.lineage.openlineage import events_of
from trackrecord.ledger import Subject, read_chain, record
from trackrecord.version import __version__


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_of_shop(tmp_path)


def states(graph: Graph) -> dict[str, str]:
    return {node.id: node.state for node in graph.nodes if node.state != "fresh"}


def test_a_fresh_workspace_is_told_from_raw_bytes_to_tables(root: Path) -> None:
    graph = lineage_of(root)
    assert graph.problems == []
    assert states(graph) == {}
    raw = next(node for node in graph.nodes if node.name == "orders.csv")
    assert raw.facts["licence"] == "CC0-1.0"
    assert raw.facts["origin"] == "https://example.org/orders"
    orders, clean = graph.by_id["source:orders"], graph.by_id["table:clean"]
    assert (orders.rows, clean.rows) == (4, 3)
    assert orders.facts["contract"].startswith("version 1.0.0 1 of ")
    assert [field.name for field in clean.fields] == [
        "id", "customer", "day", "amount", HOSTILE, "city", "large",
    ]  # fmt: skip
    assert graph.upstream("table:cities") >= {raw.id, "source:orders", "table:clean"}
    lost = [fact for name, fact in graph.by_id["step:clean"].facts.items() if "lost" in name]
    assert lost == ["1 of 4 rows"]


def test_an_edited_step_makes_its_table_and_what_hangs_on_it_stale(root: Path) -> None:
    write_step(root, "10_clean.sql", CLEAN.replace("amount > 0", "amount >= 0"))
    graph = lineage_of(root)
    assert states(graph) == {
        "step:clean": "stale", "table:clean": "stale", "table:cities": "stale",
        "table:daily": "stale",
    }  # fmt: skip
    assert graph.by_id["table:clean"].why == "the SQL changed"
    assert graph.by_id["table:daily"].why == "the table clean, which it stands on, is stale"
    build(root, [], tool=__version__)
    assert states(lineage_of(root)) == {}


def test_a_comment_makes_nothing_stale(root: Path) -> None:
    write_step(root, "10_clean.sql", CLEAN + "-- and a word more\n")
    assert states(lineage_of(root)) == {}


def test_a_table_changed_by_hand_is_stale_and_one_that_is_gone_is_missing(root: Path) -> None:
    built = root / "data" / "built"
    (built / "clean.parquet").write_bytes((built / "cities.parquet").read_bytes())
    (built / "daily.parquet").unlink()
    graph = lineage_of(root)
    assert graph.by_id["table:clean"].why.startswith("its output was changed by hand")
    assert graph.by_id["table:daily"].state == "missing"


def test_a_source_changed_by_hand_is_stale_with_all_that_stands_on_it(root: Path) -> None:
    data = root / "data"
    (data / "orders.parquet").unlink()
    (data / "orders.parquet").write_bytes((data / "customers.parquet").read_bytes())
    graph = lineage_of(root)
    assert graph.by_id["source:orders"].state == "stale"
    assert graph.by_id["source:customers"].state == "fresh"
    assert graph.by_id["table:cities"].state == "stale"


def test_raw_bytes_that_are_gone_are_missing_and_nothing_else_is(root: Path) -> None:
    raw = next(node for node in lineage_of(root).nodes if node.kind == "raw")
    (root / raw.file).unlink()
    assert states(lineage_of(root)) == {raw.id: "missing"}


def test_a_table_that_nobody_described_is_of_unknown_origin(root: Path) -> None:
    (root / "data" / "customers.source.toml").unlink()
    graph = lineage_of(root)
    assert graph.by_id["source:customers"].state == "unknown"
    assert graph.problems == []


@pytest.mark.parametrize("text", [b"", b"name = 1", b"\xff\xfe", b"[[[", b"source = 1\n" * 3])
def test_a_damaged_source_file_is_one_damaged_node(root: Path, text: bytes) -> None:
    (root / "data" / "customers.source.toml").write_bytes(text)
    graph = lineage_of(root)
    assert graph.by_id["source:customers"].state == "damaged"
    assert len(graph.problems) == 1
    assert graph.by_id["source:orders"].state == "fresh"


def test_damaged_evidence_is_told_and_the_rest_is_read(root: Path) -> None:
    entry = next(e for e in read_chain(root / "evidence") if e.kind == "build")
    (root / "evidence" / f"{entry.evidence}.json").write_text('{"not": "it"}')
    graph = lineage_of(root)
    assert any(f"entry {entry.seq} of the chain, build" in said for said in graph.problems)
    assert graph.by_id["table:clean"].state == "unknown"
    assert graph.by_id["table:clean"].why == "the record has no build of it"


def test_a_torn_chain_leaves_what_the_files_say(root: Path) -> None:
    chain = root / "evidence" / "chain.jsonl"
    chain.write_bytes(chain.read_bytes()[:-20])
    graph = lineage_of(root)
    assert "nothing is told from the record" in graph.problems[0]
    assert graph.by_id["source:orders"].rows == 4
    assert "table:clean" in graph.by_id


def test_a_step_that_is_no_sql_is_damaged_and_the_others_are_there(root: Path) -> None:
    write_step(root, "20_cities.sql", "SELECT FROM WHERE (")
    graph = lineage_of(root)
    assert graph.by_id["step:cities"].state == "damaged"
    assert graph.by_id["table:cities"].state != "fresh"
    assert graph.by_id["table:clean"].state == "fresh"
    assert graph.by_id["table:daily"].state == "fresh"


def test_steps_in_a_circle_are_told_and_the_sources_are_fresh(root: Path) -> None:
    write_step(root, "10_clean.sql", "SELECT * FROM cities")
    graph = lineage_of(root)
    assert any("circle" in said for said in graph.problems)
    assert graph.by_id["table:clean"].state == "damaged"
    assert graph.by_id["source:orders"].state == "fresh"


def test_a_step_that_reads_what_nobody_makes_shows_the_gap(root: Path) -> None:
    write_step(root, "20_cities.sql", CITIES.replace("clean", "cleam"))
    graph = lineage_of(root)
    assert graph.by_id["source:cleam"].state == "missing"
    assert graph.by_id["table:cities"].state == "stale"
    assert any("cleam" in said for said in graph.problems)


def test_an_empty_workspace_has_an_empty_graph(tmp_path: Path) -> None:
    assert lineage_of(tmp_path) == Graph([], [], [])


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose case was sealed, run, evaluated, and whose data is not there."""
    root = example_workspace(tmp_path_factory.mktemp("flights") / "w", rows=400).root
    return root


def test_a_case_without_its_file_is_missing_and_what_was_made_of_it_is_told(flights: Path) -> None:
    graph = lineage_of(flights)
    assert graph.by_id["case:flights"].state == "missing"
    kinds = [node.kind for node in graph.nodes]
    assert kinds == ["case", "run", "evaluation", "evaluation"]
    run = graph.by_id["run:flights/0001"]
    assert run.facts["models"] == "base_rate, table, logistic, boosted"


def test_a_case_names_its_data_its_seal_and_what_no_longer_fits(flights: Path) -> None:
    folder = flights / "cases" / "flights"
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(CASE, "utf-8")
    try:
        graph = lineage_of(flights)
        case = graph.by_id["case:flights"]
        assert graph.above["case:flights"] == [
            "file:data/flights.parquet", "file:data/weather.parquet",
        ]  # fmt: skip
        assert case.facts["as of data/weather.parquet"] == "known by 18:00 the day before"
        assert (case.state, case.why) == (
            "stale",
            "data/flights.parquet has changed since the seal",
        )
        (folder / "case.toml").write_text("spec = 1\n", "utf-8")
        assert lineage_of(flights).by_id["case:flights"].state == "damaged"
    finally:
        (folder / "case.toml").unlink()
        folder.rmdir()


def test_every_part_of_the_graph_is_plain_json(root: Path) -> None:
    import msgspec

    assert json.loads(json.dumps(msgspec.to_builtins(lineage_of(root))))


@pytest.mark.parametrize(
    ("kind", "predicate"),
    [
        ("ingest", {"source": 5}),
        ("build", {"step": "clean", "inputs": "none"}),
        ("run", {"case": "late", "run": "0001", "models": "all"}),
        ("run", {"case": "../late", "run": "0001"}),
        ("evaluation", {"case": "late", "run": "x", "part": "test", "result": 7}),
        ("publication", {"case": "late", "evaluation": "nowhere"}),
        ("contract", {}),
        ("features", {"name": "evening", "definition": []}),
    ],
)
def test_evidence_that_says_too_little_or_something_odd_stops_nothing(
    root: Path, kind: str, predicate: dict[str, object]
) -> None:
    subjects = [Subject("x", {"sha256": "0" * 64})]
    record(root / "evidence", kind=kind, predicate=predicate, subjects=subjects, case="late")
    graph = lineage_of(root)
    assert graph.by_id["table:clean"].state == "fresh"
    assert events_of(root, "x")[0]


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.csv", "data/../../x.csv", "data\\x"])
def test_a_case_that_names_data_elsewhere_does_not_lead_there(root: Path, path: str) -> None:
    folder = root / "cases" / "flights"
    folder.mkdir()
    text = CASE.replace("data/flights.parquet", path.replace("\\", "\\\\"))
    (folder / "case.toml").write_text(text, "utf-8")
    graph = lineage_of(root)
    states = [node.state for node in graph.nodes if node.kind in ("file", "case")]
    assert "damaged" in states
    assert {node.digest for node in graph.nodes if node.kind == "file"} == {""}
