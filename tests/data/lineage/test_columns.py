"""Columns through the whole pipeline, back to the bytes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from tests.data.lineage.example import CLEAN, HOSTILE, copy_of_shop, write_step

from trackrecord.data.lineage.columns import Columns, Made
from trackrecord.data.lineage.gather import lineage_of
from trackrecord.data.lineage.graph import Edge, Node, ordered
from trackrecord.errors import BadInput


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_shop(tmp_path_factory.mktemp("columns"))


@pytest.fixture(scope="module")
def columns(root: Path) -> Columns:
    return Columns(root, lineage_of(root))


def leaves(made: Made) -> list[Made]:
    return [leaf for one in made.made_of for leaf in leaves(one)] or [made]


def test_a_share_is_followed_through_two_steps_to_the_raw_file(columns: Columns) -> None:
    made = columns.made("cities", "share_large")
    assert made.expression == "AVG(CAST(clean.large AS INT))"
    assert made.by == "pipeline/20_cities.sql"
    (large,) = made.made_of
    assert (large.table, large.expression) == ("clean", "orders.amount > 10")
    (amount,) = large.made_of
    assert (amount.table, amount.column, amount.by) == ("orders", "amount", "orders.csv")
    assert amount.untold == ""


def test_a_name_in_any_case_is_the_column_and_a_hostile_one_is_only_a_name(
    columns: Columns,
) -> None:
    assert columns.made("cities", "TOTAL").column == "total"
    made = columns.made("clean", HOSTILE)
    assert made.copied
    assert leaves(made)[0].column == HOSTILE


def test_a_step_in_python_says_that_it_cannot_be_told_and_what_it_reads(columns: Columns) -> None:
    made = columns.made("daily", "len")
    assert made.untold == "a step in Python does not say which columns go in; it reads clean"
    assert made.made_of == []


def test_a_column_that_is_not_there_ends_with_the_nearest(columns: Columns) -> None:
    with pytest.raises(BadInput) as caught:
        columns.made("cities", "totl")
    assert caught.value.why == "did you mean 'total'?"


def test_a_star_over_a_table_that_is_not_built_is_seen_through_and_over_python_it_is_not(
    tmp_path: Path,
) -> None:
    root = copy_of_shop(tmp_path)
    for built in (root / "data" / "built").iterdir():
        built.unlink()
    write_step(root, "40_all.sql", "SELECT * FROM clean")
    write_step(root, "50_days.sql", "SELECT * FROM daily")
    columns = Columns(root, lineage_of(root))
    assert leaves(columns.made("all", "amount"))[0].table == "orders"
    said = columns.made("days", "len").untold
    assert said == "a star stands for columns that nobody knows yet: daily"


def test_an_edited_step_is_told_as_it_is_now(tmp_path: Path) -> None:
    root = copy_of_shop(tmp_path)
    write_step(root, "10_clean.sql", CLEAN.replace("amount > 10", "amount > 99"))
    columns = Columns(root, lineage_of(root))
    assert columns.made("clean", "large").expression == "orders.amount > 99"


def test_a_pipeline_of_hundreds_of_steps_ends_in_words_and_not_in_a_stack(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    names = [f"t{n}" for n in range(300)]
    nodes, edges = [Node(id="source:t0", kind="source", name="t0")], []
    for before, name in pairwise(names):
        write_step(tmp_path, f"10_{name}.sql", f"SELECT x + 1 AS x FROM {before}")
        file = f"pipeline/10_{name}.sql"
        nodes.append(Node(id=f"step:{name}", kind="step", name=name, file=file))
        nodes.append(Node(id=f"table:{name}", kind="table", name=name))
        above = f"{'source' if before == 't0' else 'table'}:{before}"
        edges += [Edge(above, f"step:{name}"), Edge(f"step:{name}", f"table:{name}")]
    made = Columns(tmp_path, ordered(nodes, edges)).made("t299", "x")
    assert leaves(made)[0].untold == "there is more than can be shown"


def test_a_column_that_many_are_made_of_is_gone_into_once(tmp_path: Path) -> None:
    root = copy_of_shop(tmp_path)
    text = "SELECT a.total + b.total AS x FROM cities a JOIN cities b USING (city)"
    write_step(root, "40_twice.sql", text)
    write_step(root, "50_more.sql", "SELECT t.x + c.total AS y FROM twice t, cities c")
    made = Columns(root, lineage_of(root)).made("more", "y")
    (first, second) = made.made_of
    assert (first.table, second.table) == ("cities", "twice")
    assert first.made_of
    (again,) = second.made_of
    assert (again.table, again.column, again.again) == ("cities", "total", True)
