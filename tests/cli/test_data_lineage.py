"""``data lineage`` at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import digests, trackrecord
from tests.data.lineage.example import CLEAN, HOSTILE, copy_of_shop, write_step
from tests.data.lineage.test_send import address, server


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that no test changes."""
    return copy_of_shop(tmp_path_factory.mktemp("lineage"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_of_shop(tmp_path)


def test_the_whole_workspace_is_a_tree_from_the_raw_bytes_down(kept: Path) -> None:
    told = trackrecord("data", "lineage", at=kept)
    assert told.code == 0
    assert "2 raw files, 2 sources, 3 steps, 3 tables" in told.out
    lines = [line.strip(" │├└─") for line in told.out.splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("✓ raw orders.csv"))
    assert "licence CC0-1.0 · origin https://example.org/orders" in lines[first]
    assert lines[first + 1].startswith("✓ source orders · 4 rows · ")
    assert lines[first + 2] == "step 10_clean.sql, see above"


def test_one_table_has_what_it_rests_on_and_what_rests_on_it(kept: Path) -> None:
    told = trackrecord("data", "lineage", "clean", at=kept)
    above, below = told.out.split("on it rests")
    assert "raw orders.csv" in above
    assert "step 20_cities.sql" in below
    assert "raw orders.csv" not in below


def test_what_is_stale_is_said_with_the_reason(root: Path) -> None:
    write_step(root, "10_clean.sql", CLEAN.replace("> 0", ">= 0"))
    told = trackrecord("data", "lineage", "clean", at=root)
    assert told.code == 0
    assert "! table clean" in told.out
    assert "stale: the SQL changed" in told.out


def test_a_column_is_followed_with_its_expressions(kept: Path) -> None:
    told = trackrecord("data", "lineage", "cities.share_large", at=kept)
    assert "= AVG(CAST(clean.large AS INT))" in told.out
    assert "= orders.amount > 10" in told.out
    assert "orders.amount" in told.out
    assert "clean.city  (group by)" in told.out


def test_what_cannot_be_told_of_a_column_is_said(kept: Path) -> None:
    told = trackrecord("data", "lineage", "daily.len", at=kept)
    assert told.code == 0
    assert "cannot be told: a step in Python" in told.out


def test_a_program_gets_the_graph_the_focus_and_the_column(kept: Path) -> None:
    whole = trackrecord("data", "lineage", "--json", at=kept).json
    assert len(whole["nodes"]) == 10
    part = trackrecord("data", "lineage", "cities", "--json", at=kept).json
    assert part["focus"] == "table:cities"
    assert len(part["nodes"]) < len(whole["nodes"])
    column = trackrecord("data", "lineage", f"clean.{HOSTILE}", "--json", at=kept).json
    assert column["column"]["made_of"][0]["table"] == "orders"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["citis"], "did you mean 'cities'?"),
        (["cities.totl"], "did you mean 'total'?"),
        (["cities."], "there is no table"),
        ([".total"], "there is no table"),
        (["--out", "page.txt"], "ending in .html"),
        (["--out", "nowhere/page.html"], "in a folder that is there"),
        (["--openlineage", "nowhere/l.ndjson"], "in a folder that is there"),
        (["--openlineage", "ftp://host"], "only http and https are known"),
        (["--openlineage", "data"], "to be a file"),
        (["--namespace", "x"], "goes with --openlineage"),
        (["--openlineage", "l.ndjson", "--namespace", " "], "is empty"),
        (["--dagster", "assets.txt"], "not the name of a Python module"),
    ],
)
def test_bad_words_end_in_2_and_change_nothing(root: Path, words: list[str], said: str) -> None:
    (root / ".trackrecord" / "tables.json").unlink(missing_ok=True)
    before = digests(root / "data") | digests(root / "evidence")
    told = trackrecord("data", "lineage", *words, at=root)
    assert told.code == 2
    assert said in " ".join(told.err.split())
    assert digests(root / "data") | digests(root / "evidence") == before


def test_damage_ends_in_1_and_is_named_and_the_rest_is_shown(root: Path) -> None:
    (root / "data" / "customers.source.toml").write_text("[[[")
    told = trackrecord("data", "lineage", at=root)
    assert told.code == 1
    assert "✗ source customers" in told.out
    assert "customers.source.toml is not what `trackrecord data add` writes" in told.out
    assert "✓ source orders" in told.out


def test_the_page_is_written_and_hostile_names_are_text_in_it(root: Path) -> None:
    told = trackrecord("data", "lineage", "cities", "--out", "l.html", at=root)
    assert told.code == 0
    page = (root / "l.html").read_text("utf-8")
    assert HOSTILE not in page
    assert "AVG(CAST(clean.large AS INT))" in page


def test_events_are_written_a_line_each_and_the_same_again(root: Path) -> None:
    told = trackrecord("data", "lineage", "--openlineage", "l.ndjson", "--json", at=root)
    assert told.code == 0
    assert told.json["openlineage"]["events"] == 12
    first = (root / "l.ndjson").read_bytes()
    events = [json.loads(line) for line in first.splitlines()]
    jobs = [event["job"]["name"] for event in events if event["eventType"] != "START"]
    assert jobs == [
        "ingest.orders", "ingest.customers", "contract.orders", "build.clean", "build.cities",
        "build.daily",
    ]  # fmt: skip
    failed = [event for event in events if event["eventType"] == "FAIL"]
    (only,) = failed
    message = only["run"]["facets"]["errorMessage"]["message"]
    assert message == "broken: amount.range"
    trackrecord("data", "lineage", "--openlineage", "l.ndjson", at=root)
    assert (root / "l.ndjson").read_bytes() == first


def test_a_namespace_of_ones_own_is_in_jobs_and_datasets(root: Path) -> None:
    trackrecord("data", "lineage", "--openlineage", "l", "--namespace", "prod", at=root)
    events = [json.loads(line) for line in (root / "l").read_text("utf-8").splitlines()]
    spaces = {e["job"]["namespace"] for e in events}
    spaces |= {d["namespace"] for e in events for d in (*e["inputs"], *e["outputs"])}
    assert spaces == {"prod"}


def test_a_dead_server_ends_in_2_with_what_was_not_sent(kept: Path) -> None:
    told = trackrecord("data", "lineage", "--openlineage", "http://127.0.0.1:9", at=kept)
    assert told.code == 2
    assert "0 sent, 12 not" in told.err
    assert "nothing is lost" in told.err


def test_events_are_posted_to_a_server_that_is_there(kept: Path) -> None:
    with server() as there:
        told = trackrecord("data", "lineage", "--openlineage", address(there), at=kept)
        assert told.code == 0
        assert "sent 12 events to http://127.0.0.1" in told.out
        assert len({body["run"]["runId"] for _, _, body in there.came}) == 6


def test_dagster_assets_are_written(root: Path) -> None:
    told = trackrecord("data", "lineage", "--dagster", "assets.py", at=root)
    assert told.code == 0
    assert "def make_cities" in (root / "assets.py").read_text("utf-8")
    assert "pip install 'trackrecord[dagster]'" in told.out


def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    trackrecord("init", tmp_path / "w")
    told = trackrecord("data", "lineage", at=tmp_path / "w")
    assert told.code == 0
    assert "trackrecord data add FILE --name NAME" in told.out


def test_outside_a_workspace_it_ends_in_2(tmp_path: Path) -> None:
    assert trackrecord("data", "lineage", at=tmp_path).code == 2
